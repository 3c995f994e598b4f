/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_NAMES_H
#define BTRACE_HTTP1_NAMES_H

/*
 * Field lines that are whole in sight: which names are of interest, and what a line may
 * be by its first byte. Inline, for the loops of http1_lines.c and http1_whole.c; nobody
 * else includes it. Names are compared without regard to case (RFC 9110 5.1).
 */

#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

static inline uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint32_t load4(const char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Compares with a lower case word. Only its letters may differ in bit 0x20: CR is not '-'. */
static inline bool same8(const char *p, const char *lower)
{
	uint64_t w = load8(lower);

	return (load8(p) | (w & 0x4040404040404040u) >> 1) == w;
}

static inline bool same4(const char *p, const char *lower)
{
	uint32_t w = load4(lower);

	return (load4(p) | (w & 0x40404040u) >> 1) == w;
}

/* Are the n bytes at p, n being its length, the name? The compiler makes constants of all but the loads. */
static inline __attribute__((always_inline)) bool is_name(const char *p, const char *name, size_t n)
{
	if (n > 16 && !same8(p + 8, name + 8))
		return false;
	if (n >= 8)
		return same8(p, name) && same8(p + n - 8, name + n - 8);
	if (n >= 4)
		return same4(p, name) && same4(p + n - 4, name + n - 4);
	return (p[0] | 0x20) == name[0] && p[1] == name[1];
}

#define IS(name) is_name(p, name, sizeof(name) - 1)

/* An id of headers.def or a KIND_. A unit test holds that each row of headers.def is found. */
static inline __attribute__((always_inline)) unsigned known(const char *p, size_t n)
{
	switch (n) {
	case 2: return IS("b3") ? HTTP1_FIELD_B3 : 0;
	case 4: return IS("host") ? HTTP1_FIELD_HOST : 0;
	case 6: return IS("expect") ? KIND_EXPECT : 0;
	case 7: return IS("baggage") ? HTTP1_FIELD_BAGGAGE : 0;
	case 9: return IS("forwarded") ? HTTP1_FIELD_FORWARDED : 0;
	case 10:
		return IS("connection")   ? KIND_CONNECTION
		       : IS("user-agent") ? HTTP1_FIELD_USER_AGENT
		       : IS("tracestate") ? HTTP1_FIELD_TRACESTATE
		       : IS("x-b3-flags") ? HTTP1_FIELD_X_B3_FLAGS
					  : 0;
	case 11:
		return IS("traceparent")   ? HTTP1_FIELD_TRACEPARENT
		       : IS("x-b3-spanid") ? HTTP1_FIELD_X_B3_SPANID
					   : 0;
	case 12:
		return IS("x-b3-traceid")   ? HTTP1_FIELD_X_B3_TRACEID
		       : IS("x-b3-sampled") ? HTTP1_FIELD_X_B3_SAMPLED
					    : 0;
	case 13: return IS("uber-trace-id") ? HTTP1_FIELD_UBER_TRACE_ID : 0;
	case 14: return IS("content-length") ? KIND_LENGTH : 0;
	case 15: return IS("x-forwarded-for") ? HTTP1_FIELD_X_FORWARDED_FOR : 0;
	case 16: return IS("x-forwarded-host") ? HTTP1_FIELD_X_FORWARDED_HOST : 0;
	case 17:
		return IS("transfer-encoding")   ? KIND_CODING
		       : IS("x-forwarded-proto") ? HTTP1_FIELD_X_FORWARDED_PROTO
						 : 0;
	default: return 0;
	}
}

/* The same of those that frame a response. */
static inline __attribute__((always_inline)) unsigned known_framing(const char *p, size_t n)
{
	switch (n) {
	case 10: return IS("connection") ? KIND_CONNECTION : 0;
	case 14: return IS("content-length") ? KIND_LENGTH : 0;
	case 17: return IS("transfer-encoding") ? KIND_CODING : 0;
	default: return 0;
	}
}

/* What a line may be by its first byte. */
enum { LINE_SKIP, LINE_KNOWN, LINE_BLANK, LINE_CR, LINE_LF };

static const uint8_t first_bytes[256] = {
	['b'] = LINE_KNOWN, ['c'] = LINE_KNOWN, ['e'] = LINE_KNOWN,  ['f'] = LINE_KNOWN, ['h'] = LINE_KNOWN,
	['t'] = LINE_KNOWN, ['u'] = LINE_KNOWN, ['x'] = LINE_KNOWN,  ['B'] = LINE_KNOWN, ['C'] = LINE_KNOWN,
	['E'] = LINE_KNOWN, ['F'] = LINE_KNOWN, ['H'] = LINE_KNOWN,  ['T'] = LINE_KNOWN, ['U'] = LINE_KNOWN,
	['X'] = LINE_KNOWN, [' '] = LINE_BLANK, ['\t'] = LINE_BLANK, ['\r'] = LINE_CR,   ['\n'] = LINE_LF,
};

static const uint8_t first_of_framing[256] = {
	['c'] = LINE_KNOWN, ['t'] = LINE_KNOWN,  ['C'] = LINE_KNOWN, ['T'] = LINE_KNOWN,
	[' '] = LINE_BLANK, ['\t'] = LINE_BLANK, ['\r'] = LINE_CR,   ['\n'] = LINE_LF,
};

/* The value between colon and eol without its white space, nearly always one space. */
static inline void trim(const char *colon, const char *eol, const char **v, const char **stop)
{
	const char *p = colon + 1, *q = eol;

	if (q - p >= 2 && *p == ' ' && (unsigned char)p[1] > ' ' && (unsigned char)q[-1] > ' ') {
		*v = p + 1;
		*stop = q;
		return;
	}
	while (p < q && is_blank(*p))
		p++;
	while (q > p && is_blank(q[-1]))
		q--;
	*v = p;
	*stop = q;
}

/* "Connection: keep-alive" to the letter, as nearly all send it. */
static inline bool is_keep_alive(const char *colon, const char *eol)
{
	return eol - colon == 12 && memcmp(colon, ": keep-alive", 12) == 0;
}

#undef IS

#endif
