/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/json_write.h"

#include <math.h>

#include "exporters/base/number.h"

static void add_escaped(struct buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c ? strchr(from, c) : NULL;

	if (found) {
		buf_add_byte(out, '\\');
		buf_add_byte(out, (uint8_t)to[found - from]);
	} else {
		buf_printf(out, "\\u%04x", c);
	}
}

void json_write_string(struct buf *out, struct slice text)
{
	size_t from = 0;

	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool separator = c == 0xe2 && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0x80 &&
				 ((unsigned char)text.p[i + 2] & 0xfe) == 0xa8;

		if (!separator && c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' &&
		    c != 0x7f)
			continue;
		buf_add(out, text.p + from, i - from);
		if (separator) {
			buf_add_text(out, (unsigned char)text.p[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
			i += 2;
		} else {
			add_escaped(out, c);
		}
		from = i + 1;
	}
	if (from < text.n)
		buf_add(out, text.p + from, text.n - from);
	buf_add_byte(out, '"');
}

static void write_double(struct buf *out, double value)
{
	char text[NUMBER_SIZE];

	if (isfinite(value))
		buf_add(out, text, number_double(text, value));
	else
		json_write_string(out, (struct slice){ text, number_double(text, value) });
}

void json_write_value(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING: json_write_string(out, value->string); break;
	case VALUE_BOOL: buf_add_text(out, value->boolean ? "true" : "false"); break;
	case VALUE_INT: buf_add_i64(out, value->integer); break;
	case VALUE_DOUBLE: write_double(out, value->real); break;
	case VALUE_ARRAY:
		buf_add_byte(out, '[');
		for (size_t i = 0; i < value->array.n; i++) {
			if (i)
				buf_add_byte(out, ',');
			json_write_value(out, &value->array.items[i]);
		}
		buf_add_byte(out, ']');
		break;
	}
}

static bool occurs_before(struct attributes attributes, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (slice_equal(attributes.items[k].key, attributes.items[i].key))
			return true;
	return false;
}

void json_write_attributes(struct buf *out, struct attributes attributes)
{
	bool first = true;

	buf_add_byte(out, '{');
	for (size_t i = 0; i < attributes.n; i++) {
		if (occurs_before(attributes, i))
			continue;
		if (!first)
			buf_add_byte(out, ',');
		first = false;
		json_write_string(out, attributes.items[i].key);
		buf_add_byte(out, ':');
		json_write_value(out, &attributes.items[i].value);
	}
	buf_add_byte(out, '}');
}
