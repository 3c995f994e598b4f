/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Jaeger in Thrift (jaeger.thrift, agent.thrift): a Batch of one process, as an
 * emitBatch message for the agent's UDP ports (compact 6831, binary 6832) or bare for
 * the collector's HTTP port 14268 (binary).
 */

#include "exporters/encode/formats.h"
#include "exporters/encode/repeat.h"
#include "exporters/encode/spans.h"
#include "exporters/encode/tags.h"
#include "exporters/encode/thrift.h"

/* Field ids, by struct. */
enum {
	ARGUMENT_BATCH = 1,
	BATCH_PROCESS = 1,
	BATCH_SPANS = 2,
	PROCESS_NAME = 1,
	PROCESS_TAGS = 2,
	SPAN_TRACE_ID_LOW = 1,
	SPAN_TRACE_ID_HIGH = 2,
	SPAN_ID = 3,
	SPAN_PARENT_ID = 4,
	SPAN_NAME = 5,
	SPAN_REFERENCES = 6,
	SPAN_FLAGS = 7,
	SPAN_START = 8,
	SPAN_DURATION = 9,
	SPAN_TAGS = 10,
	SPAN_LOGS = 11,
	REFERENCE_TYPE = 1,
	REFERENCE_TRACE_ID_LOW = 2,
	REFERENCE_TRACE_ID_HIGH = 3,
	REFERENCE_SPAN_ID = 4,
	TAG_KEY = 1,
	TAG_TYPE = 2,
	TAG_STRING = 3,
	TAG_DOUBLE = 4,
	TAG_BOOL = 5,
	TAG_LONG = 6,
	LOG_TIME = 1,
	LOG_FIELDS = 2,
};

enum { TYPE_STRING = 0, TYPE_DOUBLE = 1, TYPE_BOOL = 2, TYPE_LONG = 3 }; /* not the numbers of jaeger.proto */
enum { REFERENCE_FOLLOWS_FROM = 1 };
enum { FLAG_SAMPLED = 1 };
enum { LARGE_SPAN = 16384 };

struct jaeger {
	struct thrift thrift;
	size_t max_value_bytes;
	struct tags_repeat repeat;
	struct repeat attributes;
};

/* Ids are read big endian and reinterpreted as signed. */
static int64_t id_of(const uint8_t *bytes)
{
	uint64_t id;

	memcpy(&id, bytes, sizeof(id));
	return (int64_t)be64toh(id);
}

/* An array goes as its JSON text, whose length is not known before. */
__attribute__((noinline)) static void add_array_tag(struct jaeger *j, const struct attribute *tag)
{
	struct thrift *t = &j->thrift;
	uint8_t outer = thrift_item(t);
	size_t start;

	thrift_string(t, TAG_KEY, tag->key);
	thrift_i32(t, TAG_TYPE, TYPE_STRING);
	start = t->out->n;
	tags_add_text(t->out, &tag->value, j->max_value_bytes);
	thrift_string_from_tail(t, TAG_STRING, start);
	thrift_end(t, outer);
}

static inline char *put_tag_value(char *p, bool compact, const struct value *value, struct utf8_text text)
{
	switch (value->type) {
	case VALUE_BOOL:
		p = thrift_put_i32(p, compact, TAG_KEY, TAG_TYPE, TYPE_BOOL);
		return thrift_put_bool(p, compact, TAG_TYPE, TAG_BOOL, value->boolean);
	case VALUE_INT:
		p = thrift_put_i32(p, compact, TAG_KEY, TAG_TYPE, TYPE_LONG);
		return thrift_put_i64(p, compact, TAG_TYPE, TAG_LONG, value->integer);
	case VALUE_DOUBLE:
		p = thrift_put_i32(p, compact, TAG_KEY, TAG_TYPE, TYPE_DOUBLE);
		return thrift_put_double(p, compact, TAG_TYPE, TAG_DOUBLE, value->real);
	default:
		p = thrift_put_i32(p, compact, TAG_KEY, TAG_TYPE, TYPE_STRING);
		return thrift_put_string(p, compact, TAG_TYPE, TAG_STRING, text);
	}
}

/* Most of the time goes here, so room is looked for once a tag. */
static void add_tag_of(struct jaeger *j, const struct attribute *tag, struct utf8_text key)
{
	struct utf8_text text = { .size = 0 };
	bool compact = j->thrift.compact;
	struct buf *b = j->thrift.out;
	char *p;

	if (tag->value.type == VALUE_ARRAY) {
		add_array_tag(j, tag);
		return;
	}
	if (tag->value.type == VALUE_STRING)
		text = utf8_text_of(tags_cut(tag->value.string, j->max_value_bytes));
	if (!buf_reserve(b, 3 * (THRIFT_FIELD_MAX + THRIFT_VARINT_MAX) + 1 + key.size + text.size))
		return;
	p = thrift_put_string(b->p + b->n, compact, 0, TAG_KEY, key);
	p = put_tag_value(p, compact, &tag->value, text);
	*p++ = THRIFT_STOP;
	b->n = (size_t)(p - b->p);
}

static void add_tag(struct jaeger *j, const struct attribute *tag)
{
	add_tag_of(j, tag, utf8_text_of(tag->key));
}

static void add_attributes(struct jaeger *j, struct attributes attributes, const struct tags *tags,
			   bool replaced)
{
	struct repeat *repeat = &j->attributes;

	repeat_begin(repeat);
	for (size_t i = 0; i < attributes.n; i++) {
		const struct attribute *attribute = &attributes.items[i];
		struct utf8_text key;

		if ((replaced && tags_replace(tags, attribute)) ||
		    repeat_attribute(repeat, j->thrift.out, attribute))
			continue;
		key = repeat_key(repeat);
		add_tag_of(j, attribute, key);
		repeat_written(repeat, j->thrift.out, key.valid);
	}
}

static void add_tags(struct jaeger *j, const struct span *span, const struct encode_options *options)
{
	struct attributes attributes = span->attributes;
	struct buf *b = j->thrift.out;
	struct tags tags;
	size_t replaced = 0;

	tags_map(&tags, span, TAGS_OF_JAEGER, options);
	for (size_t i = 0; i < attributes.n; i++)
		replaced += tags_replace(&tags, &attributes.items[i]);
	if (attributes.n + tags.n == replaced)
		return;
	thrift_list(&j->thrift, SPAN_TAGS, attributes.n + tags.n - replaced);
	add_attributes(j, attributes, &tags, replaced);
	for (size_t i = 0; i < tags.n_own; i++)
		add_tag(j, &tags.items[i]);
	if (tags_repeated(&j->repeat, span, b->n)) {
		buf_repeat(b, j->repeat.at, j->repeat.n);
		return;
	}
	for (size_t i = tags.n_own; i < tags.n; i++)
		add_tag(j, &tags.items[i]);
	j->repeat.n = b->n - j->repeat.at;
}

/* parentSpanId tells the parent; what is referred to beside it are links. */
static void add_references(struct thrift *t, const struct span *span)
{
	if (!span->n_links)
		return;
	thrift_list(t, SPAN_REFERENCES, span->n_links);
	for (size_t i = 0; i < span->n_links; i++) {
		uint8_t outer = thrift_item(t);

		thrift_i32(t, REFERENCE_TYPE, REFERENCE_FOLLOWS_FROM);
		thrift_i64(t, REFERENCE_TRACE_ID_LOW, id_of(span->links[i].trace_id + 8));
		thrift_i64(t, REFERENCE_TRACE_ID_HIGH, id_of(span->links[i].trace_id));
		thrift_i64(t, REFERENCE_SPAN_ID, id_of(span->links[i].span_id));
		thrift_end(t, outer);
	}
}

static void add_logs(struct jaeger *j, const struct span *span)
{
	struct thrift *t = &j->thrift;

	if (!span->n_events)
		return;
	thrift_list(t, SPAN_LOGS, span->n_events);
	for (size_t i = 0; i < span->n_events; i++) {
		const struct model_event *event = &span->events[i];
		struct attribute name = tags_event_name(event);
		bool with_name = !tags_have(event->attributes, name.key);
		uint8_t outer = thrift_item(t);

		thrift_i64(t, LOG_TIME, (int64_t)(event->time_unix_ns / 1000));
		thrift_list(t, LOG_FIELDS, event->attributes.n + with_name);
		if (with_name)
			add_tag(j, &name);
		for (size_t k = 0; k < event->attributes.n; k++)
			add_tag(j, &event->attributes.items[k]);
		thrift_end(t, outer);
	}
}

static void add_span(struct jaeger *j, const struct span *span, const struct encode_options *options)
{
	struct thrift *t = &j->thrift;
	uint8_t outer = thrift_item(t);

	thrift_i64(t, SPAN_TRACE_ID_LOW, id_of(span->trace_id + 8));
	thrift_i64(t, SPAN_TRACE_ID_HIGH, id_of(span->trace_id));
	thrift_i64(t, SPAN_ID, id_of(span->span_id));
	thrift_i64(t, SPAN_PARENT_ID, id_of(span->parent_span_id));
	thrift_string(t, SPAN_NAME, span->name);
	add_references(t, span);
	thrift_i32(t, SPAN_FLAGS, FLAG_SAMPLED);
	thrift_i64(t, SPAN_START, (int64_t)(span->start_unix_ns / 1000));
	thrift_i64(t, SPAN_DURATION, (int64_t)(span_duration_ns(span) / 1000));
	add_tags(j, span, options);
	add_logs(j, span);
	thrift_end(t, outer);
}

static void add_process(struct jaeger *j, const struct resource *resource)
{
	struct thrift *t = &j->thrift;
	uint8_t outer = thrift_struct(t, BATCH_PROCESS);
	size_t n = tags_of_process(resource);

	thrift_string(t, PROCESS_NAME, resource->service_name);
	if (n)
		thrift_list(t, PROCESS_TAGS, n);
	for (size_t i = 0; i < resource->attributes.n; i++)
		if (!tags_is_service_name(&resource->attributes.items[i]))
			add_tag(j, &resource->attributes.items[i]);
	thrift_end(t, outer);
}

/*
 * About how many spans of the size of the first fit below `end`: the header's length depends on it, and a
 * wrong guess costs a move of them all.
 */
static size_t guess_taken(struct jaeger *j, const struct span *spans, size_t n,
			  const struct encode_options *options, size_t end)
{
	struct buf *b = j->thrift.out;
	size_t mark = b->n, room = end > mark ? end - mark : 0, size;

	if (room / n >= LARGE_SPAN)
		return n;
	add_span(j, spans, options);
	size = b->n - mark;
	buf_truncate(b, mark);
	j->repeat = (struct tags_repeat){ 0 };
	repeat_forget(&j->attributes);
	return size && room / size < n ? room / size : n;
}

/*
 * The Batch's fields; its stop byte and `closing` - 1 more follow. The list's header says
 * how many spans and is written last, into room that is guessed.
 */
static size_t add_batch(struct jaeger *j, const struct span *spans, size_t n,
			const struct encode_options *options, size_t end, size_t closing)
{
	struct buf *b = j->thrift.out;
	char header[THRIFT_LIST_HEADER_MAX];
	size_t header_at, guess, size, taken;

	add_process(j, spans->resource);
	taken = guess_taken(j, spans, n, options, end);
	thrift_list(&j->thrift, BATCH_SPANS, taken);
	guess = thrift_list_size(&j->thrift, taken);
	header_at = b->n - guess;
	for (taken = 0; taken < n; taken++) {
		size_t mark = b->n;

		add_span(j, &spans[taken], options);
		if (b->n - guess + thrift_list_size(&j->thrift, taken + 1) + closing > end) {
			buf_truncate(b, mark);
			break;
		}
	}
	size = thrift_put_list(&j->thrift, header, taken);
	if (b->failed)
		return taken;
	if (size != guess)
		memmove(b->p + header_at + size, b->p + header_at + guess, b->n - header_at - guess);
	memcpy(b->p + header_at, header, size);
	b->n -= guess - size;
	return taken;
}

enum envelope { BARE, MESSAGE };

static size_t encode_once(struct jaeger *j, const struct span *spans, size_t n,
			  const struct encode_options *options, enum envelope envelope, size_t end)
{
	struct thrift *t = &j->thrift;
	size_t start = t->out->n, taken;
	uint8_t outer = 0;

	if (envelope == MESSAGE) {
		thrift_message(t, SLICE("emitBatch"));
		outer = thrift_struct(t, ARGUMENT_BATCH);
	}
	taken = add_batch(j, spans, n, options, end, envelope == MESSAGE ? 2 : 1);
	thrift_end(t, outer);
	if (envelope == MESSAGE)
		buf_add_byte(t->out, 0);
	if (taken == 0)
		buf_truncate(t->out, start);
	return taken;
}

/* A span that is too large as it is loses the ends of its values before it is given up. */
static size_t encode_spans(const struct span *spans, size_t n, const struct encode_options *options,
			   bool compact, enum envelope envelope, struct buf *out)
{
	static const size_t shorter[] = { 4096, 1024, 256, 64, 16 };
	struct jaeger j = { .thrift = { .out = out, .compact = compact },
			    .max_value_bytes = options->max_tag_value_bytes };
	size_t end = payload_end(options, out), taken;

	n = spans_of_one_resource(spans, n);
	taken = encode_once(&j, spans, n, options, envelope, end);
	for (size_t i = 0; taken == 0 && !out->failed && i < sizeof(shorter) / sizeof(*shorter); i++) {
		if (j.max_value_bytes && j.max_value_bytes <= shorter[i])
			continue;
		j = (struct jaeger){ .thrift = { .out = out, .compact = compact },
				     .max_value_bytes = shorter[i] };
		taken = encode_once(&j, spans, 1, options, envelope, end);
	}
	return taken;
}

static size_t encode_compact(const struct batch *batch, size_t from, size_t n,
			     const struct encode_options *options, struct buf *out)
{
	return encode_spans(batch->spans + from, n, options, true, MESSAGE, out);
}

static size_t encode_binary(const struct batch *batch, size_t from, size_t n,
			    const struct encode_options *options, struct buf *out)
{
	return encode_spans(batch->spans + from, n, options, false, MESSAGE, out);
}

static size_t encode_binary_batch(const struct batch *batch, size_t from, size_t n,
				  const struct encode_options *options, struct buf *out)
{
	return encode_spans(batch->spans + from, n, options, false, BARE, out);
}

const struct format format_jaeger_compact = { .name = "jaeger-compact", .encode = encode_compact };
const struct format format_jaeger_binary = { .name = "jaeger-binary", .encode = encode_binary };
const struct format format_jaeger_binary_batch = {
	.name = "jaeger-binary-batch",
	.content_type = "application/x-thrift",
	.encode = encode_binary_batch,
};
