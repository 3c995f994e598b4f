/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/config/loader.h"

static const char *const service_name_key = "service.name";

const char *resource_service(const struct loader *l, const char *source)
{
	const struct config_map *map = &l->config->resource_attributes;

	for (size_t i = 0; i < map->n; i++) {
		if (strcmp(map->pairs[i].key, service_name_key) != 0 || !*map->pairs[i].value)
			continue;
		if (!source || (map->pairs[i].mark.source && !strcmp(map->pairs[i].mark.source, source)))
			return map->pairs[i].value;
	}
	return NULL;
}

/* The name has a field of its own; it shall not be there twice. */
static void drop_service_name(struct loader *l)
{
	struct config_map *map = &l->config->resource_attributes;
	struct config_pair *pairs = arena_take(l->arena, (map->n + 1) * sizeof(*pairs));
	size_t n = 0;

	if (!pairs)
		return;
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->pairs[i].key, service_name_key) != 0)
			pairs[n++] = map->pairs[i];
	*map = (struct config_map){ pairs, n };
}

void resource_finish(struct loader *l)
{
	struct config *c = l->config;
	const char *name;

	if (c->service_name && !l->from_environment[CONFIG_service_name])
		c->shared_service = c->service_name;
	environment_apply(l, CONFIG_resource_attributes);
	name = resource_service(l, "OTEL_RESOURCE_ATTRIBUTES");
	if (!name && !c->shared_service)
		name = resource_service(l, NULL);
	if (name)
		c->shared_service = name;
	drop_service_name(l);
	if (environment_apply(l, CONFIG_service_name))
		return;
	if (name) {
		c->service_name = name;
		c->marks[CONFIG_service_name] = c->marks[CONFIG_resource_attributes];
	}
	if (!c->service_name && l->source->service)
		c->service_name = arena_printf(l->arena, "%s", l->source->service).p;
}
