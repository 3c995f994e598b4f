/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "exporters/config/loader.h"

/* A `tracing` mapping being walked. */
struct walk {
	struct loader *l;
	const char *place; /* "services.tracing", for messages */
	bool older;        /* this pass applies the old names; unknown keys were told in the first */
};

enum { PATH_BYTES = 512, KEYS_MAX = 2000 };

static void reset(struct loader *l, enum config_option_id id)
{
	value_default(l, id);
	environment_apply(l, id);
}

static void unknown(const struct walk *w, const char *path, const struct node *key)
{
	char meant[128], shown[REPORT_QUOTE_MAX];
	const char *suggestion = w->l->report->n < REPORT_MAX ? option_suggest(path, meant) : NULL;

	report_quote(shown, path);
	if (suggestion)
		report_warning(w->l->report, key->mark, "unknown key %s in %s; did you mean '%s'?", shown,
			       w->place, suggestion);
	else
		report_warning(w->l->report, key->mark, "unknown key %s in %s", shown, w->place);
}

static void duplicate(const struct walk *w, const struct node *map, const struct node_entry *entry)
{
	for (const struct node_entry *other = map->first; other != entry; other = other->next) {
		char shown[REPORT_QUOTE_MAX];

		if (strcmp(other->key->text, entry->key->text) != 0)
			continue;
		report_error(w->l->report, entry->key->mark, "the key %s is here twice (first in line %u)",
			     report_quote(shown, entry->key->text), other->key->mark.line);
		return;
	}
}

static void apply(const struct walk *w, enum config_option_id id, const char *path, const struct node *value)
{
	char key[PATH_BYTES * 2];
	const struct value_rules rules = { .key = key };

	snprintf(key, sizeof(key), "%s.%s", w->place, path);
	if (value->type == NODE_NULL && !w->older)
		reset(w->l, id);
	else if (value->type != NODE_NULL && value_apply(w->l, id, value, &rules))
		w->l->by_older_name[id] = w->older;
}

/* `path` holds the names above this mapping, each with a dot behind it. */
static void walk(const struct walk *w, const struct node *map, const char *path)
{
	if (map->n > KEYS_MAX) {
		if (!w->older)
			report_error(w->l->report, map->mark, "more than %d keys in one mapping", KEYS_MAX);
		return;
	}
	for (const struct node_entry *entry = map->first; entry; entry = entry->next) {
		char here[PATH_BYTES];
		bool older;
		int id;

		if (!w->older)
			duplicate(w, map, entry);
		if (!strcmp(entry->key->text, "<<") && !entry->key->quoted)
			continue;
		snprintf(here, sizeof(here), "%s%s", path, entry->key->text);
		id = option_find(here, &older);
		if (id >= 0 && older == w->older && entry->value)
			apply(w, (enum config_option_id)id, here, entry->value);
		if (id >= 0 || !entry->value)
			continue;
		if (!option_prefix(here)) {
			if (!w->older)
				unknown(w, here, entry->key);
		} else if (entry->value->type == NODE_MAP) {
			char below[PATH_BYTES];

			if (snprintf(below, sizeof(below), "%s.", here) < PATH_BYTES)
				walk(w, entry->value, below);
		} else if (entry->value->type != NODE_NULL && !w->older) {
			report_error(w->l->report, entry->value->mark, "%s.%s must be a mapping", w->place,
				     here);
		}
	}
}

/* Applies the value of a key `tracing`. */
static void apply_block(struct loader *l, const char *place, const struct node *block)
{
	struct walk w = { l, place, false };

	if (!block || block->type == NODE_NULL)
		return;
	if (block->type != NODE_MAP) {
		report_error(l->report, block->mark, "%s must be a mapping", place);
		return;
	}
	l->alone = false;
	walk(&w, block, "");
	w.older = true;
	walk(&w, block, "");
}

/* The value of `key`; a key that is there twice is an error here, where one of the two would be lost. */
static const struct node *child(struct loader *l, const struct node *map, const char *key)
{
	const struct node_entry *found = node_find(map, key);
	struct walk w = { l, key, false };

	if (found)
		duplicate(&w, map, found);
	return found ? found->value : NULL;
}

static const struct node *block_of(struct loader *l, const struct node *document, const char *above)
{
	return child(l, *above ? child(l, document, above) : document, "tracing");
}

static void general_places(struct loader *l, const struct node *document)
{
	apply_block(l, "tracing", block_of(l, document, ""));
	apply_block(l, "api_server.tracing", block_of(l, document, "api_server"));
	apply_block(l, "services.tracing", block_of(l, document, "services"));
}

/* Name of the service as far as it is known before services.<Name> is read. */
static const char *known_service(struct loader *l)
{
	const char *name = environment_get(l->source->environment, "BTRACE_SERVICE");

	if (!name)
		name = environment_get(l->source->environment, "OTEL_SERVICE_NAME");
	if (!name)
		name = l->config->service_name;
	if (!name)
		name = resource_service(l, NULL);
	return name ? name : l->source->service;
}

struct named { /* the services with a tracing block of their own */
	const char *first;
	struct config_mark mark;
	size_t n;
	bool known; /* one of them is the service we are told we are */
};

static void look_for_names(const struct node *document, const char *service, struct named *named)
{
	const struct node_entry *services = node_find(document, "services");

	if (!services || !services->value || services->value->type != NODE_MAP)
		return;
	for (const struct node_entry *entry = services->value->first; entry; entry = entry->next) {
		const struct node_entry *tracing = node_find(entry->value, "tracing");

		if (!tracing || !tracing->value || tracing->value->type == NODE_NULL ||
		    !strcmp(entry->key->text, "tracing"))
			continue;
		named->known |= service && !strcmp(entry->key->text, service);
		if (named->first && !strcmp(named->first, entry->key->text))
			continue;
		if (!named->first) {
			named->first = entry->key->text;
			named->mark = entry->key->mark;
		}
		named->n++;
	}
}

static void named_place(struct loader *l, const struct node *document, const char *service)
{
	const struct node_entry *services = node_find(document, "services");
	const struct node *own = services && services->value ? child(l, services->value, service) : NULL;
	char place[PATH_BYTES];

	snprintf(place, sizeof(place), "services.%.256s.tracing", service);
	apply_block(l, place, child(l, own, "tracing"));
}

void places_apply(struct loader *l, const struct node *const documents[SOURCES])
{
	struct named named = { 0 };
	const char *service;

	for (int i = 0; i < SOURCES; i++)
		general_places(l, documents[i]);
	service = known_service(l);
	for (int i = 0; i < SOURCES; i++)
		look_for_names(documents[i], service, &named);
	if (!named.known && named.n > 1)
		report_warning(l->report, named.mark,
			       "several services have a tracing block and none is named '%s'; set "
			       "BTRACE_SERVICE to the "
			       "name of one",
			       service ? service : "");
	if (!named.known && named.n != 1)
		return;
	service = named.known ? service : named.first;
	for (int i = 0; i < SOURCES; i++)
		named_place(l, documents[i], service);
	if (!l->config->service_name) {
		l->config->service_name = service;
		l->config->marks[CONFIG_service_name] = named.mark;
	}
}
