/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/attribute_set.h"

#include <string.h>

#include "exporters/span/text.h"

void attribute_set_begin(struct attribute_set *s, struct arena *arena, uint32_t limit, uint32_t max_chars)
{
	s->arena = arena;
	s->limit = limit < ATTRIBUTES_MAX ? limit : ATTRIBUTES_MAX;
	s->max_chars = max_chars;
	s->n = s->dropped = 0;
}

static struct attribute *next(struct attribute_set *s, struct slice key)
{
	struct attribute *a;

	if (s->n >= s->limit) {
		s->dropped++;
		return NULL;
	}
	a = &s->items[s->n++];
	a->key = key;
	return a;
}

void attribute_set_text(struct attribute_set *s, struct slice key, struct slice value)
{
	struct attribute *a = next(s, key);

	if (!a)
		return;
	a->value.type = VALUE_STRING;
	a->value.string = text_cut(value, s->max_chars);
}

void attribute_set_int(struct attribute_set *s, struct slice key, int64_t value)
{
	struct attribute *a = next(s, key);

	if (!a)
		return;
	a->value.type = VALUE_INT;
	a->value.integer = value;
}

void attribute_set_bool(struct attribute_set *s, struct slice key, bool value)
{
	struct attribute *a = next(s, key);

	if (!a)
		return;
	a->value.type = VALUE_BOOL;
	a->value.boolean = value;
}

void attribute_set_texts(struct attribute_set *s, struct slice key, struct value *items, size_t n)
{
	struct attribute *a = next(s, key);

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
		a = next(s, key);
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
