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

/* Keeps *item if there is room for it. */
static void keep(void *items, size_t *n, size_t limit, uint32_t *dropped, const void *item, size_t bytes)
{
	if (*n >= limit)
		++*dropped;
	else
		memcpy((char *)items + (*n)++ * bytes, item, bytes);
}

static void *to_arena(struct arena *arena, const void *items, size_t bytes)
{
	void *out = bytes ? arena_take(arena, bytes) : NULL;

	return out ? memcpy(out, items, bytes) : NULL;
}

void own_events_and_links(struct span_build *b, struct span *out)
{
	struct model_event events[EVENTS_MAX], event;
	struct model_link links[LINKS_MAX], link;
	size_t pos = 0, n, n_events = 0, n_links = 0;
	enum span_tag tag;
	const uint8_t *value;

	if (!b->has[TAG_EVENT] && !b->has[TAG_LINK])
		return;
	while (span_next_string(b->copy, &pos, &tag, &value, &n)) {
		if (tag == TAG_EVENT && parse_event(b, value, n, &event))
			keep(events, &n_events, b->options->event_limit, &out->dropped_events, &event,
			     sizeof event);
		else if (tag == TAG_LINK && parse_link(value, n, &link))
			keep(links, &n_links, b->options->link_limit, &out->dropped_links, &link,
			     sizeof link);
	}
	out->events = to_arena(b->arena, events, n_events * sizeof event);
	out->n_events = out->events ? n_events : 0;
	out->links = to_arena(b->arena, links, n_links * sizeof link);
	out->n_links = out->links ? n_links : 0;
}
