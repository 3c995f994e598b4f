/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/ctl/route_stats.h"
#include "tests/unit/ctl_helper.h"

static struct trace_store store;
static struct route_stats stats;
static struct buf spans;

static void start(void)
{
	trace_store_init(&store);
	route_stats_init(&stats);
	buf_init(&spans);
}

static void stop(void)
{
	route_stats_release(&stats);
	trace_store_release(&store);
	buf_release(&spans);
}

TestSuite(route_stats, .init = start, .fini = stop);

static void count(void)
{
	for (size_t i = 0; i < store.n; i++)
		cr_assert_eq(route_stats_add(&stats, &store.spans[i]), 0);
	route_stats_finish(&stats);
}

Test(route_stats, requests_are_counted_per_service_method_and_route)
{
	add_span(&spans, 1, 1, 0, 0, 10, "GET", "/a", 200);
	add_span(&spans, 2, 2, 0, 0, 30, "GET", "/a", 500);
	add_span(&spans, 3, 3, 0, 0, 20, "POST", "/a", 200);
	load_buf(&store, "one", &spans);
	add_span(&spans, 4, 4, 0, 0, 20, "GET", "/a", 200);
	load_buf(&store, "two", &spans);
	count();
	cr_assert_eq(stats.n, 3);
	cr_expect(slice_is(stats.rows[0].service, "one") && slice_is(stats.rows[0].method, "GET"));
	cr_expect_eq(stats.rows[0].requests, 2);
	cr_expect_eq(stats.rows[0].errors, 1);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 0.5), 10000);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 1), 30000);
	cr_expect(slice_is(stats.rows[1].service, "two"));
}

Test(route_stats, percentiles_are_those_of_the_nearest_rank)
{
	for (unsigned i = 1; i <= 200; i++)
		add_span(&spans, i, i, 0, 0, i, "GET", "/a", 200);
	load_buf(&store, "one", &spans);
	count();
	cr_expect_eq(route_row_percentile(&stats.rows[0], 0.5), 100000);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 0.95), 190000);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 0.99), 198000);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 0.991), 199000);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 0), 1000);
	cr_expect_eq(route_row_percentile(&stats.rows[0], 1), 200000);
}

Test(route_stats, thousands_of_routes_stay_apart)
{
	char route[32];

	for (unsigned i = 1; i <= 5000; i++) {
		snprintf(route, sizeof(route), "/r%u", i);
		add_span(&spans, i, i, 0, 0, i, "GET", route, 200);
	}
	load_buf(&store, "one", &spans);
	count();
	cr_expect_eq(stats.n, 5000);
}

Test(route_stats, only_spans_that_answer_requests_count)
{
	load_spans(&store, "one",
		   "{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000001\","
		   "\"kind\":3,"
		   "\"name\":\"GET\"}");
	count();
	cr_expect_eq(stats.n, 0);
}

static struct span_facts facts_of(const char *name, const char *attributes)
{
	struct buf out;

	buf_init(&out);
	buf_printf(&out,
		   "{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000001\","
		   "\"kind\":2,"
		   "\"name\":\"%s\",\"attributes\":[%s]}",
		   name, attributes);
	load_spans(&store, "one", out.p);
	buf_release(&out);
	return span_facts(&store.spans[store.n - 1]);
}
#define TEXT(key, text)       "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" text "\"}}"
#define EXPECT_SLICE(s, text) cr_expect(slice_is(s, text), "got '%.*s'", (int)(s).n, (s).p)

Test(route_stats, the_route_is_taken_from_the_best_source)
{
	EXPECT_SLICE(facts_of("x", TEXT("http.request.method", "GET") "," TEXT("http.route", "/r")).route,
		     "/r");
	EXPECT_SLICE(facts_of("GET /n", TEXT("http.request.method", "GET") "," TEXT("url.path", "/p")).route,
		     "/n");
	EXPECT_SLICE(facts_of("GET", TEXT("http.request.method", "GET") "," TEXT("url.path", "/p")).route,
		     "/p");
	EXPECT_SLICE(facts_of("GET", TEXT("http.method", "GET") "," TEXT("http.target", "/t?q=/x")).route,
		     "/t");
	EXPECT_SLICE(facts_of("job", "").route, "job");
}

Test(route_stats, a_full_url_gives_host_and_path)
{
	struct span_facts facts = facts_of(
		"GET", TEXT("http.request.method", "GET") "," TEXT("url.full", "http://h:8/p/q?x=//y#z"));

	EXPECT_SLICE(facts.host, "h:8");
	EXPECT_SLICE(facts.path, "/p/q");
	facts = facts_of("GET", TEXT("http.request.method", "GET") "," TEXT("url.full", "http://h"));
	EXPECT_SLICE(facts.host, "h");
	EXPECT_SLICE(facts.path, "");
	facts = facts_of("GET", TEXT("http.request.method", "GET") "," TEXT("url.full", "?"));
	EXPECT_SLICE(facts.path, "");
}

Test(route_stats, an_error_type_that_repeats_the_status_says_nothing)
{
	EXPECT_SLICE(
		facts_of("x",
			 "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"503\"}}," TEXT(
				 "error.type", "503"))
			.error_type,
		"");
	EXPECT_SLICE(facts_of("x", TEXT("error.type", "process_died")).error_type, "process_died");
}
