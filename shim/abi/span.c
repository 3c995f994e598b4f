/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/span.h"

#include <string.h>

#include "shim/abi/table.h"

#define STRING_HEAD_BYTES 4u
#define STATUS_MAX        999u

static bool any_set(const uint8_t *p, size_t n)
{
	uint8_t seen = 0;

	for (size_t i = 0; i < n; i++)
		seen |= p[i];
	return seen;
}

static bool address_valid(const struct span_address *a)
{
	/* AF_* of the Linux ABI, written out: the record's numbers do not follow the headers of a build */
	return a->family == 0 || a->family == 1 || a->family == 2 || a->family == 10;
}

static uint16_t read_u16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof value);
	return value;
}

/* How far the tail may be read; also right for a copy that nobody has validated. */
static size_t tail_end(const struct span_slot *copy)
{
	return copy->head.tail_bytes <= SPAN_TAIL_BYTES ? copy->head.tail_bytes : SPAN_TAIL_BYTES;
}

bool span_next_string(const struct span_slot *copy, size_t *pos, enum span_tag *tag, const uint8_t **value,
		      size_t *n)
{
	size_t at = *pos, end = tail_end(copy);
	uint16_t number, length;

	if (at > end || end - at < STRING_HEAD_BYTES)
		return false;
	number = read_u16(copy->tail + at);
	length = read_u16(copy->tail + at + 2);
	if (number == TAG_NONE || number >= TAG_MAX || length > end - at - STRING_HEAD_BYTES)
		return false;
	*tag = (enum span_tag)number;
	*value = copy->tail + at + STRING_HEAD_BYTES;
	*n = length;
	*pos = at + STRING_HEAD_BYTES + length;
	return true;
}

static bool tail_valid(const struct span_slot *copy)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;

	if (copy->head.tail_bytes > SPAN_TAIL_BYTES)
		return false;
	while (span_next_string(copy, &pos, &tag, &value, &n))
		;
	return pos == copy->head.tail_bytes;
}

bool span_record_valid(const struct span_slot *copy)
{
	const struct span_record *r = &copy->head;

	return any_set(r->trace_id, sizeof r->trace_id) && any_set(r->span_id, sizeof r->span_id) &&
	       r->kind >= SPAN_KIND_INTERNAL && r->kind <= SPAN_KIND_CLIENT && r->method < SPAN_METHOD_MAX &&
	       r->end < SPAN_END_MAX && r->status <= STATUS_MAX && r->process < TABLE_PROCESSES &&
	       address_valid(&r->peer) && address_valid(&r->local) && address_valid(&r->proxied) &&
	       tail_valid(copy);
}
