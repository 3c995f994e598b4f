/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/json.h"

#include <stdint.h>
#include <string.h>

#include "exporters/base/number.h"
#include "exporters/base/utf8.h"

enum { WORD = sizeof(uint64_t), LONGEST_ESCAPE = 6 };

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define HIGH_BITS       EACH_BYTE(0x80u)

/* A high bit is set where a byte is zero (and perhaps in bytes above a zero one). */
static uint64_t zero_bytes(uint64_t word) { return (word - EACH_BYTE(1)) & ~word & HIGH_BITS; }

/* Whether all eight bytes stand for themselves: ASCII, no control, quote or backslash. */
static bool is_plain(uint64_t word)
{
	uint64_t below_space = (word - EACH_BYTE(0x20)) & ~word;

	return !((word | below_space) & HIGH_BITS) && !zero_bytes(word ^ EACH_BYTE('"')) &&
	       !zero_bytes(word ^ EACH_BYTE('\\'));
}

static char *put_escape(char *out, uint8_t byte)
{
	static const char hex[16] = "0123456789abcdef";
	static const char letter[256] = { ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
					  ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't' };

	*out++ = '\\';
	if (letter[byte]) {
		*out++ = letter[byte];
		return out;
	}
	memcpy(out, "u00", 3);
	out[3] = hex[byte >> 4];
	out[4] = hex[byte & 15];
	return out + 5;
}

/* One character or bad part that is_plain() did not let pass; returns how many bytes it was. */
static size_t put_character(char **out, const char *p, size_t n)
{
	uint8_t byte = (uint8_t)*p;
	int length;

	if (byte < 0x80) {
		if (byte < 0x20 || byte == '"' || byte == '\\')
			*out = put_escape(*out, byte);
		else
			*(*out)++ = (char)byte;
		return 1;
	}
	length = utf8_next(p, n);
	if (length < 0) {
		memcpy(*out, "\xef\xbf\xbd", 3);
		*out += 3;
		return (size_t)-length;
	}
	memcpy(*out, p, (size_t)length);
	*out += length;
	return (size_t)length;
}

/* Needs room for LONGEST_ESCAPE bytes a byte and WORD more. */
static char *put_text(char *out, const char *p, size_t n)
{
	uint64_t word;
	size_t i = 0;

	while (i < n) {
		if (i + WORD <= n) {
			memcpy(&word, p + i, WORD);
			if (is_plain(word)) {
				memcpy(out, &word, WORD);
				out += WORD;
				i += WORD;
				continue;
			}
		}
		i += put_character(&out, p + i, n - i);
	}
	return out;
}

static bool reserve_text(struct buf *b, size_t n)
{
	if (n > SIZE_MAX / LONGEST_ESCAPE / 2)
		return buf_grow(b, SIZE_MAX);
	return buf_reserve(b, LONGEST_ESCAPE * n + WORD + 2);
}

void json_string(struct buf *b, struct slice s)
{
	char *out;

	if (!reserve_text(b, s.n))
		return;
	out = b->p + b->n;
	*out++ = '"';
	out = put_text(out, s.p, s.n);
	*out++ = '"';
	b->n = (size_t)(out - b->p);
}

void json_quote_tail(struct buf *b, size_t from)
{
	size_t n = b->n - from, added;

	/* The string is written behind the bytes and then moved over them. */
	if (!reserve_text(b, n))
		return;
	json_string(b, (struct slice){ b->p + from, n });
	added = b->n - from - n;
	memmove(b->p + from, b->p + from + n, added);
	b->n = from + added;
}

void json_double(struct buf *b, double value)
{
	bool is_number = value - value == 0; /* neither NaN nor infinite */

	if (!buf_reserve(b, NUMBER_SIZE + 2))
		return;
	if (!is_number)
		buf_add_byte(b, '"');
	b->n += number_double(b->p + b->n, value);
	if (!is_number)
		buf_add_byte(b, '"');
}

static void json_array(struct buf *b, const struct value *items, size_t n)
{
	buf_add_byte(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_byte(b, ',');
		/* The model has no arrays in arrays: one more is not followed, so that depth is bounded. */
		if (items[i].type == VALUE_ARRAY)
			buf_add_slice(b, SLICE("null"));
		else
			json_value(b, &items[i]);
	}
	buf_add_byte(b, ']');
}

void json_value(struct buf *b, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING: json_string(b, value->string); break;
	case VALUE_BOOL: buf_add_slice(b, value->boolean ? SLICE("true") : SLICE("false")); break;
	case VALUE_INT: buf_add_i64(b, value->integer); break;
	case VALUE_DOUBLE: json_double(b, value->real); break;
	case VALUE_ARRAY: json_array(b, value->array.items, value->array.n); break;
	}
}

void json_object(struct buf *b, struct attributes attributes)
{
	buf_add_byte(b, '{');
	for (size_t i = 0; i < attributes.n; i++) {
		if (i)
			buf_add_byte(b, ',');
		json_string(b, attributes.items[i].key);
		buf_add_byte(b, ':');
		json_value(b, &attributes.items[i].value);
	}
	buf_add_byte(b, '}');
}
