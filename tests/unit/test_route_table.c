/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct route_table *compile(const char *const *routes, size_t n)
{
	struct route_table_error error;
	struct route_table *table = NULL;

	cr_assert_eq(route_table_compile(routes, n, &table, &error), 0, "%s", error.text);
	return table;
}

static void expect(const struct route_table *table, const char *path, const char *route)
{
	struct slice found = route_table_match(table, slice_of(path));

	cr_expect(slice_is(found, route), "%s: \"%.*s\", not \"%s\"", path, (int)found.n,
		  found.p ? found.p : "", route);
}

Test(route_table, the_most_specific_route_wins)
{
	static const char *const routes[] = {
		"/*",
		"/users/{id}",
		"/users/me",
		"/users/{id}/orders",
		"/users/me/{what}",
		"/static/*",
		"/static/{file}",
		"/v{n}/x",
		"/v{n}.{m}/x",
		"/",
		"/a/*/c",
		"/files/{name}.json",
		"/files/report-{name}.json",
	};
	struct route_table *t = compile(routes, COUNT(routes));

	expect(t, "/users/42", "/users/{id}");
	expect(t, "/users/me", "/users/me");
	expect(t, "/users/me/orders", "/users/me/{what}");
	expect(t, "/users/7/orders", "/users/{id}/orders");
	expect(t, "/static/a/b", "/static/*");
	expect(t, "/static/a", "/static/{file}");
	expect(t, "/static", "/static/*");
	expect(t, "/v2/x", "/v{n}/x");
	expect(t, "/v2.1/x", "/v{n}/x");
	expect(t, "/a/b/c", "/a/*/c");
	expect(t, "/files/a.json", "/files/{name}.json");
	expect(t, "/files/report-1.json", "/files/report-{name}.json");
	expect(t, "/files/.json", "/*");
	expect(t, "/a/b/d", "/*");
	expect(t, "/", "/");
	expect(t, "//users///42/?x=1", "/users/{id}");
	expect(t, "/users/42#x", "/users/{id}");
	route_table_free(t);
}

Test(route_table, a_better_beginning_that_leads_nowhere_is_left_again)
{
	static const char *const routes[] = { "/users/me/a", "/users/{id}/b", "/{x}/me/c", "/{x}/{y}/{z}" };
	struct route_table *t = compile(routes, COUNT(routes));

	expect(t, "/users/me/a", "/users/me/a");
	expect(t, "/users/me/b", "/users/{id}/b");
	expect(t, "/users/me/c", "/{x}/me/c");
	expect(t, "/users/me/d", "/{x}/{y}/{z}");
	expect(t, "/users/me", "");
	expect(t, "/", "");
	expect(t, "", "");
	route_table_free(t);
}

Test(route_table, the_spellings_of_frameworks_are_understood)
{
	static const char *const routes[] = {
		"/express/:id",        "/express2/:rest*",         "/flask/<int:id>",
		"/flask2/<path:rest>", "/gorilla/{id:[0-9]{3}}/x", "/fast/{rest:path}",
		"/spring/{*rest}",     "/ktor/{rest...}",          "/mux/{p:[^/]+}/y",
		"/caf%C3%A9",          "/go/{name}-{ver}.gz",
	};
	struct route_table *t = compile(routes, COUNT(routes));

	expect(t, "/express/1", "/express/:id");
	expect(t, "/express2/1/2/3", "/express2/:rest*");
	expect(t, "/flask/1", "/flask/<int:id>");
	expect(t, "/flask/1/2", "");
	expect(t, "/flask2/1/2", "/flask2/<path:rest>");
	expect(t, "/gorilla/1/x", "/gorilla/{id:[0-9]{3}}/x");
	expect(t, "/fast/1/2", "/fast/{rest:path}");
	expect(t, "/spring/1/2", "/spring/{*rest}");
	expect(t, "/ktor/1/2", "/ktor/{rest...}");
	expect(t, "/mux/1/y", "/mux/{p:[^/]+}/y");
	expect(t, "/caf\303\251", "/caf%C3%A9");
	expect(t, "/c%61f%c3%a9", "/caf%C3%A9");
	expect(t, "/go/a-1.gz", "/go/{name}-{ver}.gz");
	route_table_free(t);
}

Test(route_table, bad_routes_are_named_with_their_place)
{
	static const struct {
		const char *route;
		size_t offset;
	} rows[] = { { "users", 0 }, { "", 0 },       { "/a/{id", 3 }, { "/a/<id", 3 },
		     { "/**/b", 1 }, { "/a/b*c", 3 }, { "/a/{}", 3 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const two[] = { "/fine", rows[i].route };
		struct route_table_error error;
		struct route_table *table = NULL;

		cr_expect_eq(route_table_compile(two, 2, &table, &error), -EINVAL, "%s", two[1]);
		cr_expect_eq(error.route, 1);
		cr_expect_eq(error.offset, rows[i].offset, "%s: %zu", two[1], error.offset);
		cr_expect_null(table);
	}
}

Test(route_table, ten_thousand_routes)
{
	static char text[10000][40];
	static const char *routes[10000];
	struct route_table *t;

	for (size_t i = 0; i < COUNT(text); i++) {
		snprintf(text[i], sizeof(text[i]), "/svc%zu/things/{id}/part%zu", i / 10, i % 10);
		routes[i] = text[i];
	}
	t = compile(routes, COUNT(routes));
	for (size_t i = 0; i < COUNT(text); i += 37) {
		char path[64];

		snprintf(path, sizeof(path), "/svc%zu/things/x/part%zu", i / 10, i % 10);
		expect(t, path, text[i]);
	}
	expect(t, "/svc1000/things/x/part1", "");
	route_table_free(t);
}

Test(route_table, a_table_made_to_lead_astray_ends_soon)
{
	/* at each of 12 segments both "a" and a placeholder, and no route that fits the end */
	static char text[4096][64];
	static const char *routes[4096];
	struct route_table *t;

	for (unsigned i = 0; i < COUNT(text); i++) {
		size_t n = 0;

		for (unsigned bit = 0; bit < 12; bit++)
			n += (size_t)snprintf(text[i] + n, sizeof(text[i]) - n, i >> bit & 1 ? "/a" : "/{b}");
		snprintf(text[i] + n, sizeof(text[i]) - n, "/end");
		routes[i] = text[i];
	}
	t = compile(routes, COUNT(routes));
	expect(t, "/a/a/a/a/a/a/a/a/a/a/a/a/end", text[4095]);
	for (unsigned i = 0; i < 1000; i++)
		expect(t, "/a/a/a/a/a/a/a/a/a/a/a/a/other", "");
	route_table_free(t);
}

Test(route_table, deep_and_long_paths_have_only_the_rest)
{
	static const char *const routes[] = { "/a/*", "/{x}" };
	struct route_table *t = compile(routes, COUNT(routes));
	static char path[20000];

	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "/a", 3);
	expect(t, path, "/a/*");
	memset(path, 'b', sizeof(path) - 1);
	path[0] = '/';
	expect(t, path, "");
	route_table_free(t);
}
