/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/ctl/top.h"

static struct live_route routes[2][3];
static struct attached session;

/* `n` requests of so long, `errors` of them failed. */
static void add(struct live_route *r, unsigned n, uint64_t ns, unsigned errors)
{
	r->requests += n;
	r->errors += errors;
	r->bucket[live_bucket(ns)] += n;
}

static void begin(void)
{
	memset(routes, 0, sizeof(routes));
	for (int i = 0; i < 2; i++)
		for (int k = 1; k < 3; k++) {
			snprintf(routes[i][k].service, sizeof(routes[i][k].service), "shop");
			snprintf(routes[i][k].name, sizeof(routes[i][k].name), "GET /%c", 'a' + k - 1);
		}
}

TestSuite(top_view, .init = begin);

static bool near(uint64_t ns, double wanted)
{
	return (double)ns > wanted * 0.96 && (double)ns < wanted * 1.04;
}

Test(top_view, since_the_beginning_all_is_counted)
{
	struct top_sample now = {
		.mono_ns = 9000000000, .requests = 103, .n_routes = 3, .routes = routes[1]
	};
	struct top_view v;

	add(&routes[1][1], 90, 1000000, 0);
	add(&routes[1][1], 9, 50000000, 2);
	add(&routes[1][1], 1, 2000000000, 1);
	cr_assert_eq(top_view_init(&v, NULL, NULL, &now), 0);
	cr_assert_eq(v.n_routes, 1, "a route without requests is not shown");
	cr_expect(v.routes[0].total == 100 && v.routes[0].requests == 100 && v.routes[0].errors == 3);
	cr_expect(near(v.routes[0].p50_ns, 1e6) && near(v.routes[0].p95_ns, 50e6) &&
		  near(v.routes[0].p99_ns, 50e6));
	cr_expect(v.requests == 103 && v.per_second == 0);
	top_view_release(&v);
}

Test(top_view, between_two_looks_only_what_came_between)
{
	struct top_sample before = {
		.mono_ns = 1000000000, .requests = 50, .n_routes = 2, .routes = routes[0]
	};
	struct top_sample now = { .mono_ns = 3000000000, .requests = 70, .n_routes = 3, .routes = routes[1] };
	struct top_view v;

	add(&routes[0][1], 50, 1000000, 5);
	add(&routes[1][1], 50, 1000000, 5);
	add(&routes[1][1], 4, 20000000, 1);
	add(&routes[1][2], 16, 300000, 0);
	cr_assert_eq(top_view_init(&v, &before, &before, &now), 0);
	cr_assert_eq(v.n_routes, 2);
	cr_expect(slice_is(v.routes[0].name, "GET /b") && v.routes[0].requests == 16 &&
		  v.routes[0].per_second == 8);
	cr_expect(v.routes[1].total == 54 && v.routes[1].requests == 4 && v.routes[1].errors == 1);
	cr_expect(near(v.routes[1].p50_ns, 20e6) && v.per_second == 10 && v.window_s == 2);
	top_view_release(&v);
}

Test(top_view, counters_that_make_no_sense_do_no_harm)
{
	struct top_sample before = { .mono_ns = 5, .requests = 9, .n_routes = 3, .routes = routes[0] };
	struct top_sample now = { .mono_ns = 4, .requests = 2, .n_routes = 3, .routes = routes[1] };
	static const struct term term = { .utf8 = true, .width = 80 };
	struct top_view v;
	struct buf out;

	session.session.control = calloc(1, sizeof(*session.session.control));
	srand(1);
	for (int round = 0; round < 200; round++) {
		uint8_t *p = (uint8_t *)routes;

		for (size_t i = 0; i < sizeof(routes); i++)
			p[i] = (uint8_t)(rand() >> 8);
		for (int i = 0; i < 6; i++) /* as attach_read() leaves them */
			routes[i / 3][i % 3].service[63] = routes[i / 3][i % 3].name[127] = '\0';
		cr_assert_eq(top_view_init(&v, &before, &before, &now), 0);
		v.session = &session;
		v.open = calloc(1, sizeof(*v.open));
		v.n_open = 1;
		memset(v.open, rand() & 255, sizeof(*v.open));
		v.open->service[127] = '\0';
		buf_init(&out);
		top_print(&out, &term, &v, (unsigned)rand() % 30);
		top_json(&out, &v);
		cr_assert(!memchr(out.p, '\x1b', out.n), "what comes from a session moves no cursor");
		buf_release(&out);
		top_view_release(&v);
	}
	free(session.session.control);
}

Test(top_view, the_query_of_a_request_in_flight_is_not_shown)
{
	static const char target[] = "/pay?card=4711";
	struct span_slot slot = { .head = { .method = SPAN_METHOD_POST } };
	uint16_t head[2] = { TAG_TARGET, sizeof(target) - 1 };

	memcpy(slot.tail, head, sizeof(head));
	memcpy(slot.tail + sizeof(head), target, sizeof(target) - 1);
	slot.head.tail_bytes = sizeof(head) + sizeof(target) - 1;
	cr_expect(slice_is(top_path(&slot), "/pay"));
	cr_expect(slice_is(top_method(&slot), "POST"));
}
