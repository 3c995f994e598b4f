/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/otlp_read.h"

#include <stdlib.h>
#include <string.h>

bool otlp_fail(struct trace_parser *p, const char *error) { return json_fail(&p->json, error), false; }

/* Room for one more on the stack `items`, whatever it holds. */
bool otlp_push(struct trace_parser *p, void **items, size_t n, size_t *size, size_t item_bytes)
{
	size_t more = *size ? *size * 2 : 32;
	void *moved;

	if (n < *size)
		return true;
	moved = reallocarray(*items, more, item_bytes);
	if (!moved)
		return otlp_fail(p, "out of memory");
	*items = moved;
	*size = more;
	return true;
}

/* Copies what lies above `from` on a stack into the store. */
const void *otlp_pop(struct trace_parser *p, const void *items, size_t n, size_t item_bytes)
{
	void *copy = n ? arena_take(&p->store->arena, n * item_bytes) : NULL;

	if (!n)
		return NULL;
	if (!copy)
		return otlp_fail(p, "out of memory"), NULL;
	return memcpy(copy, items, n * item_bytes);
}

/* The '{' is read. */
bool otlp_fields(struct trace_parser *p, const struct otlp_field *fields, size_t n, void *message)
{
	while (json_next(&p->json) == JSON_KEY) {
		size_t i = 0;

		while (i < n && !slice_is(p->json.text, fields[i].name))
			i++;
		if (!(i < n ? fields[i].read(p, message) : json_skip(&p->json)))
			return false;
	}
	return !p->json.error;
}

bool otlp_message(struct trace_parser *p, const struct otlp_field *fields, size_t n, void *message)
{
	enum json_token token = json_next(&p->json);

	if (token == JSON_NULL)
		return true;
	if (token != JSON_OBJECT)
		return otlp_fail(p, "an object should stand here");
	return otlp_fields(p, fields, n, message);
}

/* An array, or null; for each element with its first token read, `read_element`. */
bool otlp_list(struct trace_parser *p, bool (*read_element)(struct trace_parser *p, void *message),
	       void *message)
{
	enum json_token token = json_next(&p->json);

	if (token == JSON_NULL)
		return true;
	if (token != JSON_ARRAY)
		return otlp_fail(p, "an array should stand here");
	while ((token = json_next(&p->json)) == JSON_OBJECT)
		if (!read_element(p, message))
			return false;
	return token == JSON_ARRAY_END || otlp_fail(p, "an object should stand here");
}

bool otlp_text(struct trace_parser *p, struct slice *text)
{
	enum json_token token = json_next(&p->json);

	if (token == JSON_NULL)
		return true;
	if (token != JSON_STRING)
		return otlp_fail(p, "a string should stand here");
	*text = trace_store_string(p->store, p->json.text);
	return !p->store->failed || otlp_fail(p, "out of memory");
}

bool otlp_u64(struct trace_parser *p, uint64_t *value)
{
	enum json_token token = json_next(&p->json);

	if (token == JSON_NULL)
		return true;
	if (token != JSON_STRING && token != JSON_NUMBER)
		return otlp_fail(p, "a number should stand here");
	return json_to_u64(p->json.text, value) || otlp_fail(p, "not a number without sign of 64 bits");
}

bool otlp_u32(struct trace_parser *p, uint32_t *value)
{
	uint64_t wide = *value;

	if (!otlp_u64(p, &wide))
		return false;
	*value = (uint32_t)wide;
	return wide <= UINT32_MAX || otlp_fail(p, "not a number without sign of 32 bits");
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* An id of n bytes; "" and null leave it zero, as some writers do for "no parent". */
bool otlp_id(struct trace_parser *p, uint8_t *id, size_t n)
{
	enum json_token token = json_next(&p->json);
	struct slice text = p->json.text;

	if (token == JSON_NULL || (token == JSON_STRING && !text.n))
		return true;
	if (token != JSON_STRING || text.n != 2 * n)
		return otlp_fail(p, n == 16 ? "32 hexadecimal digits should stand here"
					    : "16 hexadecimal digits should stand here");
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return otlp_fail(p, "an id has hexadecimal digits only");
		id[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
