/* SPDX-License-Identifier: Apache-2.0 */
/* The INTERNAL children of BentoML's ASGI instrumentation (child_spans: true). */
#include <string.h>

#include "exporters/span/build.h"
#include "exporters/span/from_record.h"
#include "exporters/span/text.h"

/* An id of its own for child number i: the finaliser of SplitMix64 over both ids, so that a repeated run
 * agrees. */
static void child_id(const struct span *parent, uint64_t i, uint8_t out[8])
{
	uint64_t x, trace;

	memcpy(&x, parent->span_id, sizeof x);
	memcpy(&trace, parent->trace_id + 8, sizeof trace);
	x += trace + (i + 1) * 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	x += x == 0;
	memcpy(out, &x, 8);
}

static uint64_t within(const struct span *parent, uint64_t unix_ns)
{
	if (unix_ns < parent->start_unix_ns)
		return parent->start_unix_ns;
	return unix_ns > parent->end_unix_ns ? parent->end_unix_ns : unix_ns;
}

static void begin(struct span_build *b, const struct span *parent, unsigned int i, bool receive,
		  struct span *out)
{
	static const char *const types[] = { "http.request", "http.response.start", "http.response.body" };

	*out = (struct span){ .kind = MODEL_KIND_INTERNAL };
	memcpy(out->trace_id, parent->trace_id, sizeof out->trace_id);
	memcpy(out->parent_span_id, parent->span_id, sizeof out->parent_span_id);
	child_id(parent, i, out->span_id);
	out->flags = (parent->flags & 0xffu) | 0x100u;
	out->name = text_join(
		b->arena,
		(struct slice[]){ parent->name, receive ? SLICE(" http receive") : SLICE(" http send") }, 2);
	out->trace_state = parent->trace_state;
	out->resource = parent->resource;
	out->scope = parent->scope;
	attribute_set_begin(&b->set, b->arena, b->options->attribute_limit, b->options->value_chars);
	build_text(b, NAME_CHILD_TYPE, slice_of(types[i]));
}

static void end(struct span_build *b, uint64_t from, uint64_t to, struct span *out)
{
	out->start_unix_ns = from;
	out->end_unix_ns = to > from ? to : from;
	out->attributes = attribute_set_end(&b->set);
	out->dropped_attributes = b->set.dropped;
}

size_t span_children(const struct span_slot *copy, const struct span_options *options,
		     const struct span *parent, int64_t mono_to_unix_ns, struct arena *arena,
		     struct span out[SPAN_CHILDREN_MAX])
{
	const struct span_record *r = &copy->head;
	struct span_build b;
	uint64_t received = parent->end_unix_ns, answered = parent->end_unix_ns;
	size_t n = 0;

	if (parent->kind != MODEL_KIND_SERVER)
		return 0;
	b.options = options;
	b.arena = arena;
	b.mono_to_unix_ns = mono_to_unix_ns;
	if (r->response_start_ns)
		received = answered = within(parent, build_time(&b, r->response_start_ns));
	if (r->request_end_ns) /* only known with full timing; else the request was in before the answer began
				*/
		received = within(parent, build_time(&b, r->request_end_ns));
	begin(&b, parent, 0, true, &out[n]);
	end(&b, parent->start_unix_ns, received, &out[n++]);
	if (!r->status) /* with one but without its time: killed while it handed over the answer */
		return arena->failed ? 0 : n;
	begin(&b, parent, 1, false, &out[n]);
	build_int(&b, NAME_STATUS, r->status);
	if (r->status >= 500)
		out[n].status = MODEL_STATUS_ERROR;
	end(&b, answered, answered, &out[n++]);
	begin(&b, parent, 2, false, &out[n]);
	end(&b, answered, parent->end_unix_ns, &out[n++]);
	return arena->failed ? 0 : n;
}
