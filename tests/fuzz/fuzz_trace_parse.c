/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off
 * FUZZ_SOURCES: exporters/base/json_read.c exporters/encode/json.c exporters/ctl/otlp_read.c exporters/ctl/otlp_value.c exporters/ctl/trace_parse.c exporters/ctl/trace_store.c exporters/ctl/trace_set.c exporters/ctl/span_facts.c exporters/ctl/view_json.c exporters/base/arena.c exporters/base/buf.c exporters/base/number.c exporters/base/utf8.c
 * FUZZ_LIBS: -lm
 * clang-format on */
#include <stdlib.h>

#include "exporters/ctl/trace_parse.h"
#include "exporters/ctl/trace_set.h"
#include "exporters/ctl/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is read must be shown as JSON which our own reader takes again, whatever stood in the file. */
static void show_and_read_again(const struct trace_store *store)
{
	struct json_reader r;
	struct trace_set set;
	struct buf out;

	if (trace_set_init(&set, store))
		return;
	if (set.n_nodes != store->n)
		abort();
	buf_init(&out);
	json_init(&r, (struct slice){ NULL, 0 });
	for (size_t i = 0; i < set.n; i++) {
		buf_clear(&out);
		view_trace_json(&out, &set, &set.traces[i]);
		json_restart(&r, (struct slice){ out.p, out.n });
		if (!json_skip(&r) || json_next(&r) != JSON_END)
			abort();
	}
	json_release(&r);
	buf_release(&out);
	trace_set_release(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct trace_store store;
	struct trace_parser parser;

	trace_store_init(&store);
	trace_parser_init(&parser, &store);
	if (trace_parse(&parser, (struct slice){ (const char *)data, n }))
		show_and_read_again(&store);
	else if (store.n || !parser.json.error)
		abort();
	trace_parser_release(&parser);
	trace_store_release(&store);
	return 0;
}
