/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/record_random.h"

#include <string.h>

#include "exporters/base/utf8.h"
#include "shim/abi/table.h"

static uint8_t take(struct bytes *in)
{
	if (!in->n)
		return 0;
	in->n--;
	return *in->p++;
}

static void fill(struct bytes *in, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = take(in);
}

/* Pieces of what clients send, so that the parsers get further than random bytes do. */
static const char *const words[] = {
	"/users/7?a=1&sig=2#f",
	"/a;jsessionid=1",
	"http://u:p@h.example:81/a?b",
	"*",
	"h.example:8080",
	"[::1]:9",
	"for=\"[2001:db8::1]:1\";host=x;proto=https",
	"for=192.0.2.60, for=_x",
	"203.0.113.1, 10.0.0.1",
	"https",
	"rojo=00f067aa0ba902b7",
	"PURGE",
	"x-request-id",
	"content-type",
	"referer",
	"cookie",
	"\xff\xc3\xa4",
	"",
	"/st\xc3\xa4"
	"dte",
	"&",
	";",
	"=",
	"?",
	"%73ig=",
	"http://",
	"\"",
	"\\",
	",",
	":",
	"@",
	"curl/7.88.1",
};

static size_t put_text(struct bytes *in, uint8_t *out, size_t room)
{
	size_t n = 0, pieces = take(in) % 4;

	for (size_t i = 0; i < pieces; i++) {
		uint8_t choice = take(in);
		const char *word = words[choice % (sizeof words / sizeof *words)];
		size_t length = choice < 224 ? strlen(word) : choice & 31u;

		if (length > room - n)
			length = room - n;
		if (choice < 224)
			memcpy(out + n, word, length);
		else
			fill(in, out + n, length);
		n += length;
	}
	return n;
}

/* The inner form of the tag, most of the time. */
static size_t put_value(struct bytes *in, enum span_tag tag, uint8_t *out, size_t room)
{
	size_t n = 0;

	if (room < 64 || take(in) % 8 == 0)
		return put_text(in, out, room);
	switch (tag) {
	case TAG_LINK: fill(in, out, 25); return 25;
	case TAG_EVENT: fill(in, out, 8); return 8 + put_text(in, out + 8, room - 8);
	case TAG_ATTRIBUTE:
	case TAG_EVENT_ATTRIBUTE:
		out[n++] = (uint8_t)(1 + take(in) % 4);
		n += put_text(in, out + n, room - n - 9);
		out[n++] = 0;
		fill(in, out + n, 8);
		return n + (out[0] == SPAN_ATTRIBUTE_BOOL ? 1 : 8);
	case TAG_REQUEST_HEADER:
	case TAG_RESPONSE_HEADER:
		n = put_text(in, out, room / 2);
		out[n++] = 0;
		return n + put_text(in, out + n, room - n);
	default: return put_text(in, out, room);
	}
}

static void put_strings(struct bytes *in, struct span_slot *s)
{
	size_t count = take(in) % 24, at = 0;

	for (size_t i = 0; i < count && SPAN_TAIL_BYTES - at >= 4; i++) {
		uint16_t tag = (uint16_t)(1 + take(in) % (TAG_MAX - 1));
		uint16_t n = (uint16_t)put_value(in, (enum span_tag)tag, s->tail + at + 4,
						 SPAN_TAIL_BYTES - at - 4);

		memcpy(s->tail + at, &tag, 2);
		memcpy(s->tail + at + 2, &n, 2);
		at += 4u + n;
	}
	s->head.tail_bytes = (uint16_t)at;
}

static void mend_address(struct span_address *a)
{
	static const uint16_t families[] = { 0, 1, 2, 2, 10, 10, 2, 2 };

	a->family = families[a->family % 8];
}

void record_random(struct bytes *in, struct span_slot *out)
{
	static const uint16_t usual[] = { 0, 99, 100, 101, 200, 204, 304, 404, 500, 503, 599, 999 };
	struct span_record *r = &out->head;

	memset(out, 0, sizeof *out);
	fill(in, r, sizeof *r);
	r->trace_id[0] |= 1;
	r->span_id[0] |= 1;
	r->kind = (uint8_t)(1 + r->kind % 3);
	r->method %= SPAN_METHOD_MAX;
	r->end %= SPAN_END_MAX;
	r->status = r->status & 0x1000 ? r->status % 1000 : usual[r->status % (sizeof usual / sizeof *usual)];
	r->process %= TABLE_PROCESSES;
	mend_address(&r->peer);
	mend_address(&r->local);
	mend_address(&r->proxied);
	if (take(in) % 4) { /* times like real ones */
		r->start_ns %= 1ull << 50;
		r->request_end_ns = r->request_end_ns % 4 ? r->start_ns + r->request_end_ns % 1000000 : 0;
		r->response_start_ns = r->start_ns + r->response_start_ns % 1000000;
		r->end_ns = r->response_start_ns + r->end_ns % 1000000;
	}
	put_strings(in, out);
}

static struct slice some_route(void *state, struct slice service, struct slice method, struct slice path,
			       unsigned int status)
{
	(void)state, (void)service, (void)method;
	return path.n % 2 && status != 404 ? SLICE("/users/{id}") : SLICE("");
}

void options_random(struct bytes *in, struct span_options *out)
{
	uint8_t a = take(in), b = take(in);

	span_options_init(out);
	span_options_conventions(out, (enum span_conventions)(1 + a % 3));
	out->detail = (enum span_detail)(a / 4 % 3);
	out->trust = (enum span_trust)(a / 16 % 3);
	if (a & 0x80)
		out->router.find = some_route;
	if (b < 32)
		out->attribute_limit = b;
	if (b & 0x40)
		out->value_chars = b & 15;
	if (b & 0x80)
		out->event_limit = out->link_limit = out->event_attribute_limit = b & 3;
	if (b == 0x3f)
		out->redact_headers.n = 0;
}

static bool text_ok(const struct value *v)
{
	if (v->type == VALUE_STRING)
		return utf8_valid(v->string);
	if (v->type != VALUE_ARRAY)
		return v->type == VALUE_BOOL || v->type == VALUE_INT || v->type == VALUE_DOUBLE;
	for (size_t i = 0; i < v->array.n; i++)
		if (v->array.items[i].type != v->array.items[0].type ||
		    v->array.items[i].type == VALUE_ARRAY || !text_ok(&v->array.items[i]))
			return false;
	return true;
}

static const char *attributes_broken(const struct attributes *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (!a->items[i].key.n || !utf8_valid(a->items[i].key))
			return "a key is empty or no UTF-8";
		if (!text_ok(&a->items[i].value))
			return "a value is no UTF-8, or an array is mixed";
		for (size_t j = 0; j < i; j++)
			if (slice_equal(a->items[i].key, a->items[j].key))
				return "a key comes twice";
	}
	return NULL;
}

const char *model_broken(const struct span *s)
{
	static const uint8_t zero[16];

	if (memcmp(s->trace_id, zero, 16) == 0 || memcmp(s->span_id, zero, 8) == 0)
		return "an id is zero";
	if (s->end_unix_ns < s->start_unix_ns || !s->start_unix_ns || s->end_unix_ns > INT64_MAX)
		return "times";
	if (!s->name.n || !utf8_valid(s->name))
		return "the name is empty or no UTF-8";
	if (!utf8_valid(s->trace_state) || !utf8_valid(s->status_message))
		return "trace state or message is no UTF-8";
	if (s->status_message.n && s->status != MODEL_STATUS_ERROR)
		return "a message without an error";
	if (s->flags & ~0x303u || !(s->flags & 0x100))
		return "flags";
	if (!s->resource || !s->scope || !s->scope->name.n)
		return "no resource or scope";
	for (size_t i = 0; i < s->n_events; i++)
		if (!s->events[i].name.n || !utf8_valid(s->events[i].name) || !s->events[i].time_unix_ns)
			return "an event";
	for (size_t i = 0; i < s->n_links; i++)
		if (memcmp(s->links[i].trace_id, zero, 16) == 0 || memcmp(s->links[i].span_id, zero, 8) == 0)
			return "a link's id is zero";
	return attributes_broken(&s->attributes);
}
