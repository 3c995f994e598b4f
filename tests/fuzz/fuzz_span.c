/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random slots never crash the reader, and what passes span_record_valid() is
 * what its header promises.
 * FUZZ_SOURCES: shim/abi/span.c
 */
#include <stdlib.h>
#include <string.h>

#include "shim/abi/span.h"
#include "shim/abi/table.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* The walk, for a valid and for any other slot: inside the slot, forward only. Bytes covered. */
static size_t walk(const struct span_slot *slot, size_t pos)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t n, before = pos;
	volatile uint8_t seen = 0;

	while (span_next_string(slot, &pos, &tag, &value, &n)) {
		CHECK(pos > before && pos <= SPAN_TAIL_BYTES);
		CHECK(tag > TAG_NONE && tag < TAG_MAX);
		CHECK(value >= slot->tail && value + n <= slot->tail + SPAN_TAIL_BYTES);
		for (size_t i = 0; i < n; i++)
			seen ^= value[i];
		before = pos;
	}
	return before;
}

static void check_valid(const struct span_slot *slot)
{
	static const uint8_t zero[16];
	const struct span_record *r = &slot->head;

	CHECK(memcmp(r->trace_id, zero, 16) != 0 && memcmp(r->span_id, zero, 8) != 0);
	CHECK(r->kind >= 1 && r->kind <= 3 && r->method < SPAN_METHOD_MAX && r->end < SPAN_END_MAX);
	CHECK(r->status < 1000 && r->process < TABLE_PROCESSES && r->tail_bytes <= SPAN_TAIL_BYTES);
	CHECK(walk(slot, 0) == r->tail_bytes);
}

/* Brings a random head near to a valid one, so that the tail is looked at. */
static void mend(struct span_record *r)
{
	r->trace_id[0] |= 1;
	r->span_id[0] |= 1;
	r->kind = (uint8_t)(1 + r->kind % 3);
	r->method %= SPAN_METHOD_MAX;
	r->end %= SPAN_END_MAX;
	r->status %= 1000;
	r->process %= TABLE_PROCESSES;
	r->peer.family = r->local.family = r->proxied.family = 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span_slot *slot = calloc(1, sizeof *slot); /* on the heap: the sanitizer guards its ends */
	size_t start = 0;

	CHECK(slot);
	memcpy(slot, data, size < sizeof *slot ? size : sizeof *slot);
	memcpy(&start, data, size < 2 ? size : 2);
	walk(slot, 0);
	walk(slot, start);
	if (span_record_valid(slot))
		check_valid(slot);
	mend(&slot->head);
	if (span_record_valid(slot))
		check_valid(slot);
	if (size >= sizeof slot->head && size <= sizeof *slot) {
		slot->head.tail_bytes = (uint16_t)(size - sizeof slot->head);
		if (span_record_valid(slot))
			check_valid(slot);
	}
	free(slot);
	return 0;
}
