/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/record.h"

#include <string.h>

/* Bytes a string may have; 0 stands for the default. Together they fit the tail of a plain request. */
#define LIMIT_DEFAULT 128u
static const uint16_t limit[TAG_MAX] = {
	[TAG_METHOD] = 64,
	[TAG_TARGET] = 1024,
	[TAG_HOST] = 256,
	[TAG_USER_AGENT] = 256,
	[TAG_FORWARDED] = 256,
	[TAG_X_FORWARDED_FOR] = 256,
	[TAG_X_FORWARDED_HOST] = 256,
	[TAG_X_FORWARDED_PROTO] = 16,
	[TAG_TRACESTATE] = RECORD_LIST_BYTES,
	[TAG_BAGGAGE] = RECORD_LIST_BYTES,
	[TAG_REQUEST_HEADER] = 512,
	[TAG_RESPONSE_HEADER] = 512,
};

#define STRING_HEAD 4u /* uint16_t tag, uint16_t length; record_text() knows it too */

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put16(uint8_t *p, uint16_t v) { memcpy(p, &v, sizeof(v)); }

static uint16_t most_of(uint16_t tag) { return tag < TAG_MAX && limit[tag] ? limit[tag] : LIMIT_DEFAULT; }

/* Bytes of text for a string whose head begins here, once the end of the tail is near. */
static __attribute__((cold, noinline)) size_t room_at(size_t at, uint16_t tag)
{
	size_t most = most_of(tag), taken = at + STRING_HEAD + (most > LIMIT_DEFAULT ? RECORD_RESERVE : 0);
	size_t room = taken < SPAN_TAIL_BYTES ? SPAN_TAIL_BYTES - taken : 0;

	return room < most ? room : most;
}

uint16_t record_open(struct span_slot *slot, enum span_tag tag)
{
	uint16_t at = slot->head.tail_bytes;
	uint32_t head = (uint16_t)tag; /* little endian: the tag, then no bytes yet */

	if (__builtin_expect(at + STRING_HEAD + 1 + RECORD_RESERVE > SPAN_TAIL_BYTES, 0) &&
	    !room_at(at, (uint16_t)tag)) {
		slot->head.flags |= SPAN_FLAG_TRUNCATED;
		return 0;
	}
	memcpy(slot->tail + at, &head, STRING_HEAD);
	slot->head.tail_bytes = (uint16_t)(at + STRING_HEAD);
	return (uint16_t)(at + 1);
}

size_t record_fit(const char *p, size_t n, size_t room)
{
	if (n <= room)
		return n;
	for (unsigned back = 0; room > 0 && back < 4 && ((unsigned char)p[room] & 0xc0) == 0x80; back++)
		room--;
	return room;
}

bool record_append(struct span_slot *slot, uint16_t open, const char *p, size_t n)
{
	uint8_t *head;
	size_t have, room, keep;
	uint16_t tag;

	if (!open || open - 1u + STRING_HEAD > SPAN_TAIL_BYTES)
		return false;
	head = slot->tail + open - 1;
	tag = get16(head);
	have = get16(head + 2);
	room = most_of(tag);
	if (__builtin_expect(open - 1u + STRING_HEAD + room + RECORD_RESERVE > SPAN_TAIL_BYTES, 0))
		room = room_at(open - 1u, tag);
	if (have > room) /* not what we wrote: another process scribbles here */
		return false;
	keep = record_fit(p, n, room - have);
	memcpy(head + STRING_HEAD + have, p, keep);
	put16(head + 2, (uint16_t)(have + keep));
	slot->head.tail_bytes = (uint16_t)(open - 1u + STRING_HEAD + have + keep);
	if (keep == n)
		return true;
	slot->head.flags |= SPAN_FLAG_TRUNCATED;
	return false;
}

void record_cut(struct span_slot *slot, uint16_t open, size_t n)
{
	uint8_t *head = slot->tail + open - 1;
	uint16_t have;

	if (!open || open - 1u + STRING_HEAD > SPAN_TAIL_BYTES)
		return;
	have = get16(head + 2);
	if (n > have || have > slot->head.tail_bytes)
		return;
	put16(head + 2, (uint16_t)(have - n));
	slot->head.tail_bytes = (uint16_t)(slot->head.tail_bytes - n);
}

bool record_string(struct span_slot *slot, enum span_tag tag, const char *p, size_t n)
{
	size_t at = slot->head.tail_bytes, most = most_of((uint16_t)tag);
	uint32_t head = (uint32_t)tag | (uint32_t)n << 16;

	if (__builtin_expect(n > most || at + STRING_HEAD + most + RECORD_RESERVE > SPAN_TAIL_BYTES, 0))
		return record_append(slot, record_open(slot, tag), p, n);
	memcpy(slot->tail + at, &head, STRING_HEAD);
	memcpy(slot->tail + at + STRING_HEAD, p, n);
	slot->head.tail_bytes = (uint16_t)(at + STRING_HEAD + n);
	return true;
}

bool record_has(const struct span_slot *slot, enum span_tag wanted)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;

	while (span_next_string(slot, &pos, &tag, &value, &n))
		if (tag == wanted)
			return true;
	return false;
}
