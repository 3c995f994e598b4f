/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "exporters/ctl/expect.h"
#include "exporters/ctl/term.h"
#include "tests/unit/ctl_helper.h"

static struct trace_store store;
static struct trace_set set;
static struct expectation e;
static struct expect_result result;
static struct config_report report;
static struct buf out;

static void start(void)
{
	struct buf spans;

	trace_store_init(&store);
	expectation_init(&e);
	expect_result_init(&result);
	buf_init(&out);
	buf_init(&spans);
	add_span(&spans, 1, 1, 0, 0, 5000, "GET", "/menu", 200);
	add_span(&spans, 2, 2, 0, 100, 7000, "GET", "/menu", 200);
	add_span(&spans, 3, 3, 0, 200, 9000, "POST", "/orders", 500);
	load_buf(&store, "nginx", &spans);
	add_span(&spans, 1, 4, 1, 10, 4000, "GET", "/menu", 200);
	add_span(&spans, 3, 5, 3, 210, 8000, "POST", "/orders", 503);
	load_buf(&store, "app", &spans);
	buf_release(&spans);
	cr_assert_eq(trace_set_init(&set, &store), 0);
}

static void stop(void)
{
	trace_set_release(&set);
	trace_store_release(&store);
	expectation_release(&e);
	expect_result_release(&result);
	config_report_release(&report);
	buf_release(&out);
}

TestSuite(expect, .init = start, .fini = stop);

static void parse(const char *yaml)
{
	int rc = expectation_parse(&e, slice_of(yaml), "e.yml", &report);

	if (rc)
		config_report_text(&report, &out);
	cr_assert_eq(rc, 0, "%.*s", (int)out.n, out.p);
}

/* How many checks of the document fail. */
static size_t failures(const char *yaml)
{
	expectation_release(&e);
	expect_result_release(&result);
	parse(yaml);
	cr_assert_eq(expect_run(&e, &set, &result), 0);
	cr_assert(result.n > 0);
	return result.failed;
}

static void expect_error(const char *yaml, const char *wanted)
{
	struct buf text;

	expectation_release(&e);
	buf_init(&text);
	cr_expect_eq(expectation_parse(&e, slice_of(yaml), "e.yml", &report), -EINVAL, "%s", yaml);
	config_report_text(&report, &text);
	buf_add_byte(&text, '\0');
	cr_expect(strstr(text.p, wanted), "%s gave %s", yaml, text.p);
	buf_release(&text);
	config_report_release(&report);
}

Test(expect, counts_are_of_the_requests_that_fit)
{
	cr_expect_eq(failures("requests: 5\nerrors: 2\nspans: 5\ntraces: 3\nduplicates: 0\n200: 3\n5xx: "
			      "2\n404: 0\nnone: 0\n"),
		     0);
	cr_expect_eq(failures("requests: 4\nerrors: 1\nspans: 4\ntraces: 2\nduplicates: 1\n200: 2\n5xx: "
			      "1\n404: 1\nnone: 1\n"),
		     9);
	cr_expect_eq(failures("routes:\n  GET /menu: 3\n  /menu: 3\n  '* /m*': 3\n  POST *: {500: 1, 503: 1, "
			      "errors: 2}\n  GET /x: 0\n"),
		     0);
	cr_expect_eq(failures("services:\n  nginx: {requests: 3, routes: {GET /menu: 2}}\n  a*: {requests: "
			      "2, 5xx: 1}\n"),
		     0);
	cr_expect_eq(failures("services:\n  nginx: {routes: {GET /menu: 3}}\n"), 1);
	cr_expect_eq(failures("requests: \">= 5\"\nerrors: '<= 2'\nspans: 4..6\ntraces: '> 2'\nduplicates: "
			      "'< 1'\n"),
		     0);
	cr_expect_eq(failures("requests: \">= 6\"\nerrors: '<= 1'\nspans: 6..7\ntraces: '> 3'\n"), 4);
}

Test(expect, percentiles_are_limits)
{
	cr_expect_eq(failures("max: 9ms\np50: 7ms\nroutes: {GET /menu: {max: 7ms, p50: 5ms}}\nservices: "
			      "{app: {p99: 8ms}}\n"),
		     0);
	cr_expect_eq(failures("max: 8.9ms\np50: 6.9ms\nroutes: {GET /menu: {max: 6ms}}\nservices: {app: "
			      "{p99: 7ms}}\n"),
		     4);
	cr_expect_eq(failures("p50: 5ms..8ms\n"), 0);
	cr_expect_eq(failures("p50: 8ms..9ms\n"), 1);
}

Test(expect, a_limit_on_requests_that_are_not_there_fails)
{
	cr_expect_eq(failures("routes: {GET /nope: {p99: 1h}}\n"), 1);
	cr_expect(slice_is(result.findings[0].got, "no request"));
}

Test(expect, other_routes_are_those_which_no_row_counts)
{
	cr_expect_eq(failures("routes: {GET /menu: 3}\nother_routes: allow\n"), 0);
	cr_expect_eq(failures("routes: {GET /menu: 3}\nother_routes: forbid\n"), 1);
	cr_expect(slice_is(result.findings[1].got, "2"));
	cr_expect_eq(failures("routes: {GET /menu: 3, POST /orders: {500: 1}}\nother_routes: forbid\n"), 1,
		     "the row speaks of one status only");
	cr_expect_eq(
		failures("routes: {GET /menu: 3, POST /orders: {500: 1, 503: 1}}\nother_routes: forbid\n"),
		0);
}

#define SHAPE_MENU  "shapes:\n- count: 1\n  tree: |\n    nginx GET /menu 200\n      app GET /menu 200\n"
#define SHAPE_ALONE "- count: 1\n  tree: nginx GET /menu 200\n"
#define SHAPE_ORDER "- tree: |\n    nginx POST /orders 5*\n      ...\n"

Test(expect, shapes_count_traces)
{
	cr_expect_eq(failures(SHAPE_MENU SHAPE_ALONE SHAPE_ORDER "other_shapes: forbid\n"), 0);
	cr_expect_eq(failures(SHAPE_MENU SHAPE_ORDER "other_shapes: forbid\n"), 1);
	cr_expect_eq(
		failures(
			"shapes:\n- count: 2\n  tree: |\n    nginx GET /menu 200\n      app GET /menu 200\n"),
		1);
	cr_expect_eq(failures("shapes:\n- tree: nginx PUT /\n"), 1);
	cr_expect_eq(failures("shapes:\n- {tree: nginx PUT /, count: 0}\n"), 0);
}

Test(expect, a_missing_shape_is_shown_beside_the_nearest_one)
{
	cr_expect_eq(failures("shapes:\n- tree: |\n    nginx POST /orders 500\n      app POST /orders 200\n"),
		     1);
	cr_expect(slice_is(result.findings[0].detail, "nearest: trace 00000000000000000000000000000003\n"
						      "  nginx POST /orders 500\n"
						      "-   app POST /orders 200\n"
						      "+   app POST /orders 503\n"),
		  "%.*s", (int)result.findings[0].detail.n, result.findings[0].detail.p);
}

Test(expect, spans_written_twice_are_counted)
{
	struct buf spans;

	buf_init(&spans);
	add_span(&spans, 3, 3, 0, 200, 9000, "POST", "/orders", 500);
	load_buf(&store, "nginx", &spans);
	buf_release(&spans);
	trace_set_release(&set);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	cr_expect_eq(failures("duplicates: 0\n"), 1);
	cr_expect(slice_is(result.findings[0].got, "1"));
	cr_expect(slice_is(result.findings[0].detail,
			   "span 0000000000000003, trace 00000000000000000000000000000003\n"));
}

Test(expect, a_recorded_run_meets_itself_and_another_does_not)
{
	struct buf recorded, spans;

	buf_init(&recorded);
	buf_init(&spans);
	cr_assert_eq(expect_record(&recorded, &set), 0);
	buf_add_byte(&recorded, '\0');
	cr_expect_eq(failures(recorded.p), 0, "%s", recorded.p);
	add_span(&spans, 9, 9, 0, 300, 1, "GET", "/menu", 404);
	load_buf(&store, "nginx", &spans);
	trace_set_release(&set);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	cr_expect_eq(failures(recorded.p), 5, "requests, spans, traces, other routes, other shapes");
	buf_release(&spans);
	buf_release(&recorded);
}

Test(expect, names_with_stars_quotes_and_colons_are_recorded_so_that_they_mean_themselves)
{
	static const char *const routes[] = { "/*",       "/a\\\\*",     "/q\\\"'",
					      "/c: d #e", "/\\u001b\\n", "/\\u65e5\\ud83d\\ude80",
					      "- x" };
	struct buf recorded, spans;
	char long_route[3001];

	buf_init(&recorded);
	buf_init(&spans);
	memset(long_route, 'x', sizeof(long_route) - 1);
	long_route[sizeof(long_route) - 1] = '\0';
	for (unsigned i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		add_span(&spans, 20 + i, 20 + i, 0, 300, 1, "GET", routes[i], 200);
	add_span(&spans, 30, 30, 0, 300, 1, "*", long_route, 200);
	load_buf(&store, " *: x", &spans);
	trace_set_release(&set);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	cr_assert_eq(expect_record(&recorded, &set), 0);
	buf_add_byte(&recorded, '\0');
	cr_expect_eq(failures(recorded.p), 0, "%s", recorded.p);
	buf_release(&spans);
	buf_release(&recorded);
}

Test(expect, requests_without_method_route_or_sense_are_recorded_so_that_they_mean_themselves)
{
	struct buf recorded, spans;

	buf_init(&recorded);
	buf_init(&spans);
	add_span(&spans, 20, 20, 0, 300, 1, "", "/users/{id}", 200);
	add_span(&spans, 21, 21, 0, 300, 1, "GET it", " /x ", 7);
	add_span(&spans, 22, 22, 0, 300, 1, "/", "", 1000);
	add_span(&spans, 23, 23, 0, 300, 1, "é", "  ", 99);
	add_span(&spans, 22, 22, 0, 300, 1, "/", "", 1000);
	load_buf(&store, "  ", &spans);
	trace_set_release(&set);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	cr_assert_eq(expect_record(&recorded, &set), 0);
	buf_add_byte(&recorded, '\0');
	cr_expect_eq(failures(recorded.p), 0, "%s", recorded.p);
	cr_expect(strstr(recorded.p, "duplicates: 1\n"));
	buf_release(&spans);
	buf_release(&recorded);
}

Test(expect, mistakes_are_told_with_their_place)
{
	expect_error("requests: many\n", "e.yml:1:11: error: a number is wanted");
	expect_error("p99: 200\n", "e.yml:1:6: error: a duration is wanted");
	expect_error("\nrouts: {}\n", "e.yml:2:1: error: there is no key 'routs'");
	expect_error("routes: {GET /: {count: 1}}\n", "there is no key 'count'");
	expect_error("routes: [1]\n", "a mapping is wanted");
	expect_error("- 1\n", "an expectation is a mapping");
	expect_error("version: 2\n", "version 1");
	expect_error("other_routes: perhaps\n", "allow or forbid");
	expect_error("shapes: [{count: 1}]\n", "a shape wants a tree");
	expect_error("shapes: [{tree: ' '}]\n", "no line");
	expect_error("shapes: [{tree: a, counts: 1}]\n", "a tree and a count");
	expect_error("shapes: {}\n", "a list of shapes");
	expect_error("requests: 5..3\n", "a number is wanted");
	expect_error("requests: '< 0'\n", "a number is wanted");
	expect_error("requests: {a: 1}\n", "not a mapping");
	expect_error("error: 1\n", "there is no key 'error'");
	expect_error("a: [\n", "not YAML");
}

Test(expect, an_empty_document_expects_nothing)
{
	parse("");
	parse("# nothing\n");
	parse("routes:\nservices:\nshapes:\n");
	cr_expect_eq(e.n_checks + e.n_shapes, 0);
}

Test(expect, the_verdict_is_shown_with_what_there_is_instead)
{
	static const struct term term = { .utf8 = true, .width = 80 };

	cr_expect_eq(failures("requests: 5\nroutes: {GET /menu: 2}\n"), 1);
	expect_print(&out, &term, &result, false);
	cr_expect(slice_is((struct slice){ out.p, out.n },
			   "FAIL  requests of GET /menu: 3, wanted 2  e.yml:2\n"
			   "        app GET /menu 200: 1, trace 00000000000000000000000000000001\n"
			   "        nginx GET /menu 200: 2, trace 00000000000000000000000000000001\n"
			   "1 of 2 checks failed\n"),
		  "%.*s", (int)out.n, out.p);
	buf_clear(&out);
	cr_expect_eq(failures("requests: 5\n"), 0);
	expect_print(&out, &term, &result, true);
	cr_expect(slice_is((struct slice){ out.p, out.n }, "ok    requests: 5\nall 1 check passed\n"));
}

Test(expect, junit_is_xml_whatever_names_the_spans_have)
{
	struct expect_finding finding = { .name = SLICE("<&\">\x1b"),
					  .wanted = SLICE("1"),
					  .got = SLICE("]]>"),
					  .detail = SLICE("a\nb\xff") };

	expect_result_add(&result, &finding);
	expect_print_junit(&out, &result, "s<");
	cr_expect(slice_is((struct slice){ out.p, out.n },
			   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite tests=\"1\" "
			   "failures=\"1\" "
			   "errors=\"0\" skipped=\"0\" name=\"s&lt;\">\n<testcase classname=\"btrace\" "
			   "name=\"&lt;&amp;&quot;&gt;\ufffd\">\n<failure message=\"]]&gt;, wanted "
			   "1\">a\nb\ufffd</failure>\n"
			   "</testcase>\n</testsuite>\n</testsuites>\n"),
		  "%.*s", (int)out.n, out.p);
}

static int ledger(const char *text)
{
	char path[] = "/tmp/test_expect.XXXXXX";
	int fd = mkstemp(path), rc;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	expect_result_release(&result);
	rc = expect_ledger(path, &set, &result);
	unlink(path);
	return rc;
}

Test(expect, a_ledger_proves_that_every_request_has_its_span)
{
	cr_expect_eq(ledger("{\"requests\":9,\"taken\":5,\"sampled_out\":3,\"excluded\":1,\"dropped\":{"
			    "\"table_full\":0},"
			    "\"unbalanced\":0,\"exporters\":{\"file\":{\"sent\":5,\"failed\":0,\"spooled\":1}"
			    "},\"new\":[1]}"),
		     0);
	cr_expect_eq(result.n, 4);
	cr_expect_eq(result.failed, 0);
	cr_expect_eq(ledger("{\"requests\":9,\"sampled_out\":0,\"excluded\":0,\"dropped\":{\"table_full\":2,"
			    "\"invalid\":1},"
			    "\"unbalanced\":-1,\"exporters\":{\"file\":{\"sent\":5,\"failed\":4}}}"),
		     0);
	cr_expect_eq(result.failed, 4);
	cr_expect(slice_is(result.findings[1].detail, "table_full: 2\ninvalid: 1\nfile failed: 4\n"));
	cr_expect(ledger("{}") < 0);
	cr_expect(ledger("[1]") < 0);
	cr_expect(ledger("{\"requests\":9,\"sampled_out\":0,\"excluded\":0,\"unbalanced\":0,\"dropped\":3}") <
		  0);
}
