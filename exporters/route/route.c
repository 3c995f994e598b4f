/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/route.h"

#include <stdlib.h>

#include "exporters/route/infer.h"
#include "exporters/route/path.h"
#include "exporters/route/recent.h"

struct route_set {
	enum route_mode mode;
	const struct route_table *table;
	struct infer infer;
	struct recent recent; /* inferred ones */
};

struct route_set *route_new(const struct route_options *options)
{
	struct route_set *set = calloc(1, sizeof(*set));
	uint32_t max = options->max_routes ? options->max_routes : ROUTE_MAX_DEFAULT;

	if (!set)
		return NULL;
	set->mode = options->mode;
	set->table = options->table;
	if (set->mode != ROUTE_MODE_OFF &&
	    infer_init(&set->infer, max, set->mode == ROUTE_MODE_LEARNED) != 0) {
		free(set);
		return NULL;
	}
	return set;
}

void route_free(struct route_set *set)
{
	if (!set)
		return;
	infer_release(&set->infer);
	free(set);
}

static bool teaches(unsigned status, enum route_method method)
{
	return method == ROUTE_METHOD_COMMON && ((status >= 200 && status < 300) || status == 304);
}

struct slice route_name(struct route_set *set, struct slice path, unsigned status, enum route_method method,
			char *out, size_t size)
{
	static const struct slice none;
	struct slice route;

	path = route_path_only(path);
	if (path.n == 0 || path.p[0] != '/')
		return none; /* OPTIONS *, CONNECT host:port */
	if (set->table) {
		route = route_table_match(set->table, path);
		if (route.n)
			return route;
	}
	if (set->mode == ROUTE_MODE_OFF)
		return none;
	route = recent_find(&set->recent, path, out, size);
	if (route.n)
		return route;
	route = infer_route(&set->infer, path, teaches(status, method), out,
			    size < ROUTE_BYTES_MAX ? size : ROUTE_BYTES_MAX);
	recent_keep(&set->recent, path, route);
	return route;
}

enum route_method route_method_of(struct slice method)
{
	static const char *const common[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "QUERY" };

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (slice_is(method, common[i]))
			return ROUTE_METHOD_COMMON;
	return ROUTE_METHOD_ASIDE;
}

uint32_t route_count(const struct route_set *set) { return set->infer.routes; }
