/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/doctor.h"
#include "exporters/ctl/library.h"
#include "exporters/ctl/term.h"
#include "exporters/encode/json.h"

struct doctor_options {
	const char *config, *user, *library, *colour;
	bool json;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct doctor_options, __VA_ARGS__),
#include "exporters/ctl/doctor.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_doctor_cli = {
	.name = "doctor",
	.operands = "COMMAND [ARGUMENT]... | PID",
	CLI_OPTIONS(options),
	.about =
"Tells why no spans would come from COMMAND, or why none come from the running process PID, one line a finding, with "
"what to do about it.\n\n"
"Of a command it looks at the program, the library, the configuration and whether somebody listens where spans are to "
"go. Of a process also whether the library is loaded, which exporter traces it and what became of its requests. "
"Nothing is started, and nothing is sent but the opening of a connection.",
	.exit_status = "0  nothing is in the way\n1  a problem was found\n2  wrong usage",
	.examples = "before a service is set up\n"
		    "\tbtracectl doctor --user www-data -c /etc/btrace/btrace.yml nginx\n"
		    "when no traces arrive\n\tbtracectl doctor $(pidof -s nginx)",
	.stop_at_operand = true,
	.operands_are_files = true,
};
/* clang-format on */

static const struct {
	const char *name;
	enum term_style style;
} levels[] = {
	[FINDING_OK] = { "ok", STYLE_GREEN },
	[FINDING_NOTE] = { "note", STYLE_DIM },
	[FINDING_WARNING] = { "warning", STYLE_YELLOW },
	[FINDING_PROBLEM] = { "problem", STYLE_RED },
};

static void add_line(struct buf *out, const struct term *term, const struct finding *f)
{
	term_cell(term, out, slice_of(levels[f->level].name), 9, levels[f->level].style);
	term_text(term, out, slice_of(f->text), UINT16_MAX);
	if (f->remedy) {
		term_style(term, out, STYLE_DIM);
		buf_add_text(out, " - ");
		term_style(term, out, STYLE_PLAIN);
		term_text(term, out, slice_of(f->remedy), UINT16_MAX);
	}
	buf_add_byte(out, '\n');
}

static void add_json(struct buf *out, const struct finding *f)
{
	buf_printf(out, "{\"level\":\"%s\",\"text\":", levels[f->level].name);
	json_string(out, slice_of(f->text));
	if (f->remedy) {
		buf_add_text(out, ",\"remedy\":");
		json_string(out, slice_of(f->remedy));
	}
	buf_add_text(out, "}\n");
}

static int print(const struct doctor *d, const struct doctor_options *o)
{
	size_t problems = 0;
	struct term term;
	struct buf out;

	term_init(&term, STDOUT_FILENO, o->colour);
	buf_init(&out);
	for (size_t i = 0; i < d->n; i++) {
		if (!d->findings[i].text)
			continue;
		problems += d->findings[i].level == FINDING_PROBLEM;
		if (o->json)
			add_json(&out, &d->findings[i]);
		else
			add_line(&out, &term, &d->findings[i]);
	}
	if (!o->json)
		buf_printf(&out, problems ? "%zu problem%s\n" : "nothing is in the way\n", problems,
			   problems == 1 ? "" : "s");
	fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
	return problems ? 1 : 0;
}

/* A number is a process unless there is a file of that name. */
static bool is_process(const char *operand)
{
	return operand[0] && operand[strspn(operand, "0123456789")] == '\0' && access(operand, F_OK) != 0;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_options o = { .json = false };
	struct doctor d = { .uid = geteuid() };
	int rc = cli_parse(&cmd_doctor_cli, &argc, argv, &o);
	char *here;

	if (rc != CLI_RUN)
		return rc;
	if (argc < 2)
		return cli_misuse(&cmd_doctor_cli, "no command and no process");
	if (o.user && doctor_user(&d, o.user))
		return cli_misuse(&cmd_doctor_cli, "there is no user '%s'", o.user);
	if (o.library)
		snprintf(d.library, sizeof(d.library), "%s", o.library);
	else
		library_find(d.library, sizeof(d.library));
	if (is_process(argv[1])) {
		doctor_process(&d, (uint32_t)strtoul(argv[1], NULL, 10));
	} else {
		here = getcwd(NULL, 0);
		doctor_library(&d);
		doctor_program(&d, argv[1], getenv("PATH"));
		doctor_config(&d, o.config, here ? here : "/", (const char *const *)environ);
		free(here);
	}
	rc = d.failed ? 2 : print(&d, &o);
	doctor_release(&d);
	return rc;
}
