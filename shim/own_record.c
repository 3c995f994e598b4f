/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strings of an own span. A writer killed at any instruction leaves a tail
 * that is whole up to tail_bytes. Lengths that are read back from the slot are
 * bounded by o->used: another process may scribble there.
 */
#include <string.h>

#include "shim/engine.h"
#include "shim/own.h"
#include "shim/record.h"

#define STRING_HEAD_BYTES 4u
#define NAME_MAX_BYTES    256u
#define KEY_MAX_BYTES     128u
#define STRING_MAX_BYTES  1024u
#define CUT_MIN_BYTES     16u /* less of a string is not worth it */
/* Kept free for the status message: a span full of attributes can still say what went wrong. */
#define STATUS_ROOM (STRING_HEAD_BYTES + NAME_MAX_BYTES)

static struct span_slot *slot_of(const struct own *o) { return &shim.table.slot[o->slot]; }

static bool recorded(const struct own *o) { return o->slot != TABLE_NO_SLOT; }

struct piece {
	const void *p;
	size_t n;
};

static size_t bytes_of(const struct piece *piece, unsigned pieces)
{
	size_t n = 0;

	for (unsigned i = 0; i < pieces; i++)
		n += piece[i].n;
	return n;
}

/* Appends a string that has room. */
static void put(struct own *o, enum span_tag tag, const struct piece *piece, unsigned pieces)
{
	struct span_slot *slot = slot_of(o);
	uint8_t *at = slot->tail + o->used;
	uint16_t head[2] = { (uint16_t)tag, (uint16_t)bytes_of(piece, pieces) };

	memcpy(at, head, STRING_HEAD_BYTES);
	at += STRING_HEAD_BYTES;
	for (unsigned i = 0; i < pieces; i++) {
		memcpy(at, piece[i].p, piece[i].n);
		at += piece[i].n;
	}
	atomic_signal_fence(memory_order_seq_cst); /* whole before it counts */
	o->used = (uint16_t)(at - slot->tail);
	slot->head.tail_bytes = o->used;
}

/* The string whose head lies there is none any more. */
static void ignore(struct own *o, size_t at)
{
	static const uint16_t ignored = TAG_IGNORED;

	memcpy(slot_of(o)->tail + at, &ignored, sizeof(ignored));
}

/* Bytes that a string may have if `reserve` bytes are to stay free. */
static size_t room(const struct own *o, size_t reserve)
{
	size_t taken = o->used + STRING_HEAD_BYTES + reserve;

	return taken < SPAN_TAIL_BYTES ? SPAN_TAIL_BYTES - taken : 0;
}

/* How much of a text goes in; what is cut is marked. */
static size_t fit(struct own *o, const char *text, size_t most)
{
	size_t n = strnlen(text, most + 1), keep = record_fit(text, n, most);

	if (keep < n)
		slot_of(o)->head.flags |= SPAN_FLAG_TRUNCATED;
	return keep;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void own_put_name(struct own *o, const char *name)
{
	struct piece piece = { name, fit(o, name, NAME_MAX_BYTES) };

	put(o, TAG_NAME, &piece, 1);
}

void own_put_link(struct own *o, const struct serving_context *to)
{
	uint8_t flags = (uint8_t)((to->trace_flags & 2) | (to->decision == SERVING_SAMPLED));
	const struct piece piece[] = { { to->trace_id, 16 }, { to->span_id, 8 }, { &flags, 1 } };

	if (room(o, STATUS_ROOM) >= bytes_of(piece, 3))
		put(o, TAG_LINK, piece, 3);
}

/* The attribute of that key, or NULL; *n: bytes of type, key, NUL and value. */
static uint8_t *find(const struct own *o, const char *key, size_t key_bytes, size_t *n)
{
	uint8_t *tail = slot_of(o)->tail;
	uint16_t head[2];

	for (size_t at = 0; at + STRING_HEAD_BYTES <= o->used; at += STRING_HEAD_BYTES + head[1]) {
		uint8_t *text = tail + at + STRING_HEAD_BYTES;

		memcpy(head, tail + at, STRING_HEAD_BYTES);
		if (head[1] > o->used - at - STRING_HEAD_BYTES)
			return NULL;
		if (head[0] != TAG_ATTRIBUTE || head[1] < key_bytes + 2u || text[key_bytes + 1] ||
		    memcmp(text + 1, key, key_bytes) != 0)
			continue;
		*n = head[1];
		return text;
	}
	return NULL;
}

/* True: there was one of that key and length, and it has the new value. One of another length goes. */
static bool replace(struct own *o, const struct piece *key, const struct own_value *value)
{
	size_t n = 0, head = key->n + 2;
	uint8_t *old = find(o, key->p, key->n, &n);

	if (!old)
		return false;
	if (n != head + value->n) {
		ignore(o, (size_t)(old - slot_of(o)->tail) - STRING_HEAD_BYTES);
		return false;
	}
	*old = (uint8_t)value->type;
	memcpy(old + head, value->p, value->n);
	return true;
}

static bool put_attribute(struct own *o, enum span_tag tag, const char *key, const struct own_value *value)
{
	uint8_t type = (uint8_t)value->type;
	struct piece name = { key, strnlen(key, KEY_MAX_BYTES + 1) };
	struct piece piece[] = { { &type, 1 }, name, { "", 1 }, { value->p, value->n } };
	size_t left = room(o, STATUS_ROOM), head = 1 + name.n + 1;

	if (!name.n || name.n > KEY_MAX_BYTES)
		return false;
	if (tag == TAG_ATTRIBUTE && replace(o, &name, value))
		return true;
	if (left < head + smaller(value->n, CUT_MIN_BYTES))
		return false;
	if (value->type == SPAN_ATTRIBUTE_STRING)
		piece[3].n = fit(o, value->p, smaller(left - head, STRING_MAX_BYTES));
	put(o, tag, piece, 4);
	return true;
}

void own_put_attribute(struct own *o, uint8_t event, const char *key, const struct own_value *value)
{
	if (!recorded(o) || event == OWN_EVENT_LOST)
		return;
	if ((event && event != o->event) ||
	    !put_attribute(o, event ? TAG_EVENT_ATTRIBUTE : TAG_ATTRIBUTE, key, value))
		o->dropped_attributes++;
}

uint8_t own_put_event(struct own *o, const char *name, uint64_t now_ns)
{
	struct piece piece[] = { { &now_ns, sizeof(now_ns) }, { name, 0 } };

	if (!recorded(o))
		return OWN_EVENT_LOST;
	if (room(o, STATUS_ROOM) < sizeof(now_ns) + strnlen(name, NAME_MAX_BYTES)) {
		o->dropped_events++;
		return OWN_EVENT_LOST;
	}
	piece[1].n = fit(o, name, NAME_MAX_BYTES);
	put(o, TAG_EVENT, piece, 2);
	o->event = (uint8_t)(o->event % (OWN_EVENT_LOST - 1) + 1);
	return o->event;
}

void own_put_status(struct own *o, bool error, const char *message)
{
	struct piece piece = { message, 0 };
	struct span_record *r;

	if (!recorded(o))
		return;
	r = &slot_of(o)->head;
	if (r->flags & SPAN_FLAG_STATUS_OK)
		return;
	r->flags |= error ? SPAN_FLAG_STATUS_ERROR : SPAN_FLAG_STATUS_OK;
	if (!error)
		r->flags &= ~(uint32_t)SPAN_FLAG_STATUS_ERROR;
	if (!error || !message)
		return;
	piece.n = fit(o, message, smaller(room(o, 0), NAME_MAX_BYTES));
	if (o->message)
		ignore(o, o->message);
	o->message = o->used;
	if (piece.n)
		put(o, TAG_STATUS_MESSAGE, &piece, 1);
	else
		o->message = 0;
}
