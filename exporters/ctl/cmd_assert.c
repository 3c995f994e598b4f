/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/expect.h"
#include "exporters/ctl/trace_file.h"
#include "exporters/ctl/verdict.h"

struct assert_options {
	const char *expect, *requests, *errors, *no_status, *p99, *ledger, *output, *junit, *colour;
	bool record, verbose, json;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct assert_options, __VA_ARGS__),
#include "exporters/ctl/assert.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_assert_cli = {
	.name = "assert",
	.operands = "FILE...",
	CLI_OPTIONS(options),
	.operands_are_files = true,
	.about =
"Checks the traces of a finished run, for CI: by an expectation file, by options, or both. Prints what differs and "
"ends with 1 if anything does.\n\n"
"With --record it writes an expectation instead, from which ids, times and ports are left out: a golden file to "
"keep beside the tests.",
	.more =
"Expectation file\n"
"requests: 15            # spans that answered a request: exactly so many\n"
"errors: 0               # of them, with the status ERROR\n"
"5xx: 0                  # of them, with such a status; also 404, none\n"
"p99: 200ms              # at most; also p50 p90 p95 max\n"
"spans: \">= 15\"          # of all kinds\n"
"traces: 8..10\n"
"duplicates: 0           # spans that are there twice\n"
"routes:                 # METHOD ROUTE, * for any text\n"
"  GET /menu: 2\n"
"  POST /orders: {201: 1, 500: 1, p99: 50ms}\n"
"services:               # the same for one service each\n"
"  nginx: {requests: 8, routes: {GET /health: 1}}\n"
"other_routes: forbid    # requests that fit no row are a failure; else allow\n"
"shapes:                 # trees of spans: SERVICE METHOD ROUTE STATUS\n"
"  - count: 2            # without it: at least one\n"
"    tree: |\n"
"      nginx GET /menu 200\n"
"        app GET /menu 200\n"
"other_shapes: forbid    # traces that fit none are a failure; else allow\n"
"\n"
"A count is N, \">= N\", \"<= N\", \"> N\", \"< N\" or N..M. All keys may be left out.\n"
"In a tree, children stand further in than their parent, the order of siblings\n"
"does not matter, * stands for any text, and a line ... allows further children.\n"
"A client span is SERVICE -> METHOD HOST STATUS, any other SERVICE NAME; behind it\n"
"its error.type or ERROR, where the status does not tell. Segments of a path that\n"
"look like ids are written {id} where a span has no http.route.",
	.exit_status = "0  all checks passed\n1  a check failed\n2  wrong usage, a file cannot be read, or lines of it are bad",
	.examples =
"no server error, and 99 of 100 in time\n\tbtracectl assert --no-status 5xx --p99 200ms traces.jsonl\n"
"exactly what was sent, with nothing lost\n\tbtracectl assert --requests 2000 --ledger ledger.json traces.jsonl\n"
"keep the traces of a run as a golden file, and compare\n"
"\tbtracectl assert --record -o golden.yml traces.jsonl\n"
"\tbtracectl assert --expect golden.yml --junit traces.xml traces.jsonl",
};
/* clang-format on */

/* A check from an option; 0, or 2 if it was told why not. */
static int add_option(struct expectation *e, const char *name, const char *text, struct expect_check check)
{
	if (!text)
		return 0;
	if (!expect_range_parse(slice_of(text), expect_is_duration(check.measure), &check.range))
		return cli_misuse(&cmd_assert_cli, "--%s cannot be '%s'", name, text);
	return expectation_add(e, &check) ? 2 : 0;
}

static int add_options(struct expectation *e, const struct assert_options *o)
{
	int rc = add_option(e, "requests", o->requests, (struct expect_check){ .measure = EXPECT_REQUESTS });

	if (!rc)
		rc = add_option(e, "errors", o->errors, (struct expect_check){ .measure = EXPECT_ERRORS });
	if (!rc)
		rc = add_option(e, "no-status", o->no_status ? "0" : NULL,
				(struct expect_check){ .measure = EXPECT_REQUESTS,
						       .status = slice_of(o->no_status) });
	return rc ? rc : add_option(e, "p99", o->p99, (struct expect_check){ .measure = EXPECT_P99 });
}

static int record(const struct assert_options *o, const struct trace_set *set)
{
	struct buf text;
	int rc;

	buf_init(&text);
	rc = expect_record(&text, set) ? 2 : verdict_write(o->output, stdout, &text);
	buf_release(&text);
	return rc;
}

static int run(const struct assert_options *o, const struct expectation *e, char **names, size_t n)
{
	struct verdict verdict = { .out = stdout,
				   .ledger = o->ledger,
				   .junit = o->junit,
				   .colour = o->colour,
				   .verbose = o->verbose,
				   .json = o->json };
	struct trace_store store;
	struct trace_set set;
	int rc;

	trace_store_init(&store);
	rc = trace_files_load(names, n, &store, stderr);
	if (rc > 0)
		fprintf(stderr,
			"btracectl: a verdict on traces of which a part cannot be read would mean nothing\n");
	rc = rc || trace_set_init(&set, &store) ? 2 : 0;
	if (!rc) {
		rc = o->record ? record(o, &set) : verdict_give(&verdict, e, &set, names[0]);
		trace_set_release(&set);
	}
	trace_store_release(&store);
	return rc;
}

int cmd_assert(int argc, char **argv)
{
	struct assert_options o = { .expect = NULL };
	struct expectation e;
	int rc = cli_parse(&cmd_assert_cli, &argc, argv, &o);

	if (rc != CLI_RUN)
		return rc;
	if (argc < 2)
		return cli_misuse(&cmd_assert_cli, "a file of traces is wanted");
	expectation_init(&e);
	rc = o.expect ? verdict_load(&e, o.expect) : 0;
	if (!rc)
		rc = add_options(&e, &o);
	if (!rc && !o.record && !e.n_checks && !e.n_shapes && !e.only_routes && !e.only_shapes && !o.ledger)
		rc = cli_misuse(&cmd_assert_cli,
				"there is nothing to check: give --expect or another option");
	if (!rc)
		rc = run(&o, &e, argv + 1, (size_t)argc - 1);
	expectation_release(&e);
	return rc;
}
