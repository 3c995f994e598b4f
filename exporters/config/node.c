/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/config/node.h"

#include <string.h>

struct node *node_new(struct arena *arena, enum node_type type, struct config_mark mark)
{
	struct node *node = arena_take(arena, sizeof(*node));

	if (node)
		*node = (struct node){ .type = type, .mark = mark, .text = "", .weight = 1 };
	return node;
}

struct node *node_scalar(struct arena *arena, struct slice text, bool quoted, struct config_mark mark)
{
	struct node *node = node_new(arena, NODE_SCALAR, mark);
	char *copy = arena_take(arena, text.n + 1);

	if (!node || !copy)
		return NULL;
	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	node->text = copy;
	node->quoted = quoted;
	if (!quoted && (!*copy || !strcmp(copy, "~") || !strcmp(copy, "null") || !strcmp(copy, "Null") ||
			!strcmp(copy, "NULL")))
		node->type = NODE_NULL;
	return node;
}

bool node_append(struct arena *arena, struct node *parent, const struct node *key, struct node *value)
{
	struct node_entry *entry = arena_take(arena, sizeof(*entry));

	if (!entry)
		return false;
	*entry = (struct node_entry){ key, value, NULL };
	if (parent->last)
		parent->last->next = entry;
	else
		parent->first = entry;
	parent->last = entry;
	parent->n++;
	parent->weight += (key ? key->weight : 0) + (value ? value->weight : 0);
	return true;
}

const struct node_entry *node_find(const struct node *map, const char *key)
{
	const struct node_entry *found = NULL;

	if (!map || map->type != NODE_MAP)
		return NULL;
	for (const struct node_entry *entry = map->first; entry; entry = entry->next)
		if (!strcmp(entry->key->text, key))
			found = entry;
	return found;
}
