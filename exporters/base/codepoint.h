/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CODEPOINT_H
#define BTRACE_CODEPOINT_H

/* Code points and their UTF-8, beside base/utf8.h, which knows what is well-formed. Pure. */

#include <stddef.h>
#include <stdint.h>

#define CODEPOINT_REPLACEMENT 0xfffdu

/* The code point of a well-formed sequence of n bytes, n being what utf8_next() said. */
static inline uint32_t codepoint_decode(const char *text, int n)
{
	const uint8_t *p = (const uint8_t *)text;
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (int i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3fu);
	return code;
}

/* Writes the character (a surrogate or what is beyond becomes U+FFFD) and returns its bytes, 1 to 4. */
static inline size_t codepoint_encode(uint32_t code, char *out)
{
	size_t n;

	if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		code = CODEPOINT_REPLACEMENT;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)((0xf00 >> n & 0xff) | code);
	return n;
}

#endif
