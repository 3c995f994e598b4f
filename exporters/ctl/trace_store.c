/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/trace_store.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_STRINGS 1024
#define MAX_SHARED    512 /* longer texts are rarely equal: not worth a place in the table */

void trace_store_init(struct trace_store *s)
{
	*s = (struct trace_store){ .spans = NULL };
	arena_init(&s->arena);
}

void trace_store_clear(struct trace_store *s)
{
	if (s->strings)
		memset(s->strings, 0, s->strings_size * sizeof(*s->strings));
	s->n = s->n_strings = 0;
	arena_clear(&s->arena);
}

void trace_store_release(struct trace_store *s)
{
	free(s->spans);
	free(s->strings);
	arena_release(&s->arena);
	trace_store_init(s);
}

static uint64_t hash_text(struct slice text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

static struct slice *find_place(struct slice *strings, size_t size, struct slice text)
{
	size_t i = (size_t)hash_text(text) & (size - 1);

	while (strings[i].p && !slice_equal(strings[i], text))
		i = (i + 1) & (size - 1);
	return &strings[i];
}

static bool grow_strings(struct trace_store *s)
{
	size_t size = s->strings_size ? s->strings_size * 2 : FIRST_STRINGS;
	struct slice *strings = calloc(size, sizeof(*strings));

	if (!strings)
		return false;
	for (size_t i = 0; i < s->strings_size; i++)
		if (s->strings[i].p)
			*find_place(strings, size, s->strings[i]) = s->strings[i];
	free(s->strings);
	s->strings = strings;
	s->strings_size = size;
	return true;
}

struct slice trace_store_string(struct trace_store *s, struct slice text)
{
	struct slice *place;

	if (!text.n)
		return SLICE("");
	if (text.n > MAX_SHARED)
		return arena_copy(&s->arena, text);
	if (s->n_strings * 2 >= s->strings_size && !grow_strings(s)) {
		s->failed = true;
		return SLICE("");
	}
	place = find_place(s->strings, s->strings_size, text);
	if (!place->p) {
		struct slice copy = arena_copy(&s->arena, text);

		if (copy.n != text.n) {
			s->failed = true;
			return SLICE("");
		}
		*place = copy;
		s->n_strings++;
	}
	return *place;
}

struct span *trace_store_add(struct trace_store *s)
{
	if (s->n == s->size) {
		size_t size = s->size ? s->size * 2 : 256;
		struct span *spans = reallocarray(s->spans, size, sizeof(*spans));

		if (!spans) {
			s->failed = true;
			return NULL;
		}
		s->spans = spans;
		s->size = size;
	}
	s->spans[s->n] = (struct span){ .kind = MODEL_KIND_UNSPECIFIED };
	return &s->spans[s->n++];
}

const struct value *attributes_find(struct attributes attributes, struct slice key)
{
	for (size_t i = 0; i < attributes.n; i++)
		if (slice_equal(attributes.items[i].key, key))
			return &attributes.items[i].value;
	return NULL;
}

struct slice attributes_text(struct attributes attributes, struct slice key)
{
	const struct value *value = attributes_find(attributes, key);

	return value && value->type == VALUE_STRING ? value->string : (struct slice){ NULL, 0 };
}
