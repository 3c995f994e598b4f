/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off
 * FUZZ_SOURCES: exporters/ctl/expect.c exporters/ctl/expect_load.c exporters/ctl/expect_run.c exporters/ctl/expect_shapes.c exporters/ctl/expect_print.c exporters/ctl/expect_record.c exporters/ctl/shape.c exporters/ctl/shape_diff.c exporters/ctl/request_list.c exporters/ctl/harmless.c exporters/ctl/units.c exporters/ctl/term.c exporters/base/json_read.c exporters/encode/json.c exporters/ctl/otlp_read.c exporters/ctl/otlp_value.c exporters/ctl/trace_parse.c exporters/ctl/trace_store.c exporters/ctl/trace_set.c exporters/ctl/span_facts.c exporters/config/node.c exporters/config/yaml.c exporters/config/report.c exporters/route/shape.c exporters/route/shape_file.c exporters/route/shape_id.c exporters/route/words.c exporters/base/arena.c exporters/base/buf.c exporters/base/number.c exporters/base/utf8.c
 * FUZZ_LIBS: -lm -lyaml
 * clang-format on */
#include <stdlib.h>

#include "exporters/ctl/expect.h"
#include "exporters/ctl/term.h"
#include "exporters/ctl/trace_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Whatever the names of a run are, what is recorded from it can be read, and the run meets it. */
static void record_and_judge(const struct trace_set *set)
{
	static const struct term term = { .utf8 = true, .width = 80 };
	struct config_report report = CONFIG_REPORT_INIT;
	struct expect_result result;
	struct expectation e;
	struct buf text;

	expectation_init(&e);
	expect_result_init(&result);
	buf_init(&text);
	if (expect_record(&text, set) ||
	    expectation_parse(&e, (struct slice){ text.p, text.n }, "recorded", &report))
		abort();
	if (expect_run(&e, set, &result) || result.failed || !result.n)
		abort();
	expect_print(&text, &term, &result, true);
	expect_print_junit(&text, &result, "fuzz");
	expect_print_json(&text, &result);
	buf_release(&text);
	config_report_release(&report);
	expect_result_release(&result);
	expectation_release(&e);
}

/* An expectation of the fuzzer's own, held against an empty run. */
static void parse_and_judge(struct slice yaml, const struct trace_set *set)
{
	struct config_report report = CONFIG_REPORT_INIT;
	struct expect_result result;
	struct expectation e;

	expectation_init(&e);
	expect_result_init(&result);
	if (expectation_parse(&e, yaml, "fuzz", &report) == 0 && expect_run(&e, set, &result))
		abort();
	config_report_release(&report);
	expect_result_release(&result);
	expectation_release(&e);
}

/* The first line is a request of traces if it can be read as one; the rest is an expectation. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *newline = memchr(data, '\n', n);
	size_t line = newline ? (size_t)(newline - data) : n, rest = newline ? line + 1 : n;
	struct trace_store store;
	struct trace_parser parser;
	struct trace_set set;

	trace_store_init(&store);
	trace_parser_init(&parser, &store);
	trace_parse(&parser, (struct slice){ (const char *)data, line });
	if (!trace_set_init(&set, &store)) {
		if (store.n)
			record_and_judge(&set);
		parse_and_judge((struct slice){ (const char *)data + rest, n - rest }, &set);
		trace_set_release(&set);
	}
	trace_parser_release(&parser);
	trace_store_release(&store);
	return 0;
}
