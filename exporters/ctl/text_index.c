/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/text_index.h"

#include <stdlib.h>

#define FIRST_SIZE 256

void text_index_init(struct text_index *index)
{
	*index = (struct text_index){ .texts = NULL };
	arena_init(&index->arena);
}

void text_index_release(struct text_index *index)
{
	free(index->texts);
	free(index->places);
	arena_release(&index->arena);
	text_index_init(index);
}

static uint32_t *find_place(const struct text_index *index, uint32_t *places, size_t size, struct slice text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	size_t i;

	for (i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	i = (size_t)(hash ^ hash >> 32) & (size - 1);
	while (places[i] && !slice_equal(index->texts[places[i] - 1], text))
		i = (i + 1) & (size - 1);
	return &places[i];
}

static bool grow(struct text_index *index)
{
	uint32_t size = index->size ? index->size * 2 : FIRST_SIZE;
	uint32_t *places = calloc((size_t)size * 2, sizeof(*places));
	struct slice *texts = size > index->size ? reallocarray(index->texts, size, sizeof(*texts)) : NULL;

	if (texts)
		index->texts = texts;
	if (!places || !texts) {
		free(places);
		return false;
	}
	for (uint32_t i = 0; i < index->n; i++)
		*find_place(index, places, (size_t)size * 2, index->texts[i]) = i + 1;
	free(index->places);
	index->places = places;
	index->places_size = (size_t)size * 2;
	index->size = size;
	return true;
}

uint32_t text_index_add(struct text_index *index, struct slice text)
{
	uint32_t *place;
	struct slice copy;

	if (index->failed || (index->n == index->size && !grow(index))) {
		index->failed = true;
		return 0;
	}
	place = find_place(index, index->places, index->places_size, text);
	if (*place)
		return *place - 1;
	copy = arena_copy(&index->arena, text);
	if (index->arena.failed) {
		index->failed = true;
		return 0;
	}
	index->texts[index->n] = copy;
	*place = ++index->n;
	return *place - 1;
}
