/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/ctl/request_list.h"
#include "exporters/ctl/shape.h"
#include "tests/unit/ctl_helper.h"

static struct arena arena;
static struct trace_store store;
static struct trace_set set;
static struct buf spans;

static void start(void)
{
	arena_init(&arena);
	trace_store_init(&store);
	buf_init(&spans);
}

static void stop(void)
{
	arena_release(&arena);
	trace_set_release(&set);
	trace_store_release(&store);
	buf_release(&spans);
}

TestSuite(shape, .init = start, .fini = stop);

static struct shape parse(const char *text)
{
	struct shape shape;
	const char *error = shape_parse(&shape, &arena, slice_of(text));

	cr_assert_null(error, "%s: %s", text, error);
	return shape;
}

static bool matches(const char *pattern, const char *text)
{
	struct shape p = parse(pattern), s = parse(text);

	return shape_matches(&p, &s);
}

static const char *error_of(const char *text)
{
	struct shape shape;

	return shape_parse(&shape, &arena, slice_of(text));
}

Test(shape, lines_are_read_with_their_depth_whatever_the_indent)
{
	struct shape shape = parse("a\n    b\n      c\n    d\n\ne\n  f  \n");
	static const uint32_t depths[] = { 0, 1, 2, 1, 0, 1 }, nexts[] = { 4, 3, 3, 4, 6, 6 };

	cr_assert_eq(shape.n, 6);
	for (size_t i = 0; i < 6; i++) {
		cr_expect_eq(shape.lines[i].depth, depths[i], "line %zu", i);
		cr_expect_eq(shape.lines[i].next, nexts[i], "line %zu", i);
	}
	cr_expect(slice_is(shape.lines[5].text, "f"));
}

Test(shape, a_tree_that_is_none_is_refused)
{
	cr_expect_not_null(error_of(""));
	cr_expect_not_null(error_of("\n \n"));
	cr_expect_not_null(error_of("  a\n"));
	cr_expect_not_null(error_of("a\n    b\n  c\n"));
	cr_expect_not_null(error_of("a\n\tb\n"));
}

Test(shape, a_tree_may_be_deep_but_not_without_end)
{
	struct buf text;

	buf_init(&text);
	for (int i = 0; i < SHAPE_DEPTH; i++)
		buf_printf(&text, "%*sx\n", i, "");
	cr_expect_null(error_of(text.p));
	buf_printf(&text, "%*sx\n", SHAPE_DEPTH, "");
	cr_expect_not_null(error_of(text.p));
	buf_release(&text);
}

Test(shape, siblings_match_in_any_order)
{
	cr_expect(matches("a\n  b\n  c\n", "a\n  c\n  b\n"));
	cr_expect(!matches("a\n  b\n  c\n", "a\n  b\n"));
	cr_expect(!matches("a\n  b\n", "a\n  b\n  b\n"));
	cr_expect(!matches("a\n  b\n    c\n", "a\n  b\n  c\n"));
	cr_expect(matches("a\nb\n", "b\na\n"));
}

Test(shape, a_wide_pattern_does_not_take_the_child_that_a_narrow_one_needs)
{
	cr_expect(matches("a\n  *\n  b\n", "a\n  b\n  c\n"));
	cr_expect(matches("a\n  b*\n  bb*\n  bbb\n", "a\n  bbb\n  b\n  bb\n"));
	cr_expect(!matches("a\n  bbb\n  bbb\n  *\n", "a\n  bbb\n  b\n  bb\n"));
}

Test(shape, dots_allow_further_children_there_and_nowhere_else)
{
	cr_expect(matches("a\n  b\n  ...\n", "a\n  x\n    y\n  b\n"));
	cr_expect(matches("a\n  ...\n", "a\n"));
	cr_expect(!matches("a\n  b\n  ...\n", "a\n  x\n"));
	cr_expect(!matches("a\n  b\n  ...\n", "a\n  b\n    y\n"));
}

Test(shape, a_diff_shows_both_sides)
{
	struct shape pattern = parse("a\n  b\n  c *\n"), shape = parse("a\n  c 200\n  d\n");
	struct buf out;

	buf_init(&out);
	shape_diff(&out, &pattern, &shape);
	cr_expect(slice_is((struct slice){ out.p, out.n }, "  a\n-   b\n    c 200\n+   d\n"), "%.*s",
		  (int)out.n, out.p);
	cr_expect_eq(shape_common(&pattern, &shape), 2);
	buf_release(&out);
}

static struct slice only_shape(void)
{
	load_buf(&store, "app", &spans);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	return shape_of(&set, &set.traces[0], &arena);
}

Test(shape, a_trace_gives_sorted_lines)
{
	struct slice shape;

	add_span(&spans, 1, 1, 0, 0, 100, "GET", "/", 200);
	add_span(&spans, 1, 2, 1, 10, 10, "GET", "/z", 200);
	add_span(&spans, 1, 3, 1, 20, 10, "GET", "/b", 503);
	add_span(&spans, 1, 4, 2, 11, 5, "GET", "/users/42/x", 404);
	shape = only_shape();
	cr_expect(
		slice_is(shape,
			 "app GET / 200\n  app GET /b 503\n  app GET /z 200\n    app GET /users/42/x 404\n"),
		"%.*s", (int)shape.n, shape.p);
}

Test(shape, a_trace_too_deep_has_a_remark_for_a_shape)
{
	struct slice shape;

	for (unsigned i = 0; i < SHAPE_DEPTH + 1; i++)
		add_span(&spans, 1, i + 1, i, i, 1, "GET", "/", 200);
	shape = only_shape();
	cr_expect_eq(shape.p[0], '(');
}

static void expect_line(const char *fields, const char *wanted)
{
	struct buf span, out;

	buf_init(&span);
	buf_init(&out);
	buf_printf(&span,
		   "{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000001\",%s}",
		   fields);
	load_spans(&store, "app", span.p);
	span_line(&out, &store.spans[store.n - 1]);
	cr_expect(slice_is((struct slice){ out.p, out.n }, wanted), "got '%.*s', wanted '%s'", (int)out.n,
		  out.p, wanted);
	buf_release(&out);
	buf_release(&span);
}
#define TEXT(key, text) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" text "\"}}"
#define STATUS(n)       "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"" n "\"}}"

Test(shape, a_line_has_what_does_not_change_from_run_to_run)
{
	expect_line(
		"\"kind\":2,\"name\":\"GET\",\"attributes\":[" TEXT("http.request.method", "GET") "," TEXT(
			"url.path", "/u/42/7b1f2a60-1111-2222-3333-0123456789ab/"
				    "deadbeefdeadbeef0/feed/x1") "," STATUS("200") "]",
		"app GET /u/{id}/{id}/{id}/feed/x1 200");
	expect_line("\"kind\":2,\"name\":\"GET /r\",\"attributes\":[" TEXT(
			    "http.request.method", "GET") "," TEXT("http.route", "/42") "]",
		    "app GET /42");
	expect_line(
		"\"kind\":3,\"name\":\"GET\",\"attributes\":[" TEXT("http.request.method", "GET") "," TEXT(
			"server.address", "db") "," TEXT("url.full",
							 "http://db:4711/x") "," STATUS("200") "]",
		"app -> GET db 200");
	expect_line("\"kind\":1,\"name\":\"render\",\"status\":{\"code\":2}", "app render ERROR");
	expect_line("\"kind\":2,\"name\":\"GET\",\"status\":{\"code\":2},\"attributes\":[" TEXT(
			    "http.request.method",
			    "GET") "," TEXT("http.route", "/") "," TEXT("error.type", "process_died") "]",
		    "app GET / process_died");
	expect_line("\"kind\":1,\"name\":\"a\\nb\\u001b[31m\"", "app a\\nb\\e[31m");
	expect_line("\"kind\":1,\"name\":\"\"", "app (no name)");
}
