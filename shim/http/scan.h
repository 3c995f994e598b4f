/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SCAN_H
#define BTRACE_SCAN_H

/*
 * Searching in heads. Sixteen bytes at a time where the machine has SSE2 (each
 * x86-64 has), else byte by byte or by memchr. None reads at or beyond end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

static inline unsigned scan_mask(const char *p, char c)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)p);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

/* The first c in [p, end), or NULL. */
static inline const char *scan_byte(const char *p, const char *end, char c)
{
	const char *last;
	unsigned hit;

	if (end - p < 16)
		return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
	last = end - 16;
	do {
		hit = scan_mask(p, c);
		if (hit)
			return p + __builtin_ctz(hit);
		p += 16;
	} while (p <= last);
	hit = scan_mask(last, c); /* looks again at bytes that had none */
	return hit ? last + __builtin_ctz(hit) : NULL;
}

static inline unsigned scan_low_mask(const char *p, uint8_t top)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)p);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8((char)top)), v));
}

/* The first byte of at most top in [p, end), or NULL. */
static inline const char *scan_low(const char *p, const char *end, uint8_t top)
{
	const char *last;
	unsigned hit;

	if (end - p < 16) {
		while (p < end && (uint8_t)*p > top)
			p++;
		return p < end ? p : NULL;
	}
	last = end - 16;
	do {
		hit = scan_low_mask(p, top);
		if (hit)
			return p + __builtin_ctz(hit);
		p += 16;
	} while (p <= last);
	hit = scan_low_mask(last, top);
	return hit ? last + __builtin_ctz(hit) : NULL;
}

/* Passes blocks of [p, end) in which none of the three is. */
static inline const char *scan_blocks(const char *p, const char *end, char a, char b, char c)
{
	while (end - p >= 16 && !(scan_mask(p, a) | scan_mask(p, b) | scan_mask(p, c)))
		p += 16;
	return p;
}

#else

static inline const char *scan_blocks(const char *p, const char *end, char a, char b, char c)
{
	(void)end, (void)a, (void)b, (void)c;
	return p;
}

static inline const char *scan_byte(const char *p, const char *end, char c)
{
	return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
}

static inline const char *scan_low(const char *p, const char *end, uint8_t top)
{
	while (p < end && (uint8_t)*p > top)
		p++;
	return p < end ? p : NULL;
}

#endif

static inline const char *scan_lf(const char *p, const char *end) { return scan_byte(p, end, '\n'); }

/* The first of three bytes, constants from '#' to 'B', in [p, end), or end. */
static inline const char *scan_three(const char *p, const char *end, char a, char b, char c)
{
	const uint32_t set = 1u << (a - '#') | 1u << (b - '#') | 1u << (c - '#');

	for (p = scan_blocks(p, end, a, b, c); p < end; p++) {
		unsigned place = (unsigned)(uint8_t)*p - '#';

		if (place < 32 && set >> place & 1)
			break;
	}
	return p;
}

/* The first byte that is no visible one, 0x00 to 0x20, or end. Bytes above 0x7e are passed over. */
static inline const char *scan_blank(const char *p, const char *end)
{
	const char *hit = scan_low(p, end, 0x20);

	return hit ? hit : end;
}

/* The first CR or LF in [p, end), or NULL. */
static inline const char *scan_eol(const char *p, const char *end)
{
	while ((p = scan_low(p, end, '\r')) && *p != '\r' && *p != '\n')
		p++;
	return p;
}

/* OWS of RFC 9110 5.6.3. */
static inline bool is_blank(char c) { return c == ' ' || c == '\t'; }

#endif
