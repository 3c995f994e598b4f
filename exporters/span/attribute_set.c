/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/attribute_set.h"

#include <string.h>

void attribute_set_begin(struct attribute_set *s, struct arena *arena, uint32_t limit, uint32_t max_chars)
{
	s->arena = arena;
	s->limit = limit < ATTRIBUTES_MAX ? limit : ATTRIBUTES_MAX;
	s->max_chars = max_chars;
	s->n = s->dropped = 0;
}

void attribute_set_texts(struct attribute_set *s, struct slice key, struct value *items, size_t n)
{
	struct attribute *a = attribute_set_next(s, key);

	if (!a)
		return;
	for (size_t i = 0; i < n; i++)
		items[i].string = text_cut(items[i].string, s->max_chars);
	a->value.type = VALUE_ARRAY;
	a->value.array.items = items;
	a->value.array.n = n;
}

void attribute_set_put(struct attribute_set *s, struct slice key, struct value value)
{
	struct attribute *a = NULL;

	if (key.n == 0)
		return;
	for (uint32_t i = 0; i < s->n && !a; i++)
		if (slice_equal(s->items[i].key, key))
			a = &s->items[i];
	if (!a)
		a = attribute_set_next(s, key);
	if (!a)
		return;
	if (value.type == VALUE_STRING)
		value.string = text_cut(value.string, s->max_chars);
	a->value = value;
}

struct attributes attribute_set_end(struct attribute_set *s)
{
	struct attribute *items = s->n ? arena_take(s->arena, s->n * sizeof *items) : NULL;

	if (!items)
		return (struct attributes){ NULL, 0 };
	memcpy(items, s->items, s->n * sizeof *items);
	return (struct attributes){ items, s->n };
}
