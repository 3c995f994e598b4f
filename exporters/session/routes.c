/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/routes.h"

#include <stdlib.h>
#include <string.h>

#include "exporters/session/log.h"

static struct route_set *set_of(struct routes *r, struct slice service)
{
	for (uint32_t i = 0; i < r->n_services; i++)
		if (slice_equal(service, (struct slice){ r->service[i].name, r->service[i].n }))
			return r->service[i].set;
	if (r->n_services == ROUTES_SERVICES || service.n > sizeof(r->service[0].name))
		return NULL;
	r->service[r->n_services].set = route_new(&r->options);
	if (!r->service[r->n_services].set)
		return NULL;
	memcpy(r->service[r->n_services].name, service.p, service.n);
	r->service[r->n_services].n = service.n;
	return r->service[r->n_services++].set;
}

static struct slice find(void *state, struct slice service, struct slice method, struct slice path,
			 unsigned int status)
{
	struct routes *r = state;
	struct route_set *set = set_of(r, service);
	char out[ROUTE_BYTES_MAX];
	struct slice route = { NULL, 0 };

	if (set)
		route = route_name(set, path, status, route_method_of(method), out, sizeof(out));
	else if (r->table)
		route = route_table_match(r->table, path);
	return route.p == out ? arena_copy(r->arena, route) : route;
}

static void compile(struct routes *r, const struct config_list *list)
{
	const char **routes = calloc(list->n + 1, sizeof(*routes));
	struct route_table_error error;

	if (!routes)
		return;
	for (size_t i = 0; i < list->n; i++)
		routes[i] = list->items[i].text;
	if (list->n && route_table_compile(routes, list->n, &r->table, &error)) {
		const struct config_item *item = &list->items[error.route < list->n ? error.route : 0];

		r->table = NULL;
		log_line("%s:%u:%u: routes: \"%s\": %s", item->mark.source ? item->mark.source : "config",
			 item->mark.line, item->mark.column, item->text, error.text);
	}
	free(routes);
}

void routes_init(struct routes *r, const struct config *config, struct arena *arena,
		 struct span_options *options)
{
	static const enum route_mode modes[] = {
		[CONFIG_INFERENCE_OFF] = ROUTE_MODE_OFF,
		[CONFIG_INFERENCE_TYPED] = ROUTE_MODE_TYPED,
		[CONFIG_INFERENCE_LEARNED] = ROUTE_MODE_LEARNED,
	};

	memset(r, 0, sizeof(*r));
	r->arena = arena;
	compile(r, &config->routes);
	r->options = (struct route_options){ .mode = modes[config->routes_inference],
					     .max_routes = (uint32_t)config->routes_max,
					     .table = r->table };
	options->router = (struct span_router){ find, r };
}

void routes_release(struct routes *r)
{
	for (uint32_t i = 0; i < r->n_services; i++)
		route_free(r->service[i].set);
	route_table_free(r->table);
	r->n_services = 0;
	r->table = NULL;
}
