/* SPDX-License-Identifier: Apache-2.0 */
/* What a program adds by btrace.h: attributes, events; and links. */
#include "exporters/span/build.h"

#define EVENTS_MAX (SPAN_TAIL_BYTES / 12) /* the smallest event takes 12 bytes of the tail */
#define LINKS_MAX  (SPAN_TAIL_BYTES / 29)
#define LINK_BYTES 25u

static bool parse_value(struct span_build *b, uint8_t type, const uint8_t *p, size_t n, struct value *out)
{
	switch (type) {
	case SPAN_ATTRIBUTE_STRING:
		*out = (struct value){ .type = VALUE_STRING, .string = build_string(b, p, n) };
		return true;
	case SPAN_ATTRIBUTE_BOOL:
		if (n != 1)
			return false;
		*out = (struct value){ .type = VALUE_BOOL, .boolean = *p != 0 };
		return true;
	case SPAN_ATTRIBUTE_INT:
		if (n != sizeof out->integer)
			return false;
		out->type = VALUE_INT;
		memcpy(&out->integer, p, n);
		return true;
	case SPAN_ATTRIBUTE_DOUBLE:
		if (n != sizeof out->real)
			return false;
		out->type = VALUE_DOUBLE;
		memcpy(&out->real, p, n);
		return true;
	default: return false;
	}
}

static void put_attribute(struct span_build *b, const uint8_t *p, size_t n)
{
	const uint8_t *nul = n > 1 ? memchr(p + 1, 0, n - 1) : NULL;
	struct value value;
	struct slice key;

	if (!nul || !parse_value(b, *p, nul + 1, n - (size_t)(nul + 1 - p), &value))
		return;
	key = build_string(b, p + 1, (size_t)(nul - p) - 1);
	attribute_set_put(&b->set, key, value);
}

void own_attributes(struct span_build *b)
{
	size_t pos = 0, n;
	enum span_tag tag;
	const uint8_t *value;

	if (!b->has[TAG_ATTRIBUTE])
		return;
	while (span_next_string(b->copy, &pos, &tag, &value, &n))
		if (tag == TAG_ATTRIBUTE)
			put_attribute(b, value, n);
}

static bool parse_event(struct span_build *b, const uint8_t *p, size_t n, struct model_event *out)
{
	uint64_t time;

	if (n <= sizeof time)
		return false;
	memcpy(&time, p, sizeof time);
	*out = (struct model_event){ .time_unix_ns = build_time(b, time) };
	out->name = build_string(b, p + sizeof time, n - sizeof time);
	return true;
}

static bool parse_link(const uint8_t *p, size_t n, struct model_link *out)
{
	static const uint8_t zero[16];

	if (n != LINK_BYTES || memcmp(p, zero, 16) == 0 || memcmp(p + 16, zero, 8) == 0)
		return false;
	*out = (struct model_link){ .flags = (p[24] & 3u) | 0x100u };
	memcpy(out->trace_id, p, 16);
	memcpy(out->span_id, p + 16, 8);
	return true;
}

/* A list that is being made: on the caller's stack, and in the arena at the end. */
struct items {
	char *at;
	size_t n, limit, bytes; /* bytes: of one */
};

/* Keeps *item if there is room for it. */
static void *keep(struct items *items, uint32_t *dropped, const void *item)
{
	if (items->n >= items->limit) {
		++*dropped;
		return NULL;
	}
	return memcpy(items->at + items->n++ * items->bytes, item, items->bytes);
}

static void *to_arena(struct arena *arena, struct items *items)
{
	size_t bytes = items->n * items->bytes;
	void *out = bytes ? arena_take(arena, bytes) : NULL;

	if (!out)
		items->n = 0;
	return out ? memcpy(out, items->at, bytes) : NULL;
}

/* The attributes of an event follow it. */
static void begin_event(struct span_build *b)
{
	attribute_set_begin(&b->set, b->arena, b->options->event_attribute_limit, b->options->value_chars);
}

static void end_event(struct span_build *b, struct model_event *event)
{
	if (!event)
		return;
	event->attributes = attribute_set_end(&b->set);
	event->dropped_attributes = b->set.dropped;
}

void own_events_and_links(struct span_build *b, struct span *out)
{
	struct model_event event_room[EVENTS_MAX], event, *last = NULL;
	struct model_link link_room[LINKS_MAX], link;
	struct items events = { (char *)event_room, 0, b->options->event_limit, sizeof event };
	struct items links = { (char *)link_room, 0, b->options->link_limit, sizeof link };
	size_t pos = 0, n;
	enum span_tag tag;
	const uint8_t *value;

	if (!b->has[TAG_EVENT] && !b->has[TAG_LINK])
		return;
	while (span_next_string(b->copy, &pos, &tag, &value, &n)) {
		if (tag == TAG_EVENT_ATTRIBUTE && last) {
			put_attribute(b, value, n);
		} else if (tag == TAG_EVENT) {
			end_event(b, last);
			last = parse_event(b, value, n, &event) ? keep(&events, &out->dropped_events, &event)
								: NULL;
			begin_event(b);
		} else if (tag == TAG_LINK && parse_link(value, n, &link)) {
			keep(&links, &out->dropped_links, &link);
		}
	}
	end_event(b, last);
	out->events = to_arena(b->arena, &events);
	out->n_events = events.n;
	out->links = to_arena(b->arena, &links);
	out->n_links = links.n;
}
