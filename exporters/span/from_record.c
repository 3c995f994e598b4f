/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/from_record.h"

#include <errno.h>
#include <string.h>

#include "exporters/span/build.h"

#define FLAG_SAMPLED      0x001u
#define FLAG_RANDOM       0x002u
#define FLAG_REMOTE_KNOWN 0x100u
#define FLAG_REMOTE       0x200u

/* What was not sampled in the host but is exported all the same went on without the flag. */
static uint32_t flags_of(const struct span_record *r)
{
	uint32_t flags = FLAG_REMOTE_KNOWN | (r->trace_flags & FLAG_RANDOM);

	if (r->flags & (SPAN_FLAG_SAMPLED | SPAN_FLAG_UNDECIDED))
		flags |= FLAG_SAMPLED;
	if (r->flags & SPAN_FLAG_REMOTE_PARENT)
		flags |= FLAG_REMOTE;
	return flags;
}

/* Printable ASCII as W3C Trace Context 3.3.1 wants it; the library has read the members, this holds the
 * encoders safe. */
static struct slice trace_state(const struct span_build *b)
{
	struct slice s = b->text[TAG_TRACESTATE];

	/* of a CLIENT span: its parent's, or what the program sends itself */
	if (!(b->record->flags & SPAN_FLAG_REMOTE_PARENT) && b->record->kind != SPAN_KIND_CLIENT)
		return SLICE("");
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' || s.p[i] > '~') && s.p[i] != '\t')
			return SLICE("");
	return s;
}

static uint64_t last_moment(const struct span_record *r)
{
	uint64_t end = r->end_ns;

	if (end)
		return end;
	end = r->start_ns > r->request_end_ns ? r->start_ns : r->request_end_ns;
	return end > r->response_start_ns ? end : r->response_start_ns;
}

static void identity(const struct span_build *b, struct span *out)
{
	const struct span_record *r = b->record;

	memcpy(out->trace_id, r->trace_id, sizeof out->trace_id);
	memcpy(out->span_id, r->span_id, sizeof out->span_id);
	memcpy(out->parent_span_id, r->parent_span_id, sizeof out->parent_span_id);
	out->flags = flags_of(r);
	out->start_unix_ns = build_time(b, r->start_ns);
	out->end_unix_ns = build_time(b, last_moment(r));
	if (out->end_unix_ns < out->start_unix_ns)
		out->end_unix_ns = out->start_unix_ns;
	out->trace_state = trace_state(b);
	out->resource = b->resource;
	out->scope = b->options->scope;
}

static void own_span(struct span_build *b, struct span *out)
{
	out->name = b->text[TAG_NAME].n ? b->text[TAG_NAME] : SLICE("unnamed");
	http_outcome(b, out);
	if (b->record->flags & SPAN_FLAG_STATUS_ERROR) {
		out->status = MODEL_STATUS_ERROR;
		out->status_message = b->text[TAG_STATUS_MESSAGE];
	} else if (b->record->flags & SPAN_FLAG_STATUS_OK && out->status == MODEL_STATUS_UNSET) {
		out->status = MODEL_STATUS_OK; /* but of a process that died nobody knows */
	}
}

int span_from_record(const struct span_slot *copy, const struct span_options *options,
		     const struct resource *resource, int64_t mono_to_unix_ns, struct arena *arena,
		     struct span *out)
{
	struct span_build b;

	if (!span_record_valid(copy))
		return -EBADMSG;
	b.options = options;
	b.record = &copy->head;
	b.resource = resource;
	b.arena = arena;
	b.mono_to_unix_ns = mono_to_unix_ns;
	b.copy = copy;
	b.strings = NULL;
	*out = (struct span){ .kind = (enum model_kind)copy->head.kind };
	build_read_strings(&b);
	attribute_set_begin(&b.set, arena, options->attribute_limit, options->value_chars);
	identity(&b, out);
	switch (copy->head.kind) {
	case SPAN_KIND_SERVER: http_server(&b, out); break;
	case SPAN_KIND_CLIENT: http_client(&b, out); break;
	default: own_span(&b, out); break;
	}
	extras_flags(&b);
	if (copy->head.kind != SPAN_KIND_INTERNAL) {
		extras_timing(&b);
		captured_headers(&b);
	}
	own_attributes(&b);
	out->attributes = attribute_set_end(&b.set);
	out->dropped_attributes = b.set.dropped + copy->head.dropped_attributes;
	out->dropped_events = copy->head.dropped_events;
	own_events_and_links(&b, out); /* uses the set anew */
	return arena->failed ? -ENOMEM : 0;
}
