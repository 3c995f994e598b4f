/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/options.h"

static struct slice *slices_of(const struct config_list *list, struct arena *arena)
{
	struct slice *out = arena_take(arena, (list->n + 1) * sizeof(*out));

	for (size_t i = 0; out && i < list->n; i++)
		out[i] = slice_of(list->items[i].text);
	return out;
}

static void redact_of(const struct config *config, enum config_option_id id, const struct config_list *list,
		      struct arena *arena, struct redact_list *out)
{
	struct slice *keys;

	if (!config_is_set(config, id) || !(keys = slices_of(list, arena)))
		return; /* the conventions' list */
	*out = (struct redact_list){ keys, list->n };
}

static uint32_t limit_of(uint64_t value)
{
	return value && value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static void configured_attributes(const struct config *config, struct arena *arena, struct attributes *out)
{
	const struct config_map *map = &config->resource_attributes;
	struct attribute *items = arena_take(arena, (map->n + 1) * sizeof(*items));
	size_t n = 0;

	if (!items)
		return;
	for (size_t i = 0; i < map->n; i++)
		items[n++] = (struct attribute){ slice_of(map->pairs[i].key),
						 { .type = VALUE_STRING,
						   .string = slice_of(map->pairs[i].value) } };
	if (config->shared_service)
		items[n++] = (struct attribute){ SLICE("service.name"),
						 { .type = VALUE_STRING,
						   .string = slice_of(config->shared_service) } };
	*out = (struct attributes){ items, n };
}

void session_options(const struct config *config, struct arena *arena, struct span_options *options,
		     struct resource_options *resources)
{
	static const enum span_conventions conventions[] = {
		[CONFIG_CONVENTIONS_STABLE] = SPAN_CONVENTIONS_STABLE,
		[CONFIG_CONVENTIONS_LEGACY] = SPAN_CONVENTIONS_LEGACY,
		[CONFIG_CONVENTIONS_BOTH] = SPAN_CONVENTIONS_BOTH,
	};
	static const enum span_detail details[] = {
		[CONFIG_DETAIL_NORMAL] = SPAN_DETAIL_NORMAL,
		[CONFIG_DETAIL_MINIMAL] = SPAN_DETAIL_MINIMAL,
		[CONFIG_DETAIL_FULL] = SPAN_DETAIL_FULL,
	};
	static const enum span_trust trusts[] = {
		[CONFIG_TRUST_ALWAYS] = SPAN_TRUST_ALL,
		[CONFIG_TRUST_PRIVATE] = SPAN_TRUST_PRIVATE,
		[CONFIG_TRUST_NEVER] = SPAN_TRUST_NONE,
	};

	span_options_init(options);
	span_options_conventions(options, conventions[config->semantic_conventions]);
	options->detail = details[config->detail];
	options->trust = trusts[config->trust_forwarded];
	options->child_spans = config->child_spans;
	redact_of(config, CONFIG_redact_query, &config->redact_query, arena, &options->redact_query);
	redact_of(config, CONFIG_redact_headers, &config->redact_headers, arena, &options->redact_headers);
	if (config_is_set(config, CONFIG_known_methods)) {
		options->known_methods = slices_of(&config->known_methods, arena);
		options->n_known_methods = options->known_methods ? config->known_methods.n : 0;
	}
	options->attribute_limit = limit_of(config->limit_attributes);
	options->event_limit = limit_of(config->limit_events);
	options->link_limit = limit_of(config->limit_links);
	options->event_attribute_limit = limit_of(config->limit_event_attributes);
	options->value_chars = limit_of(config->limit_value_length);
	configured_attributes(config, arena, &resources->configured);
}
