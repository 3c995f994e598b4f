/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/json.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/number.h"
#include "exporters/base/utf8.h"

enum { WORD = sizeof(uint64_t), LONGEST_ESCAPE = 6 };

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define HIGH_BITS       EACH_BYTE(0x80u)

/*
 * Whether all eight bytes stand for themselves: ASCII, no control, quote or backslash. A
 * difference leaves the high bit where the byte was too small or the one looked for; a borrow can
 * only come from such a byte, so that nothing is missed and at worst its neighbour is looked at twice.
 */
static bool is_plain(uint64_t word)
{
	uint64_t seen = word | (word - EACH_BYTE(0x20)) | ((word ^ EACH_BYTE('"')) - EACH_BYTE(1)) |
			((word ^ EACH_BYTE('\\')) - EACH_BYTE(1));

	return !(seen & HIGH_BITS);
}

/* Words are little endian here: the first byte is the lowest. */
static uint64_t load_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, WORD);
	return le64toh(word);
}

static void store_word(char *p, uint64_t word)
{
	word = htole64(word);
	memcpy(p, &word, WORD);
}

/* The last n = 1..7 bytes, in pieces that overlap, with spaces after them. */
static uint64_t load_tail(const char *p, size_t n)
{
	uint64_t spaces = EACH_BYTE(0x20) << 8 * n;
	uint32_t first, last;

	if (n < 4)
		return spaces | (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << 8 * (n / 2) |
		       (uint64_t)(uint8_t)p[n - 1] << 8 * (n - 1);
	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + n - 4, sizeof(last));
	return spaces | le32toh(first) | (uint64_t)le32toh(last) << 8 * (n - 4);
}

static char *put_escape(char *out, uint8_t byte)
{
	static const char hex[16] = "0123456789abcdef";
	static const char letter[128] = {
		['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
	};

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

/* One character or bad part; returns how many bytes it was. */
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

/* A word's worth of text that is not plain, to the end of the character that crosses it. */
__attribute__((noinline)) static const char *put_word(char **out, const char *p, const char *end)
{
	const char *stop = end - p < WORD ? end : p + WORD;

	while (p < stop)
		p += put_character(out, p, (size_t)(end - p));
	return p;
}

/* Needs room for LONGEST_ESCAPE bytes a byte and WORD more. */
static char *put_text(char *out, const char *p, size_t n)
{
	const char *end = p + n;

	while (end - p >= WORD) {
		uint64_t word = load_word(p);

		if (is_plain(word)) {
			store_word(out, word);
			out += WORD;
			p += WORD;
		} else {
			p = put_word(&out, p, end);
		}
	}
	if (p < end) {
		uint64_t word = load_tail(p, (size_t)(end - p));

		if (is_plain(word)) {
			store_word(out, word);
			out += end - p;
		} else {
			put_word(&out, p, end);
		}
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
