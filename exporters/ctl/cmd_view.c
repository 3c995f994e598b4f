/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/view_run.h"

#define DEFAULT_FILE  "btrace-traces.jsonl" /* where the embedded default of `btracectl run` writes */
#define DEFAULT_LIMIT 50

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct view_options, __VA_ARGS__),
#include "exporters/ctl/view.def"
#undef OPTION
};

const struct cli_command cmd_view_cli = {
	.name = "view",
	.operands = "[FILE]...",
	.about = "Shows the traces of a file in the terminal: a row a span under its parent, with a bar that "
		 "tells "
		 "when it ran within its trace, then a table of routes.\n\n"
		 "A file has one OTLP/JSON ExportTraceServiceRequest a line, as btrace's file exporter and "
		 "the "
		 "OpenTelemetry Collector write it; - is the standard input. Without FILE: " DEFAULT_FILE
		 ".\n\n"
		 "All filters must hold for one span; then its whole trace is shown.",
	CLI_OPTIONS(options),
	.exit_status =
		"0  shown\n1  shown, but some lines of the file could not be read\n2  wrong usage, or a file "
		"cannot be read",
	.examples = "what failed\n\tbtracectl view --status error traces.jsonl\n"
		    "the slow ones under /users, as they come\n"
		    "\tbtracectl view -f --route '/users/*' --slower-than 100ms traces.jsonl\n"
		    "durations for a script\n"
		    "\tbtracectl view --json traces.jsonl | jq '.spans[0].duration_ns'",
	.operands_are_files = true,
};

int cmd_view(int argc, char **argv)
{
	char default_name[] = DEFAULT_FILE, *default_names[] = { default_name };
	struct view_options o = { .limit = UINT64_MAX };
	int rc = cli_parse(&cmd_view_cli, &argc, argv, &o);
	char *const *names = argc > 1 ? argv + 1 : default_names;
	size_t n = argc > 1 ? (size_t)argc - 1 : 1;

	if (rc != CLI_RUN)
		return rc;
	if (o.limit == UINT64_MAX)
		o.limit = o.json ? 0 : DEFAULT_LIMIT;
	return o.follow ? view_follow(&o, names, n) : view_files(&o, names, n);
}
