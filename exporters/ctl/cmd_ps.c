/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/attach.h"
#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/term.h"
#include "exporters/ctl/units.h"
#include "exporters/encode/json.h"
#include "exporters/session/ledger.h"

struct ps_options {
	bool json;
	const char *colour;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct ps_options, __VA_ARGS__),
#include "exporters/ctl/ps.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_ps_cli = {
	.name = "ps",
	.operands = "",
	CLI_OPTIONS(options),
	.about =
"Lists the tracing sessions that run now: one for each exporter process, with the processes it traces and what became "
"of their requests. As root, also those of other users and of containers.\n\n"
"In the account of a session that runs, `unbalanced` counts the requests that are on their way.",
	.exit_status = "0  listed\n1  there is none\n2  wrong usage",
	.examples = "which servers are traced\n\tbtracectl ps\n"
		    "what was lost, for a script\n\tbtracectl ps --json | jq '.ledger.dropped'",
};
/* clang-format on */

enum { PID = 8, AGE = 10, PROCESSES = 6, NUMBER = 11 };

static void add_number(struct buf *out, const struct term *term, uint64_t n, int columns,
		       enum term_style style)
{
	struct buf text;

	buf_init(&text);
	count_print(&text, n);
	term_cell(term, out, (struct slice){ text.p, text.n }, -columns, style);
	buf_release(&text);
}

static void add_row(struct buf *out, const struct term *term, const struct attached *a)
{
	const struct control *c = a->session.control;
	uint64_t sent = 0, lost;
	struct table_process p;
	struct ledger_sums sums;
	uint32_t processes = 0;
	char service[128] = "-";
	struct buf age;

	for (uint32_t i = 1; i < TABLE_PROCESSES; i++)
		if (attach_process(a, i, &p) && !processes++)
			attach_service(&p, service);
	if (c->live.n > 1)
		snprintf(service, sizeof(service), "%s", c->live.route[1].service);
	ledger_sum(&a->session, &sums);
	lost = sums.dropped;
	for (uint32_t i = 0; i < c->n_sinks; i++) {
		sent += control_get(&c->sink[i].sent);
		lost += control_get(&c->sink[i].failed) + control_get(&c->sink[i].queue_dropped);
	}
	buf_init(&age);
	if (a->age_ns < 1000000000)
		buf_add_text(&age, "0 s");
	else
		duration_print(&age, a->age_ns / 1000000000 * 1000000000, "u");
	buf_printf(out, "%*u", PID - 1, a->keeper);
	term_cell(term, out, (struct slice){ age.p, age.n }, -AGE, STYLE_PLAIN);
	add_number(out, term, processes, PROCESSES, STYLE_PLAIN);
	add_number(out, term, sums.requests, NUMBER, STYLE_PLAIN);
	add_number(out, term, sent, NUMBER, STYLE_PLAIN);
	add_number(out, term, lost, NUMBER, lost ? STYLE_RED : STYLE_DIM);
	buf_add_text(out, "  ");
	term_cell(term, out, slice_of(service), 18, STYLE_CYAN);
	buf_add_text(out, "  ");
	term_text(term, out, slice_of(attach_config(a)), 1000);
	buf_add_text(out, a->ended ? "  (ending)\n" : "\n");
	buf_release(&age);
}

static void add_head(struct buf *out, const struct term *term)
{
	static const struct {
		const char *name;
		int columns;
	} cells[] = { { "EXPORTER", -PID },    { "AGE", 1 - AGE },  { "PROCS", -PROCESSES },
		      { "REQUESTS", -NUMBER }, { "SENT", -NUMBER }, { "LOST", -NUMBER } };

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		term_cell(term, out, slice_of(cells[i].name), cells[i].columns, STYLE_DIM);
	buf_add_text(out, "  ");
	term_cell(term, out, SLICE("SERVICE"), 18, STYLE_DIM);
	term_cell(term, out, SLICE("  CONFIG"), 8, STYLE_DIM);
	buf_add_byte(out, '\n');
}

static void add_json(struct buf *out, const struct attached *a)
{
	struct table_process p;
	char service[128];
	bool first = true;

	buf_printf(out, "{\"exporter\":%u,\"uid\":%u,\"age_ns\":%llu,\"ending\":%s,\"config\":", a->keeper,
		   a->uid, (unsigned long long)a->age_ns, a->ended ? "true" : "false");
	json_string(out, slice_of(a->config));
	buf_add_text(out, ",\"processes\":[");
	for (uint32_t i = 1; i < TABLE_PROCESSES; i++) {
		if (!attach_process(a, i, &p))
			continue;
		attach_service(&p, service);
		buf_printf(out, "%s{\"pid\":%u,\"service\":", first ? "" : ",", atomic_load(&p.pid));
		json_string(out, slice_of(service));
		buf_add_text(out, ",\"executable\":");
		json_string(out, slice_of(p.executable));
		buf_add_byte(out, '}');
		first = false;
	}
	buf_add_text(out, "],\"ledger\":");
	ledger_json(&a->session, out);
	if (out->n && out->p[out->n - 1] == '\n')
		out->n--;
	buf_add_text(out, "}\n");
}

static size_t add_sessions(struct buf *out, const struct term *term, bool json)
{
	static uint32_t keepers[ATTACH_SESSIONS];
	static struct attached a; /* large */
	size_t n = attach_list(keepers, ATTACH_SESSIONS), shown = 0;

	for (size_t i = 0; i < n; i++) {
		int error = attach_open(&a, keepers[i]);

		if (!error && !(error = attach_read(&a))) {
			if (!json && !shown)
				add_head(out, term);
			if (json)
				add_json(out, &a);
			else
				add_row(out, term, &a);
			shown++;
		}
		attach_close(&a);
		if (error && error != -ESRCH)
			fprintf(stderr, "btracectl ps: exporter %u: %s\n", keepers[i], attach_error(error));
	}
	return shown;
}

int cmd_ps(int argc, char **argv)
{
	struct ps_options o = { .json = false };
	int rc = cli_parse(&cmd_ps_cli, &argc, argv, &o);
	struct term term;
	struct buf out;
	size_t n;

	if (rc != CLI_RUN)
		return rc;
	if (argc > 1)
		return cli_misuse(&cmd_ps_cli, "it takes no arguments");
	term_init(&term, STDOUT_FILENO, o.colour);
	buf_init(&out);
	n = add_sessions(&out, &term, o.json);
	fwrite(out.p ? out.p : "", 1, out.n, stdout);
	buf_release(&out);
	if (!n && !o.json)
		fprintf(stderr, "btracectl ps: there is no tracing session\n");
	return n ? 0 : 1;
}
