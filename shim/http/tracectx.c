/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/http/tracectx.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static void trim(const char **p, size_t *n)
{
	while (*n && (**p == ' ' || **p == '\t')) {
		++*p;
		--*n;
	}
	while (*n && ((*p)[*n - 1] == ' ' || (*p)[*n - 1] == '\t'))
		--*n;
}

/* The value of a lower case digit and one more; 0: none. */
static const uint8_t digit_value[256] = {
	['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static int hex_digit(char c) { return digit_value[(uint8_t)c] - 1; }

#ifdef __SSE2__

/* Sixteen lower case digits at p into eight bytes. Bytes of `in` are in one range or the other, or bad. */
static inline bool read_hex8(const char *p, uint8_t out[8])
{
	const __m128i in = _mm_loadu_si128((const __m128i *)p);
	__m128i digit = _mm_sub_epi8(in, _mm_set1_epi8('0')), letter = _mm_sub_epi8(in, _mm_set1_epi8('a'));
	const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
	const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
	__m128i value = _mm_or_si128(_mm_and_si128(digit, is_digit),
				     _mm_and_si128(_mm_add_epi8(letter, _mm_set1_epi8(10)), is_letter));

	/* each 16 bits hold a high digit, then a low one: high << 4 | low in the lower half */
	value = _mm_or_si128(_mm_slli_epi16(_mm_and_si128(value, _mm_set1_epi16(0xff)), 4),
			     _mm_srli_epi16(value, 8));
	_mm_storel_epi64((__m128i *)out, _mm_packus_epi16(value, value));
	return _mm_movemask_epi8(_mm_or_si128(is_digit, is_letter)) == 0xffff;
}

#endif

/* Exactly 2 * bytes lower case digits at p. */
static inline bool read_hex(const char *p, uint8_t *out, size_t bytes)
{
	bool bad = false;

#ifdef __SSE2__
	for (; bytes >= 8; bytes -= 8, out += 8, p += 16)
		bad |= !read_hex8(p, out);
#endif
	for (size_t i = 0; i < bytes; i++) {
		unsigned high = digit_value[(uint8_t)p[2 * i]], low = digit_value[(uint8_t)p[2 * i + 1]];

		bad |= !high | !low;
		out[i] = (uint8_t)((high - 1) << 4 | ((low - 1) & 15));
	}
	return !bad;
}

static bool is_zero(const uint8_t *id, size_t n) /* a multiple of 8 */
{
	uint64_t word, all = 0;

	for (size_t i = 0; i < n; i += sizeof(word)) {
		memcpy(&word, id + i, sizeof(word));
		all |= word;
	}
	return !all;
}

static bool has_ids(struct tracectx *c)
{
	c->has_ids = !is_zero(c->trace_id, 16) && !is_zero(c->span_id, 8);
	return c->has_ids;
}

/* Trace Context Level 2, 3.2. */
bool tracectx_traceparent(const char *p, size_t n, struct tracectx *out)
{
	struct tracectx c = { 0 };
	uint8_t version, flags;

	trim(&p, &n);
	if (n < TRACECTX_TRACEPARENT_BYTES || !read_hex(p, &version, 1) || version == 0xff)
		return false;
	if (n > TRACECTX_TRACEPARENT_BYTES && (version == 0 || p[TRACECTX_TRACEPARENT_BYTES] != '-'))
		return false;
	if (p[2] != '-' || p[35] != '-' || p[52] != '-')
		return false;
	if (!read_hex(p + 3, c.trace_id, 16) || !read_hex(p + 36, c.span_id, 8) ||
	    !read_hex(p + 53, &flags, 1))
		return false;
	if (!has_ids(&c))
		return false;
	c.flags = flags & 3;
	c.decision = flags & 1 ? TRACECTX_SAMPLED : TRACECTX_NOT_SAMPLED;
	*out = c;
	return true;
}

/* 16 or 32 digits; the short form is the low half. */
static bool read_trace_id(const char *p, size_t n, uint8_t out[16])
{
	memset(out, 0, 16);
	if (n == 32)
		return read_hex(p, out, 16);
	return n == 16 && read_hex(p, out + 8, 8);
}

static void set_debug(struct tracectx *c)
{
	c->debug = true;
	c->decision = TRACECTX_SAMPLED;
}

/* The b3 state: 1, 0, d. */
static bool read_state(const char *p, size_t n, struct tracectx *c)
{
	if (n != 1)
		return false;
	switch (*p) {
	case '0': c->decision = TRACECTX_NOT_SAMPLED; return true;
	case '1': c->decision = TRACECTX_SAMPLED; return true;
	case 'd': set_debug(c); return true;
	default: return false;
	}
}

/* The part up to the separator, or all that is left; what it took is gone from p/n. */
static size_t part(const char **p, size_t *n, char separator, const char **out)
{
	const char *stop = *n ? memchr(*p, separator, *n) : NULL;
	size_t len = stop ? (size_t)(stop - *p) : *n, gone = stop ? len + 1 : len;

	*out = *p;
	*p += gone;
	*n -= gone;
	return len;
}

/* trace-span[-state[-parent]], or the state alone */
bool tracectx_b3_single(const char *p, size_t n, struct tracectx *out)
{
	const char *trace, *span, *state, *parent;
	struct tracectx c = { 0 };
	uint8_t unused[8];
	size_t len;

	trim(&p, &n);
	if (n == 1) {
		if (!read_state(p, n, &c))
			return false;
		*out = c;
		return true;
	}
	if (n && p[n - 1] == '-')
		return false;
	len = part(&p, &n, '-', &trace);
	if (!read_trace_id(trace, len, c.trace_id))
		return false;
	len = part(&p, &n, '-', &span);
	if (len != 16 || !read_hex(span, c.span_id, 8) || !has_ids(&c))
		return false;
	if (n && (len = part(&p, &n, '-', &state), !read_state(state, len, &c)))
		return false;
	if (n && (len = part(&p, &n, '-', &parent), len != 16 || n || !read_hex(parent, unused, 8)))
		return false;
	*out = c;
	return true;
}

static bool is_word(const char *p, size_t n, const char *lower)
{
	if (n != strlen(lower))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]) != lower[i])
			return false;
	return true;
}

/* X-B3-Sampled; nonsense is as if it were not there. */
static void read_sampled(const char *p, size_t n, struct tracectx *c)
{
	if (!p)
		return;
	trim(&p, &n);
	if (is_word(p, n, "1") || is_word(p, n, "true"))
		c->decision = TRACECTX_SAMPLED;
	else if (is_word(p, n, "0") || is_word(p, n, "false"))
		c->decision = TRACECTX_NOT_SAMPLED;
}

bool tracectx_b3_multi(const char *trace, size_t trace_n, const char *span, size_t span_n,
		       const char *sampled, size_t sampled_n, const char *flags, size_t flags_n,
		       struct tracectx *out)
{
	struct tracectx c = { 0 };

	read_sampled(sampled, sampled_n, &c);
	if (flags) {
		trim(&flags, &flags_n);
		if (flags_n == 1 && *flags == '1')
			set_debug(&c);
	}
	if (trace && span) {
		trim(&trace, &trace_n);
		trim(&span, &span_n);
		if (!read_trace_id(trace, trace_n, c.trace_id) || span_n != 16 ||
		    !read_hex(span, c.span_id, 8) || !has_ids(&c))
			return false;
	} else if (trace || span || c.decision == TRACECTX_UNDECIDED) {
		return false;
	}
	*out = c;
	return true;
}

/* 1 to 2 * bytes hex digits, either case, padded left. */
static bool read_padded(const char *p, size_t n, uint8_t *out, size_t bytes)
{
	int digit;

	if (n == 0 || n > 2 * bytes)
		return false;
	memset(out, 0, bytes);
	for (size_t i = 0; i < n; i++) {
		digit = hex_digit(p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] | 0x20) : p[i]);
		if (digit < 0)
			return false;
		out[bytes - 1 - (n - 1 - i) / 2] |= (uint8_t)(digit << ((n - 1 - i) % 2 * 4));
	}
	return true;
}

/* Percent-decodes into out; the decoded length, or 0 if it does not fit or is malformed. */
static size_t percent_decode(const char *p, size_t n, char *out, size_t room)
{
	size_t len = 0;
	uint8_t byte;

	for (size_t i = 0; i < n; i++, len++) {
		if (len == room)
			return 0;
		out[len] = p[i];
		if (p[i] != '%')
			continue;
		if (n - i < 3 || !read_padded(p + i + 1, 2, &byte, 1))
			return 0;
		out[len] = (char)byte;
		i += 2;
	}
	return len;
}

/* trace:span:parent:flags */
bool tracectx_uber(const char *p, size_t n, struct tracectx *out)
{
	const char *field;
	char decoded[32 + 16 + 16 + 2 + 3];
	struct tracectx c = { 0 };
	uint8_t parent[8], flags;
	size_t len;

	trim(&p, &n);
	if (n && !memchr(p, ':', n)) {
		n = percent_decode(p, n, decoded, sizeof(decoded));
		p = decoded;
	}
	len = part(&p, &n, ':', &field);
	if (!read_padded(field, len, c.trace_id, 16))
		return false;
	len = part(&p, &n, ':', &field);
	if (!read_padded(field, len, c.span_id, 8) || !has_ids(&c))
		return false;
	len = part(&p, &n, ':', &field);
	if (!read_padded(field, len, parent, 8) || !read_padded(p, n, &flags, 1))
		return false;
	c.flags = flags & 1;
	c.decision = flags & 1 ? TRACECTX_SAMPLED : TRACECTX_NOT_SAMPLED;
	c.debug = (flags & 3) == 3;
	*out = c;
	return true;
}

static bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

static bool is_key_char(char c) { return is_lower_alnum(c) || (c && strchr("_-*/@", c)); }

/* Trace Context Level 2, 3.3.1.3: key=value. The outer white space of the member is gone. */
static bool valid_member(const char *p, size_t n)
{
	const char *equals = memchr(p, '=', n);
	size_t key = equals ? (size_t)(equals - p) : 0, value = n - key - 1;

	if (key < 1 || key > 256 || value < 1 || value > 256 || !is_lower_alnum(*p))
		return false;
	for (size_t i = 1; i < key; i++)
		if (!is_key_char(p[i]))
			return false;
	for (size_t i = key + 1; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '=')
			return false;
	return true;
}

bool tracectx_tracestate_valid(const char *p, size_t n)
{
	unsigned members = 0;
	const char *member;
	size_t len;

	while (n) {
		len = part(&p, &n, ',', &member);
		trim(&member, &len);
		if (len == 0)
			continue;
		if (++members > 32 || !valid_member(member, len))
			return false;
	}
	return members > 0;
}

static char *write_hex(char *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	return out;
}

void tracectx_write_traceparent(char out[TRACECTX_TRACEPARENT_BYTES], const uint8_t trace_id[16],
				const uint8_t span_id[8], uint8_t flags)
{
	flags &= 3;
	memcpy(out, "00-", 3);
	out = write_hex(out + 3, trace_id, 16);
	*out++ = '-';
	out = write_hex(out, span_id, 8);
	*out++ = '-';
	write_hex(out, &flags, 1);
}
