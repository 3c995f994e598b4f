/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */
#include "exporters/encode/otlp_response.h"

#include "answer.pb-c.h"
#include "exporters/base/arena.h"
#include "exporters/base/base64.h"
#include "exporters/base/utf8.h"
#include "exporters/encode/otlp_response_json.h"

/* A body of two bytes an element would otherwise become some fifty times as much in structs. */
enum { MEMORY_MAX = 1024 * 1024 };

static void *take(void *arena, size_t size)
{
	struct arena *a = arena;

	return size > MEMORY_MAX || a->total > MEMORY_MAX ? NULL : arena_take(a, size);
}

/* All of it goes with the arena. */
static void leave(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

static ProtobufCAllocator allocator_of(struct arena *arena)
{
	return (ProtobufCAllocator){ .alloc = take, .free = leave, .allocator_data = arena };
}

static struct slice slice_of_bytes(ProtobufCBinaryData bytes)
{
	return (struct slice){ (const char *)bytes.data, bytes.len };
}

void response_text(char text[RESPONSE_TEXT_SIZE], struct slice s)
{
	size_t n;
	struct buf clean;

	buf_init(&clean);
	s.n = s.n < RESPONSE_TEXT_SIZE ? s.n : RESPONSE_TEXT_SIZE;
	buf_add_utf8(&clean, s);
	n = utf8_cut((struct slice){ clean.p, clean.n }, RESPONSE_TEXT_SIZE - 1);
	for (size_t i = 0; i < n; i++)
		text[i] = (uint8_t)clean.p[i] < 0x20 || clean.p[i] == 0x7f ? ' ' : clean.p[i];
	text[n] = '\0';
	buf_release(&clean);
}

uint32_t response_milliseconds(int64_t seconds, int64_t nanos)
{
	if (seconds < 0 || nanos < 0 || nanos >= 1000000000)
		return 0;
	if (seconds > UINT32_MAX / 1000 - 1)
		return UINT32_MAX;
	return (uint32_t)(seconds * 1000 + (nanos + 999999) / 1000000);
}

bool response_is_retry_info(struct slice type_url)
{
	static const struct slice name = SLICE("google.rpc.RetryInfo");
	const char *slash = type_url.n ? memrchr(type_url.p, '/', type_url.n) : NULL;

	if (slash) {
		type_url.n -= (size_t)(slash + 1 - type_url.p);
		type_url.p = slash + 1;
	}
	return slice_equal(type_url, name);
}

static bool read_response(struct otlp_response *response, struct slice body, struct arena *arena)
{
	ProtobufCAllocator allocator = allocator_of(arena);
	Answer__Response *read = answer__response__unpack(&allocator, body.n, (const uint8_t *)body.p);

	if (!read)
		return false;
	if (!read->partial_success)
		return true;
	if (read->partial_success->rejected_spans > 0)
		response->rejected_spans = (uint64_t)read->partial_success->rejected_spans;
	response_text(response->message, slice_of_bytes(read->partial_success->error_message));
	return true;
}

static void read_retry_info(struct rpc_status *status, const Answer__Any *any, ProtobufCAllocator *allocator)
{
	const Answer__RetryInfo *info =
		answer__retry_info__unpack(allocator, any->value.len, any->value.data);

	if (!info)
		return;
	status->has_retry_info = true;
	if (info->retry_delay)
		status->retry_after_ms =
			response_milliseconds(info->retry_delay->seconds, info->retry_delay->nanos);
}

static bool read_status(struct rpc_status *status, struct slice body, struct arena *arena)
{
	ProtobufCAllocator allocator = allocator_of(arena);
	const Answer__Status *read = answer__status__unpack(&allocator, body.n, (const uint8_t *)body.p);

	if (!read)
		return false;
	status->code = read->code;
	response_text(status->message, slice_of_bytes(read->message));
	for (size_t i = 0; i < read->n_details && !status->has_retry_info; i++)
		if (response_is_retry_info(slice_of_bytes(read->details[i]->type_url)))
			read_retry_info(status, read->details[i], &allocator);
	return true;
}

bool otlp_response_read(struct otlp_response *response, struct slice body, bool json)
{
	struct arena arena;
	bool good;

	*response = (struct otlp_response){ 0 };
	if (!body.n)
		return true;
	if (body.n > RESPONSE_MAX_BYTES)
		return false;
	arena_init(&arena);
	good = json ? otlp_response_read_json(response, body) : read_response(response, body, &arena);
	if (!good)
		*response = (struct otlp_response){ 0 };
	arena_release(&arena);
	return good;
}

bool rpc_status_read(struct rpc_status *status, struct slice body, bool json)
{
	struct arena arena;
	bool good;

	*status = (struct rpc_status){ 0 };
	if (!body.n || body.n > RESPONSE_MAX_BYTES)
		return false;
	arena_init(&arena);
	good = json ? rpc_status_read_json(status, body) : read_status(status, body, &arena);
	if (!good)
		*status = (struct rpc_status){ 0 };
	arena_release(&arena);
	return good;
}

bool rpc_status_read_header(struct rpc_status *status, struct slice value)
{
	const char *comma = value.n ? memchr(value.p, ',', value.n) : NULL;
	struct buf bytes;
	bool good;

	/* The same trailer twice is joined by a comma: the first one counts. */
	if (comma)
		value.n = (size_t)(comma - value.p);
	*status = (struct rpc_status){ 0 };
	buf_init(&bytes);
	good = value.n <= RESPONSE_MAX_BYTES && base64_decode(&bytes, value) &&
	       rpc_status_read(status, (struct slice){ bytes.p, bytes.n }, false);
	buf_release(&bytes);
	return good;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void rpc_message_read(char message[RESPONSE_TEXT_SIZE], struct slice value)
{
	char decoded[RESPONSE_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < value.n && n < sizeof(decoded); i++) {
		int high = value.p[i] == '%' && i + 2 < value.n ? hex_digit(value.p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(value.p[i + 2]) : -1;

		decoded[n] = value.p[i];
		if (low >= 0) {
			decoded[n] = (char)(high << 4 | low);
			i += 2;
		}
		n++;
	}
	response_text(message, (struct slice){ decoded, n });
}
