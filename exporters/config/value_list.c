/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "exporters/config/loader.h"

struct items { /* a list being built */
	struct config_item *item;
	size_t n, size;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool add_item(struct loader *l, struct items *items, const char *text, struct config_mark mark)
{
	if (items->n == items->size) {
		size_t size = items->size ? items->size * 2 : 8;
		struct config_item *grown = arena_take(l->arena, size * sizeof(*grown));

		if (!grown)
			return false;
		if (items->n)
			memcpy(grown, items->item, items->n * sizeof(*grown));
		items->item = grown;
		items->size = size;
	}
	items->item[items->n++] = (struct config_item){ text, mark };
	return true;
}

/* One word of an ENUMS list: known and new. */
static bool add_choice(struct loader *l, enum config_option_id id, struct items *items, const char *text,
		       struct config_mark mark, const struct value_rules *rules)
{
	const struct option *option = &config_options[id];
	int choice = option_choice(option->allowed, text);
	const char *p = option->allowed;
	char word[64] = "";

	if (choice < 0) {
		value_refuse(l, id, text, mark, rules, option_meant(option->allowed, text, word));
		return rules->environment; /* one unknown word there does not spoil the others */
	}
	for (int i = 0; i <= choice; i++)
		option_word(&p, '|', word, sizeof(word));
	for (size_t i = 0; i < items->n; i++)
		if (!strcmp(items->item[i].text, word))
			return true;
	return add_item(l, items, arena_printf(l->arena, "%s", word).p, mark);
}

static bool add_text(struct loader *l, enum config_option_id id, struct items *items, const char *text,
		     struct config_mark mark, const struct value_rules *rules)
{
	if (!*text) /* BentoML: an empty alternative excludes everything; nobody means that */
		return true;
	if (config_options[id].type == OPTION_ENUMS)
		return add_choice(l, id, items, text, mark, rules);
	return add_item(l, items, text, mark);
}

/* "a, b": split at commas, stripped. */
static bool split(struct loader *l, enum config_option_id id, struct items *items, const struct node *node,
		  const char *text, const struct value_rules *rules)
{
	bool exact = text == node->text && node->mark.column;
	bool ok = true;

	for (const char *p = text, *end; *p; p = *end ? end + 1 : end) {
		struct config_mark mark = node->mark;
		const char *last;

		end = strchrnul(p, ',');
		while (p < end && is_blank(*p))
			p++;
		for (last = end; last > p && is_blank(last[-1]);)
			last--;
		if (exact)
			mark.column += (uint32_t)(p - text) + node->quoted;
		ok &= add_text(l, id, items, arena_printf(l->arena, "%.*s", (int)(last - p), p).p, mark,
			       rules);
	}
	return ok;
}

/* The item of the list as it is now, for holes in a list given by index. */
static bool keep_item(struct loader *l, const struct config_list *now, size_t i, struct items *items)
{
	return i >= now->n || add_item(l, items, now->items[i].text, now->items[i].mark);
}

bool list_apply(struct loader *l, enum config_option_id id, const struct node *node,
		const struct value_rules *rules)
{
	struct config_list *field = (void *)((char *)l->config + config_options[id].offset);
	struct items items = { 0 };
	const char *text;
	size_t i = 0;
	bool ok = true;

	if (node->type == NODE_LIST) {
		for (const struct node_entry *entry = node->first; entry; entry = entry->next, i++) {
			if (!entry->value) {
				ok &= keep_item(l, field, i, &items);
				continue;
			}
			text = node_text(l, id, entry->value, rules);
			if (text)
				ok &= add_text(l, id, &items, text, entry->value->mark, rules);
			else
				ok &= entry->value->type == NODE_NULL;
		}
	} else {
		text = node_text(l, id, node, rules);
		ok = text && split(l, id, &items, node, text, rules);
	}
	/* OpenTelemetry: a variable with nothing known in it is not set */
	if (rules->environment && !items.n)
		return false;
	if (ok)
		*field = (struct config_list){ items.item, items.n };
	return ok;
}

enum { PAIRS_MAX = 1024 };

struct pairs { /* a mapping being built */
	struct config_pair *pair;
	size_t n, size;
};

static bool put_pair(struct loader *l, struct pairs *pairs, const char *key, const char *value,
		     struct config_mark mark)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (!strcmp(pairs->pair[i].key, key)) {
			pairs->pair[i] = (struct config_pair){ key, value, mark };
			return true;
		}
	}
	if (pairs->n == PAIRS_MAX)
		return false;
	if (pairs->n == pairs->size) {
		size_t size = pairs->size ? pairs->size * 2 : 8;
		struct config_pair *grown = arena_take(l->arena, size * sizeof(*grown));

		if (!grown)
			return false;
		if (pairs->n)
			memcpy(grown, pairs->pair, pairs->n * sizeof(*grown));
		pairs->pair = grown;
		pairs->size = size;
	}
	pairs->pair[pairs->n++] = (struct config_pair){ key, value, mark };
	return true;
}

/* "k=v"; percent-decoded where the environment has it so. */
static bool put_text(struct loader *l, struct pairs *pairs, const char *p, size_t n, struct config_mark mark,
		     bool decode)
{
	const char *equal = memchr(p, '=', n), *end = p + n, *key_end = equal;
	char *key, *value;

	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	if (p == end)
		return true;
	if (!equal || equal >= end)
		return equal && equal == end; /* "k= " is an empty value, trimmed away */
	while (key_end > p && is_blank(key_end[-1]))
		key_end--;
	for (equal++; equal < end && is_blank(*equal);)
		equal++;
	key = (char *)(uintptr_t)arena_printf(l->arena, "%.*s", (int)(key_end - p), p).p;
	value = (char *)(uintptr_t)arena_printf(l->arena, "%.*s", (int)(end - equal), equal).p;
	if (!*key ||
	    (decode && ((*key && !text_percent_decode(key)) || (*value && !text_percent_decode(value)))))
		return false;
	return put_pair(l, pairs, key, value, mark);
}

static bool put_texts(struct loader *l, struct pairs *pairs, const char *text, struct config_mark mark,
		      bool decode)
{
	for (const char *p = text, *end; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, ',');
		if (!put_text(l, pairs, p, (size_t)(end - p), mark, decode))
			return false;
	}
	return true;
}

/* An item of a list: [key, value] or "key=value". */
static bool put_item(struct loader *l, enum config_option_id id, struct pairs *pairs, const struct node *item,
		     const struct value_rules *rules)
{
	const char *key, *value;

	if (!item)
		return true;
	if (item->type != NODE_LIST) {
		value = node_text(l, id, item, rules);
		if (value && !put_text(l, pairs, value, strlen(value), item->mark, false))
			value_refuse(l, id, value, item->mark, rules, NULL);
		return value != NULL;
	}
	if (item->n != 2 || !item->first->value || !item->last->value) {
		value_refuse(l, id, "a list that is not [key, value]", item->mark, rules, NULL);
		return false;
	}
	key = node_text(l, id, item->first->value, rules);
	value = node_text(l, id, item->last->value, rules);
	return key && value && put_pair(l, pairs, key, value, item->mark);
}

static bool put_node(struct loader *l, enum config_option_id id, struct pairs *pairs, const struct node *node,
		     const struct value_rules *rules)
{
	const char *text;
	bool ok = true;

	if (node->type == NODE_MAP || node->type == NODE_LIST) {
		for (const struct node_entry *entry = node->first; entry; entry = entry->next) {
			if (node->type == NODE_LIST) {
				ok &= put_item(l, id, pairs, entry->value, rules);
			} else if (entry->value && entry->value->type != NODE_NULL &&
				   strcmp(entry->key->text, "<<") != 0) {
				text = node_text(l, id, entry->value, rules);
				ok &= text && put_pair(l, pairs, entry->key->text, text, entry->value->mark);
			}
		}
		return ok;
	}
	text = node_text(l, id, node, rules);
	if (text && !put_texts(l, pairs, text, node->mark, rules->environment)) {
		value_refuse(l, id, text, node->mark, rules, NULL);
		return false;
	}
	return text != NULL;
}

bool map_apply(struct loader *l, enum config_option_id id, const struct node *node,
	       const struct value_rules *rules)
{
	struct config_map *field = (void *)((char *)l->config + config_options[id].offset);
	bool replace = l->from_environment[id] && !rules->environment && id != CONFIG_resource_attributes;
	struct pairs pairs = { 0 };
	bool ok = true;

	for (size_t i = 0; !replace && i < field->n && ok; i++)
		ok = put_pair(l, &pairs, field->pairs[i].key, field->pairs[i].value, field->pairs[i].mark);
	ok = ok && put_node(l, id, &pairs, node, rules);
	if (ok)
		*field = (struct config_map){ pairs.pair, pairs.n };
	return ok;
}
