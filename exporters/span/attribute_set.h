/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ATTRIBUTE_SET_H
#define BTRACE_ATTRIBUTE_SET_H

/*
 * Builds the attributes of one span: on the stack while they are collected, in
 * the arena once their number is known. Keeps the model's invariants for what
 * it is given: limits of number and length (OTEL_SPAN_ATTRIBUTE_*_LIMIT), unique keys for those
 * put by attribute_set_put(). Not thread safe.
 *
 * Strings that go in are valid UTF-8 and live at least as long as the arena;
 * they are cut here to the limit of characters, never copied.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/span/model.h"
#include "exporters/span/text.h"

/* More than a record can name: 460 strings in a tail and our own. What is put above is dropped and counted.
 */
#define ATTRIBUTES_MAX      560u
#define ATTRIBUTES_NO_LIMIT UINT32_MAX

struct attribute_set {
	struct arena *arena;
	uint32_t limit;     /* of attributes */
	uint32_t max_chars; /* of a string value, in characters */
	uint32_t n, dropped;
	struct attribute items[ATTRIBUTES_MAX];
};

void attribute_set_begin(struct attribute_set *s, struct arena *arena, uint32_t limit, uint32_t max_chars);

/* A place for one more; NULL: the limit is reached, and it is counted. */
static inline struct attribute *attribute_set_next(struct attribute_set *s, struct slice key)
{
	struct attribute *a = &s->items[s->n];

	if (s->n >= s->limit) {
		s->dropped++;
		return NULL;
	}
	s->n++;
	a->key = key;
	return a;
}

/* For keys which the caller puts at most once. */
static inline void attribute_set_text(struct attribute_set *s, struct slice key, struct slice value)
{
	struct attribute *a = attribute_set_next(s, key);

	if (!a)
		return;
	a->value.type = VALUE_STRING;
	a->value.string = value.n <= s->max_chars ? value : text_cut(value, s->max_chars);
}

static inline void attribute_set_int(struct attribute_set *s, struct slice key, int64_t value)
{
	struct attribute *a = attribute_set_next(s, key);

	if (!a)
		return;
	a->value.type = VALUE_INT;
	a->value.integer = value;
}

static inline void attribute_set_bool(struct attribute_set *s, struct slice key, bool value)
{
	struct attribute *a = attribute_set_next(s, key);

	if (!a)
		return;
	a->value.type = VALUE_BOOL;
	a->value.boolean = value;
}

/* items: in the arena; they are cut in place */
void attribute_set_texts(struct attribute_set *s, struct slice key, struct value *items, size_t n);

/* For keys from elsewhere: a key that is there gets the new value, an empty one is ignored. */
void attribute_set_put(struct attribute_set *s, struct slice key, struct value value);

/* The attributes, copied into the arena; none (and arena->failed) if there is no memory. */
struct attributes attribute_set_end(struct attribute_set *s);

#endif
