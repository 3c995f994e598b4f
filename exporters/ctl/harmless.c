/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/harmless.h"

#include <stdio.h>
#include <stdlib.h>

#include "exporters/base/codepoint.h"
#include "exporters/base/utf8.h"

bool harmless(uint32_t code)
{
	static const struct {
		uint32_t from, to;
	} bad[] = {
		{ 0, 0x1f },        { 0x7f, 0x9f },     { 0xad, 0xad },       { 0x61c, 0x61c },
		{ 0x115f, 0x1160 }, { 0x180e, 0x180e }, { 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfdd0, 0xfdef },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	if (code >= 0x20 && code < 0x7f)
		return true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (code >= bad[i].from && code <= bad[i].to)
			return false;
	return (code & 0xfffe) != 0xfffe;
}

size_t harmless_name(uint32_t code, char out[HARMLESS_MAX])
{
	static const char from[] = "\t\n\r\x1b", to[] = "tnre";

	for (size_t i = 0; from[i]; i++)
		if (code == (uint32_t)from[i])
			return (size_t)snprintf(out, HARMLESS_MAX, "\\%c", to[i]);
	return (size_t)snprintf(out, HARMLESS_MAX, code < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)code);
}

void harmless_add(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n;) {
		int n = utf8_next(text.p + i, text.n - i);
		uint32_t code = n > 0 ? codepoint_decode(text.p + i, n) : CODEPOINT_REPLACEMENT;
		char name[HARMLESS_MAX];
		size_t length = harmless(code) ? codepoint_encode(code, name) : harmless_name(code, name);

		buf_add(out, name, length);
		i += (size_t)abs(n);
	}
}
