/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include <criterion/criterion.h>
#include <zlib.h>

#include "exporters/base/base64.h"
#include "exporters/base/json_read.h"
#include "exporters/ctl/report.h"
#include "exporters/ctl/text_index.h"
#include "tests/unit/ctl_helper.h"

static struct trace_store store;
static struct trace_set set;
static struct report report;
static struct buf out;
static uint32_t chosen[16];

static void start(void)
{
	struct buf spans;

	trace_store_init(&store);
	buf_init(&out);
	buf_init(&spans);
	add_span(&spans, 1, 1, 0, 0, 5000, "GET", "/menu", 200);
	add_span(&spans, 1, 2, 1, 10, 4000, "GET", "</script><!--", 500);
	add_span(&spans, 2, 3, 77, 300, 7, "GET", "/menu", 200);
	load_buf(&store, "app", &spans);
	buf_release(&spans);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	for (uint32_t i = 0; i < set.n; i++)
		chosen[i] = i;
	report = (struct report){ .set = &set, .chosen = chosen, .n = set.n, .title = SLICE("t<&\"'") };
}

static void stop(void)
{
	trace_set_release(&set);
	trace_store_release(&store);
	buf_release(&out);
}

TestSuite(report, .init = start, .fini = stop);

static bool has(const struct buf *text, const char *part)
{
	return memmem(text->p, text->n, part, strlen(part)) != NULL;
}

static void expect_json(const struct buf *text)
{
	struct json_reader r;

	json_init(&r, (struct slice){ text->p, text->n });
	cr_expect(json_skip(&r) && json_next(&r) == JSON_END, "column %zu: %s", json_column(&r), r.error);
	json_release(&r);
}

Test(report, the_data_has_a_number_a_span_in_every_column)
{
	cr_assert_eq(report_data(&out, &report), 0);
	expect_json(&out);
	cr_expect(has(&out, "\"base_ns\":\"1767225600000000000\""));
	cr_expect(has(&out, "\"spans\":[2,1],\n\"start\":[0,300000]"));
	cr_expect(has(&out, "\"parent\":[-1,0,-1]"), "%.*s", (int)out.n, out.p);
	cr_expect(has(&out, "\"start\":[0,10000,0]"));
	cr_expect(has(&out, "\"duration\":[5000000,4000000,7000]"));
	cr_expect(has(&out, "\"http\":[200,500,200]"));
	cr_expect(has(&out, "\"status\":[0,2,0]"));
	cr_expect(has(&out, "\"id\":\"000000000000000100000000000000020000000000000003\""));
	cr_expect(has(&out, "\"remote\":{\"2\":\"000000000000004d\"}"));
}

Test(report, equal_values_and_sets_of_keys_are_written_once)
{
	cr_assert_eq(report_data(&out, &report), 0);
	cr_expect(has(&out, "\"set\":[0,0,0]") || has(&out, "\"set\":[1,1,1]"), "%.*s", (int)out.n, out.p);
	cr_expect(has(&out, "\n\"values\":[\"app\",\"GET\",\"/menu\",200,"), "%.*s", (int)out.n, out.p);
}

Test(report, only_chosen_traces_are_in_it)
{
	chosen[0] = 1;
	report.n = 1;
	cr_assert_eq(report_data(&out, &report), 0);
	expect_json(&out);
	cr_expect(!has(&out, "</script>"));
	cr_expect(has(&out, "\"duration\":[7000]"));
	buf_clear(&out);
	report.n = 0;
	cr_assert_eq(report_data(&out, &report), 0);
	expect_json(&out);
}

Test(report, numbers_that_a_browser_cannot_hold_are_text)
{
	load_spans(&store, "app",
		   "{\"traceId\":\"00000000000000000000000000000009\",\"spanId\":\"0000000000000009\","
		   "\"attributes\":["
		   "{\"key\":\"a\",\"value\":{\"intValue\":\"9007199254740993\"}},"
		   "{\"key\":\"b\",\"value\":{\"intValue\":\"9007199254740992\"}},"
		   "{\"key\":\"c\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"-"
		   "9007199254740993\"}]}}},"
		   "{\"key\":\"d\",\"value\":{\"doubleValue\":\"NaN\"}}]}");
	trace_set_release(&set);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	chosen[2] = 2;
	report.n = 3;
	cr_assert_eq(report_data(&out, &report), 0);
	expect_json(&out);
	cr_expect(
		has(&out,
		    "{\"i\":\"9007199254740993\"},9007199254740992,[{\"i\":\"-9007199254740993\"}],\"NaN\""));
}

/* What the browser does: base64, gzip. */
static void unpack(struct slice text, struct buf *json)
{
	struct buf packed;
	z_stream z = { .zalloc = Z_NULL };

	buf_init(&packed);
	cr_assert(base64_decode(&packed, text));
	cr_assert(buf_reserve(json, 1 << 20));
	cr_assert_eq(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)packed.p;
	z.avail_in = (uInt)packed.n;
	z.next_out = (Bytef *)json->p;
	z.avail_out = 1 << 20;
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	cr_expect_eq(z.avail_in, 0);
	json->n = (1 << 20) - z.avail_out;
	inflateEnd(&z);
	buf_release(&packed);
}

Test(report, the_page_carries_the_data_where_nothing_in_it_can_be_markup)
{
	static const char open[] = "<script id=\"data\" type=\"application/octet-stream\">";
	struct buf plain, json;
	const char *from, *to;

	buf_init(&plain);
	buf_init(&json);
	cr_assert_eq(report_data(&plain, &report), 0);
	cr_assert_eq(report_page(&out, &report), 0);
	from = memmem(out.p, out.n, open, sizeof(open) - 1);
	cr_assert(from);
	from += sizeof(open) - 1;
	to = memchr(from, '<', out.n - (size_t)(from - out.p));
	unpack((struct slice){ from, (size_t)(to - from) }, &json);
	cr_expect(slice_equal((struct slice){ json.p, json.n }, (struct slice){ plain.p, plain.n }));
	buf_release(&plain);
	buf_release(&json);
}

static size_t count(const char *part)
{
	size_t n = 0;

	for (const char *p = out.p; (p = memmem(p, out.n - (size_t)(p - out.p), part, strlen(part))); p++)
		n++;
	return n;
}

Test(report, every_place_of_the_page_is_filled_and_no_script_ends_early)
{
	char nonce[2][33];
	const char *at;

	for (int i = 0; i < 2; i++) {
		buf_clear(&out);
		cr_assert_eq(report_page(&out, &report), 0);
		at = memmem(out.p, out.n, "'nonce-", 7);
		cr_assert(at);
		memcpy(nonce[i], at + 7, 32);
		nonce[i][32] = '\0';
		cr_expect_eq(count(nonce[i]), 4, "policy twice, style, script");
	}
	cr_expect_str_neq(nonce[0], nonce[1], "a nonce that can be guessed is none");
	cr_expect(has(&out, "<title>t&lt;&amp;&quot;&#39; "));
	cr_expect_eq(count("{{nonce}}") + count("{{title}}") + count("{{data}}") + count("{{style}}") +
			     count("{{script}}"),
		     0);
	cr_expect_eq(count("<script"), 2);
	cr_expect_eq(count("</script"), 2);
	cr_expect_eq(count("<style"), 1);
	cr_expect_eq(count("</style"), 1);
	cr_expect_eq(count("<!--"), 0);
	cr_expect_eq(count("http://") + count("https://"), 2, "the names of SVG and no address to load");
	cr_expect_eq(count("innerHTML") + count("outerHTML") + count("insertAdjacentHTML") +
			     count("document.write") + count("eval("),
		     0, "text is put in as text");
}

Test(report, texts_have_one_number_each)
{
	struct text_index index;
	char text[16];

	text_index_init(&index);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			int n = snprintf(text, sizeof(text), "text %u", i);

			cr_assert_eq(text_index_add(&index, (struct slice){ text, (size_t)n }), i);
		}
	}
	cr_expect_eq(index.n, 5000);
	cr_expect(slice_is(index.texts[17], "text 17"));
	cr_expect_eq(text_index_add(&index, SLICE("")), 5000);
	text_index_release(&index);
}
