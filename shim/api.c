/* SPDX-License-Identifier: Apache-2.0 */
/* What the library exports for programs: btrace.h. */
#define BTRACE_LIBRARY
#define BTRACE_API __attribute__((visibility("default")))
#include "shim/btrace.h"

#include <string.h>

#include "shim/activate.h"
#include "shim/engine.h"
#include "shim/guard.h"
#include "shim/http/tracectx.h"
#include "shim/own.h"
#include "shim/take_up.h"

_Static_assert(sizeof(struct btrace_context) == 32, "ABI");
_Static_assert(offsetof(struct btrace_context, flags) == 24, "ABI");
_Static_assert(offsetof(struct btrace_table, from_traceparent) == 14 * sizeof(size_t), "ABI: append only");
_Static_assert(BTRACE_TRACEPARENT_BYTES == TRACECTX_TRACEPARENT_BYTES + 1, "its NUL");

#define FLAG_SAMPLED 1u
#define FLAG_RANDOM  2u

/* internal[] of a context of ours; of one that the program made all are zero, and its flags decide. */
enum { INTERNAL_OURS, INTERNAL_DECISION, INTERNAL_EARLY, INTERNAL_DEBUG };

static bool any(const uint8_t *p, size_t n)
{
	uint8_t seen = 0;

	for (size_t i = 0; i < n; i++)
		seen |= p[i];
	return seen;
}

static bool is_set(const struct btrace_context *c)
{
	return any(c->trace_id, sizeof(c->trace_id)) && any(c->span_id, sizeof(c->span_id));
}

static void import(const struct btrace_context *c, struct own_parent *parent)
{
	uint8_t decision = c->internal[INTERNAL_DECISION];

	parent->known = is_set(c);
	parent->ambiguous = parent->lost = false;
	parent->remote = parent->known && !c->internal[INTERNAL_OURS];
	parent->early = parent->known && c->internal[INTERNAL_EARLY];
	parent->context = (struct serving_context){ .trace_flags = c->flags & (FLAG_SAMPLED | FLAG_RANDOM),
						    .debug = c->internal[INTERNAL_DEBUG] };
	memcpy(parent->context.trace_id, c->trace_id, sizeof(c->trace_id));
	memcpy(parent->context.span_id, c->span_id, sizeof(c->span_id));
	if (parent->remote)
		decision = c->flags & FLAG_SAMPLED ? SERVING_SAMPLED : SERVING_NOT_SAMPLED;
	if (parent->known && decision <= SERVING_EXCLUDED)
		parent->context.decision = decision;
	if (parent->remote)
		own_request_of(parent);
}

static void export(const struct serving_context *from, bool early, struct btrace_context *to)
{
	memcpy(to->trace_id, from->trace_id, sizeof(to->trace_id));
	memcpy(to->span_id, from->span_id, sizeof(to->span_id));
	to->flags = (uint8_t)((from->trace_flags & FLAG_RANDOM) |
			      (from->decision == SERVING_SAMPLED ? FLAG_SAMPLED : 0u));
	to->internal[INTERNAL_OURS] = 1;
	to->internal[INTERNAL_DECISION] = from->decision;
	to->internal[INTERNAL_EARLY] = early;
	to->internal[INTERNAL_DEBUG] = from->debug;
}

/* The number of a span or of one of its events. */
static uint64_t span_of(btrace_span span) { return span & ((UINT64_C(1) << OWN_EVENT_SHIFT) - 1); }

static uint8_t event_of(btrace_span span) { return (uint8_t)(span >> OWN_EVENT_SHIFT); }

static struct own *enter(btrace_span span) { return span && active() ? own_enter(span_of(span)) : NULL; }

btrace_span btrace_begin_in(const char *name, const struct btrace_context *context, uint32_t flags)
{
	struct own_parent parent;
	btrace_span span = 0;

	GUARD_ENTER();
	if (name && shim_armed() && (active() || activate())) {
		if (context)
			import(context, &parent);
		else
			own_innermost(&parent);
		span = own_begin(name, &parent, flags & BTRACE_DETACHED);
	}
	GUARD_LEAVE();
	return span;
}

btrace_span btrace_begin(const char *name) { return btrace_begin_in(name, NULL, 0); }

void btrace_end(btrace_span span)
{
	GUARD_ENTER();
	if (span && active())
		own_end(span_of(span));
	GUARD_LEAVE();
}

int btrace_recording(btrace_span span)
{
	struct serving_context context;

	return span && active() && own_read(span_of(span), &context) && context.slot != TABLE_NO_SLOT;
}

static void set(btrace_span span, const char *key, enum span_attribute type, const void *p, size_t n)
{
	const struct own_value value = { type, p, n };
	struct own *o = key && p ? enter(span) : NULL;

	if (!o)
		return;
	own_put_attribute(o, event_of(span), key, &value);
	own_leave(o);
}

void btrace_set_string(btrace_span span, const char *key, const char *value)
{
	set(span, key, SPAN_ATTRIBUTE_STRING, value, value ? strnlen(value, SPAN_TAIL_BYTES) : 0);
}

void btrace_set_int(btrace_span span, const char *key, int64_t value)
{
	set(span, key, SPAN_ATTRIBUTE_INT, &value, sizeof(value));
}

void btrace_set_double(btrace_span span, const char *key, double value)
{
	set(span, key, SPAN_ATTRIBUTE_DOUBLE, &value, sizeof(value));
}

void btrace_set_bool(btrace_span span, const char *key, int value)
{
	uint8_t truth = value != 0;

	set(span, key, SPAN_ATTRIBUTE_BOOL, &truth, sizeof(truth));
}

btrace_span btrace_event(btrace_span span, const char *name)
{
	struct own *o = name && *name ? enter(span) : NULL;
	uint8_t event = OWN_EVENT_LOST;

	if (o) {
		GUARD_ENTER();
		event = own_put_event(o, name, clock_now_ns());
		own_leave(o);
		GUARD_LEAVE();
	}
	return span ? span_of(span) | (uint64_t)event << OWN_EVENT_SHIFT : 0;
}

void btrace_status(btrace_span span, int status, const char *message)
{
	struct own *o = status == BTRACE_OK || status == BTRACE_ERROR ? enter(span) : NULL;

	if (!o)
		return;
	own_put_status(o, status == BTRACE_ERROR, message);
	own_leave(o);
}

int btrace_current(struct btrace_context *context)
{
	struct own_parent parent = { .known = false };

	memset(context, 0, sizeof(*context));
	if (active())
		own_innermost(&parent);
	if (!parent.known || parent.lost)
		return 0;
	export(&parent.context, parent.early, context);
	return 1;
}

int btrace_context_of(btrace_span span, struct btrace_context *context)
{
	struct serving_context own;

	memset(context, 0, sizeof(*context));
	if (!span || !active() || !own_read(span_of(span), &own))
		return 0;
	export(&own, own.carried, context);
	return 1;
}

int btrace_to_traceparent(const struct btrace_context *context, char text[BTRACE_TRACEPARENT_BYTES])
{
	text[0] = 0;
	if (!context || !is_set(context))
		return 0;
	tracectx_write_traceparent(text, context->trace_id, context->span_id, context->flags);
	text[BTRACE_TRACEPARENT_BYTES - 1] = 0;
	return 1;
}

int btrace_from_traceparent(const char *text, struct btrace_context *context)
{
	struct tracectx parsed;

	memset(context, 0, sizeof(*context));
	if (!text || !tracectx_traceparent(text, strnlen(text, 512), &parsed))
		return 0;
	memcpy(context->trace_id, parsed.trace_id, sizeof(context->trace_id));
	memcpy(context->span_id, parsed.span_id, sizeof(context->span_id));
	context->flags = parsed.flags;
	return 1;
}

extern const struct btrace_table btrace_table;
BTRACE_API const struct btrace_table btrace_table = {
	.bytes = sizeof(struct btrace_table),
	.begin = btrace_begin,
	.begin_in = btrace_begin_in,
	.end = btrace_end,
	.recording = btrace_recording,
	.set_string = btrace_set_string,
	.set_int = btrace_set_int,
	.set_double = btrace_set_double,
	.set_bool = btrace_set_bool,
	.event = btrace_event,
	.status = btrace_status,
	.current = btrace_current,
	.context_of = btrace_context_of,
	.to_traceparent = btrace_to_traceparent,
	.from_traceparent = btrace_from_traceparent,
};
