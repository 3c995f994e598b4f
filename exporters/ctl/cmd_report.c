/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/report.h"
#include "exporters/ctl/trace_file.h"
#include "exporters/ctl/trace_filter.h"
#include "exporters/ctl/units.h"

struct report_options {
	struct trace_filter filter;
	const char *output, *title;
	bool data;
};

#define DEFAULT_FILE "btrace-traces.jsonl" /* as btracectl view */

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct report_options, __VA_ARGS__),
#include "exporters/ctl/report.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_report_cli = {
	.name = "report",
	.operands = "[FILE]...",
	CLI_OPTIONS(options),
	.operands_are_files = true,
	.about =
"Makes one HTML page of the traces of a file: requests over time, latencies, routes, errors, and every trace as a "
"waterfall with its attributes. The page needs nothing else, no server and no network; it can be kept with the "
"results of a CI run. Without FILE: " DEFAULT_FILE ".\n\n"
"The page has its own search and filters; those given here leave traces out of it altogether.",
	.exit_status = "0  written\n1  written, but some lines of the file could not be read\n2  wrong usage, a file cannot be "
		       "read or written",
	.examples = "a page of everything\n\tbtracectl report -o report.html traces.jsonl\n"
		    "only what failed\n\tbtracectl report --status error -o errors.html traces.jsonl",
};
/* clang-format on */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int complain(const char *path, int error)
{
	fprintf(stderr, "btracectl: %s: %s\n", path, strerror(error));
	return 2;
}

/* Whole or not at all: a page beside, then renamed. */
static int write_page(const char *path, const struct buf *page)
{
	bool standard = !strcmp(path, "-");
	struct buf beside;
	FILE *f = stdout;
	int rc = 0;

	buf_init(&beside);
	if (!standard) {
		buf_printf(&beside, "%s.tmp.%d", path, (int)getpid());
		f = beside.p ? fopen(beside.p, "we") : NULL;
	}
	if (!f || fwrite(page->p, 1, page->n, f) != page->n || fflush(f))
		rc = complain(path, errno);
	if (f && !standard)
		fclose(f);
	if (!rc && !standard && rename(beside.p, path))
		rc = complain(path, errno);
	if (rc && f && !standard)
		unlink(beside.p);
	buf_release(&beside);
	return rc;
}

static void tell(const char *path, const struct report *report, size_t bytes)
{
	struct buf text;

	buf_init(&text);
	buf_printf(&text, "%s: ", path);
	count_print(&text, report->n);
	buf_printf(&text, " trace%s, %.1f MB\n", report->n == 1 ? "" : "s", (double)bytes / 1e6);
	fwrite(text.p, 1, text.n, stderr);
	buf_release(&text);
}

static int make(const struct report_options *o, const struct trace_set *set, const char *file)
{
	uint32_t *chosen = calloc(set->n + 1, sizeof(*chosen));
	const char *path = o->output ? o->output : "report.html", *slash = strrchr(file, '/');
	struct report report = { .set = set, .chosen = chosen, .now_unix_ns = now_ns() };
	struct buf page;
	size_t passed;
	int rc;

	if (!chosen)
		return complain(path, ENOMEM);
	buf_init(&page);
	report.title = slice_of(o->title ? o->title : slash ? slash + 1 : file);
	report.n = trace_filter_choose(&o->filter, set, 0, chosen, &passed);
	rc = o->data ? report_data(&page, &report) : report_page(&page, &report);
	rc = rc ? complain(path, -rc) : write_page(path, &page);
	if (!rc && strcmp(path, "-") != 0)
		tell(path, &report, page.n);
	buf_release(&page);
	free(chosen);
	return rc;
}

int cmd_report(int argc, char **argv)
{
	char default_name[] = DEFAULT_FILE, *default_names[] = { default_name };
	struct report_options o = { .output = NULL };
	int rc = cli_parse(&cmd_report_cli, &argc, argv, &o), read;
	char *const *names = argc > 1 ? argv + 1 : default_names;
	struct trace_store store;
	struct trace_set set;

	if (rc != CLI_RUN)
		return rc;
	trace_store_init(&store);
	read = trace_files_load(names, argc > 1 ? (size_t)argc - 1 : 1, &store, stderr);
	rc = read < 0 || trace_set_init(&set, &store) ? 2 : 0;
	if (!rc) {
		rc = make(&o, &set, names[0]);
		trace_set_release(&set);
	}
	trace_store_release(&store);
	return rc ? rc : read;
}
