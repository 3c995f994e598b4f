/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/route.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct route_set *new_set(enum route_mode mode, uint32_t max)
{
	struct route_options options = { .mode = mode, .max_routes = max };
	struct route_set *set = route_new(&options);

	cr_assert_not_null(set);
	return set;
}

static struct slice name(struct route_set *set, const char *path, unsigned status)
{
	static char out[ROUTE_BYTES_MAX];

	return route_name(set, slice_of(path), status, ROUTE_METHOD_COMMON, out, sizeof(out));
}

static void expect(struct route_set *set, const char *path, unsigned status, const char *route)
{
	struct slice found = name(set, path, status);

	cr_expect(slice_is(found, route), "%s: \"%.*s\", not \"%s\"", path, (int)found.n,
		  found.p ? found.p : "", route);
}

Test(route, looks_decide_at_the_first_request)
{
	static const char *const rows[][2] = {
		{ "/", "/" },
		{ "/index.html", "/index.html" },
		{ "/summarize", "/summarize" },
		{ "/frobnicate", "/frobnicate" },
		{ "/users/42", "/users/{id}" },
		{ "/users/alice", "/users/{id}" },
		{ "/users/me", "/users/me" },
		{ "/users/42/orders/", "/users/{id}/orders" },
		{ "//api//v1//users?x=1", "/api/v1/users" },
		{ "/api/v2/users/0f8fad5b-d9cb-469f-a165-70867728950e", "/api/v2/users/{id}" },
		{ "/rest/api/2/issue/PROJ-123", "/rest/api/2/issue/{id}" },
		{ "/apis/networking.k8s.io/v1/ingresses", "/apis/networking.k8s.io/v1/ingresses" },
		{ "/helloworld.Greeter/SayHello", "/helloworld.Greeter/SayHello" },
		{ "/static/js/main.4f3e2a1b.js", "/static/js/main.{hash}.js" },
		{ "/.well-known/openid-configuration", "/.well-known/openid-configuration" },
	};
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 0);

	for (size_t i = 0; i < COUNT(rows); i++)
		expect(set, rows[i][0], 200, rows[i][1]);
	route_free(set);
}

Test(route, only_success_makes_a_route)
{
	static const unsigned not_success[] = {
		0, 100, 301, 302, 400, 401, 403, 404, 405, 429, 500, 503, 999
	};
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 0);
	char out[ROUTE_BYTES_MAX];

	for (size_t i = 0; i < COUNT(not_success); i++)
		expect(set, "/wp-login.php", not_success[i], "");
	cr_expect_eq(route_count(set), 0);
	cr_expect_eq(route_name(set, SLICE("/users/1"), 204, ROUTE_METHOD_ASIDE, out, sizeof(out)).n, 0);
	expect(set, "/users/1", 200, "/users/{id}");
	expect(set, "/users/2", 404, "/users/{id}");
	expect(set, "/users/2", 500, "/users/{id}");
	expect(set, "/users/2/x", 404, "");
	cr_expect_eq(route_count(set), 1);
	route_free(set);
}

Test(route, many_names_seldom_are_ids)
{
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 0);
	static const char *const cities[] = { "london", "paris",  "berlin", "tokyo",
					      "madrid", "vienna", "oslo",   "lisbon" };

	expect(set, "/weather/london", 200, "");
	for (size_t i = 0; i < COUNT(cities); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/weather/%s", cities[i]);
		name(set, path, 200);
	}
	expect(set, "/weather/london", 200, "/weather/{id}");
	expect(set, "/weather/rome", 200, "/weather/{id}");
	expect(set, "/weather/nowhere", 404, "/weather/{id}");
	route_free(set);
}

Test(route, few_names_again_and_again_are_words)
{
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 0);

	for (int i = 0; i < 40; i++)
		name(set, i % 2 ? "/search/foo" : "/search/bar", 200);
	expect(set, "/search/foo", 200, "/search/foo");
	expect(set, "/search/bar", 200, "/search/bar");
	expect(set, "/search/baz", 200, "");
	route_free(set);
}

Test(route, failed_requests_teach_nothing_about_names)
{
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 0);
	char path[64];

	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/weather/%c%c%c", 'a' + i % 26, 'o', 'a' + i / 26 % 26);
		expect(set, path, 404, "");
	}
	expect(set, "/weather/london", 200, "");
	route_free(set);
}

/* Whatever the traffic: a path that has a route keeps it. */
Test(route, a_route_given_out_stays)
{
	static const char *const words[] = { "users", "orders", "frob",   "x",    "torvalds", "linux",
					     "42",    "me",     "_find",  "docs", "v1",       "a-b",
					     "web.1", "zeta9",  "issues", "theta" };
	static struct {
		char path[64], route[64];
	} given[4096];
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 100);
	uint32_t seed = 3;
	size_t named = 0;

	for (int i = 0; i < 60000; i++) {
		char path[64];
		size_t key = 0, n = 0;

		seed = seed * 1664525 + 1013904223;
		for (unsigned k = 0; k <= (seed >> 28) % 3; k++) {
			unsigned w = seed >> (8 + 4 * k) & 15;

			key = key * 16 + w;
			n += (size_t)snprintf(path + n, sizeof(path) - n, "/%s", words[w]);
		}
		struct slice route = name(set, path, seed & 0x40 ? 200 : 404);

		if (given[key].route[0] && strcmp(given[key].path, path) == 0) {
			cr_assert(slice_is(route, given[key].route), "%s was %s, is %.*s", path,
				  given[key].route, (int)route.n, route.n ? route.p : "");
		} else if (route.n) {
			named++;
			snprintf(given[key].path, sizeof(given[key].path), "%s", path);
			snprintf(given[key].route, sizeof(given[key].route), "%.*s", (int)route.n, route.p);
		}
	}
	cr_expect_gt(named, 100);
	cr_expect_leq(route_count(set), 100);
	route_free(set);
}

Test(route, the_bound_holds_and_what_was_given_out_stays)
{
	struct route_set *set = new_set(ROUTE_MODE_TYPED, 10);
	char path[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/page%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
		struct slice route = name(set, path, 200);

		cr_expect_eq(route.n > 0, i < 10, "%d", i);
	}
	cr_expect_eq(route_count(set), 10);
	expect(set, "/pageaaa", 200, "/pageaaa");
	expect(set, "/page/overflow", 200, "");
	route_free(set);
}

Test(route, typed_takes_names_for_words)
{
	struct route_set *set = new_set(ROUTE_MODE_TYPED, 0);

	expect(set, "/weather/london", 200, "/weather/london");
	expect(set, "/users/alice", 200, "/users/alice");
	expect(set, "/users/7/x", 200, "/users/{id}/x");
	route_free(set);
}

Test(route, configured_routes_win_in_every_mode)
{
	static const char *const routes[] = { "/users/:who", "/static/*" };
	struct route_table_error error;
	struct route_table *table;
	char out[ROUTE_BYTES_MAX];

	cr_assert_eq(route_table_compile(routes, COUNT(routes), &table, &error), 0);
	for (int mode = ROUTE_MODE_LEARNED; mode <= ROUTE_MODE_OFF; mode++) {
		struct route_options options = { .mode = mode, .table = table };
		struct route_set *set = route_new(&options);

		expect(set, "/users/42", 404, "/users/:who");
		expect(set, "/static/a/b.js", 200, "/static/*");
		expect(set, "/orders/42", 200, mode == ROUTE_MODE_OFF ? "" : "/orders/{id}");
		cr_expect_eq(route_name(set, SLICE("*"), 200, ROUTE_METHOD_ASIDE, out, sizeof(out)).n, 0);
		route_free(set);
	}
	route_table_free(table);
}

Test(route, what_does_not_fit_has_no_route)
{
	struct route_set *set = new_set(ROUTE_MODE_LEARNED, 0);
	static char path[4096];
	char small[8];

	expect(set, "/users/42", 200, "/users/{id}");
	cr_expect_eq(route_name(set, SLICE("/users/42"), 200, ROUTE_METHOD_COMMON, small, sizeof(small)).n,
		     0);
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "/a", 3);
	expect(set, path, 200, "");
	expect(set, "", 200, "");
	expect(set, "example.com:443", 200, "");
	route_free(set);
}

Test(route, methods_that_ask_and_those_that_stand_aside)
{
	cr_expect_eq(route_method_of(SLICE("GET")), ROUTE_METHOD_COMMON);
	cr_expect_eq(route_method_of(SLICE("QUERY")), ROUTE_METHOD_COMMON);
	cr_expect_eq(route_method_of(SLICE("OPTIONS")), ROUTE_METHOD_ASIDE);
	cr_expect_eq(route_method_of(SLICE("get")), ROUTE_METHOD_ASIDE);
	cr_expect_eq(route_method_of(SLICE("")), ROUTE_METHOD_ASIDE);
}
