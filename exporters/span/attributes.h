/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ATTRIBUTES_H
#define BTRACE_ATTRIBUTES_H

/*
 * Builds the attributes of one span: on the stack while they are collected, in
 * the arena once their number is known. Keeps the model's invariants for what
 * it is given: limits of number and length (wire.md 7), unique keys for those
 * put by attributes_set(). Not thread safe.
 *
 * Strings that go in are valid UTF-8 and live at least as long as the arena;
 * they are cut here to the limit of characters, never copied.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/span/model.h"

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

void attributes_begin(struct attribute_set *s, struct arena *arena, uint32_t limit, uint32_t max_chars);

/* For keys which the caller puts at most once. */
void attributes_text(struct attribute_set *s, struct slice key, struct slice value);
void attributes_int(struct attribute_set *s, struct slice key, int64_t value);
void attributes_bool(struct attribute_set *s, struct slice key, bool value);
/* items: in the arena; they are cut in place */
void attributes_texts(struct attribute_set *s, struct slice key, struct value *items, size_t n);

/* For keys from elsewhere: a key that is there gets the new value, an empty one is ignored. */
void attributes_set(struct attribute_set *s, struct slice key, struct value value);

/* The attributes, copied into the arena; none (and arena->failed) if there is no memory. */
struct attributes attributes_end(struct attribute_set *s);

/* s cut to max_chars characters. */
struct slice attributes_cut(struct slice s, uint32_t max_chars);

#endif
