/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/http/proxy.h"

#include <stdbool.h>
#include <string.h>

enum { S_FIRST, S_LINE, S_BINARY, S_REST, S_DONE, S_BAD };

#define SIGNATURE_BYTES 12
#define FIXED_BYTES     16 /* version 2: signature, version and command, family, length */

static const char signature[SIGNATURE_BYTES] = "\r\n\r\n\0\r\nQUIT\n";

void proxy_init(struct proxy *p) { memset(p, 0, sizeof(*p)); }

/* A decimal of at most limit, without leading zeros; what it took is gone from p/n. */
static bool number(const char **p, size_t *n, unsigned limit, unsigned *out)
{
	unsigned value = 0;
	size_t digits = 0;

	for (; *n && **p >= '0' && **p <= '9'; ++*p, --*n, digits++) {
		value = value * 10 + (unsigned)(**p - '0');
		if (value > limit || (digits && value < 10))
			return false;
	}
	*out = value;
	return digits > 0;
}

static bool ipv4(const char *p, size_t n, uint8_t out[4])
{
	unsigned value;

	for (int i = 0; i < 4; i++) {
		if (i && (n == 0 || *p != '.'))
			return false;
		if (i) {
			p++;
			n--;
		}
		if (!number(&p, &n, 255, &value))
			return false;
		out[i] = (uint8_t)value;
	}
	return n == 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group of 1 to 4 hex digits; how many. */
static size_t group(const char *p, size_t n, uint8_t out[2])
{
	unsigned value = 0;
	size_t i;

	for (i = 0; i < n && i < 4 && hex_digit(p[i]) >= 0; i++)
		value = value << 4 | (unsigned)hex_digit(p[i]);
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return i;
}

/* RFC 4291 2.2, all three forms. */
static bool ipv6(const char *p, size_t n, uint8_t out[16])
{
	size_t at = 0, gap = SIZE_MAX, digits;

	memset(out, 0, 16);
	if (n >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
		n -= 2;
	}
	while (n) {
		if (at <= 12 && memchr(p, '.', n) && !memchr(p, ':', n)) {
			if (!ipv4(p, n, out + at))
				return false;
			at += 4;
			break;
		}
		if (at == 16)
			return false;
		digits = group(p, n, out + at);
		if (digits == 0)
			return false;
		at += 2;
		p += digits;
		n -= digits;
		if (n == 0)
			break;
		if (*p != ':' || n == 1)
			return false;
		p++;
		n--;
		if (*p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = at;
			p++;
			n--;
		}
	}
	if (gap == SIZE_MAX)
		return at == 16;
	if (at == 16)
		return false;
	memmove(out + 16 - (at - gap), out + gap, at - gap);
	memset(out + gap, 0, 16 - at);
	return true;
}

/* The word up to a space or the end of the line; it and the space are gone from p/n. */
static size_t word(const char **p, size_t *n, const char **out)
{
	const char *space = *n ? memchr(*p, ' ', *n) : NULL;
	size_t len = space ? (size_t)(space - *p) : *n, gone = len + (space != NULL);

	*out = *p;
	*p += gone;
	*n -= gone;
	return len;
}

static bool is_word(const char *p, size_t n, const char *text)
{
	return n == strlen(text) && memcmp(p, text, n) == 0;
}

/* "PROXY" SP "TCP4" SP source SP destination SP port SP port CR LF, or "PROXY UNKNOWN" and anything. */
static bool line(struct proxy *p, const char *s, size_t n)
{
	uint8_t destination[16];
	const char *w[6];
	unsigned port;
	size_t len[6];
	bool four;

	if (n < 2 || s[n - 2] != '\r')
		return false;
	n -= 2;
	len[0] = word(&s, &n, &w[0]);
	len[1] = word(&s, &n, &w[1]);
	if (!is_word(w[0], len[0], "PROXY"))
		return false;
	p->client = PROXY_UNKNOWN;
	if (is_word(w[1], len[1], "UNKNOWN"))
		return true;
	for (int i = 2; i < 6; i++)
		len[i] = word(&s, &n, &w[i]);
	four = is_word(w[1], len[1], "TCP4");
	if (n || (!four && !is_word(w[1], len[1], "TCP6")))
		return false;
	if (four ? !ipv4(w[2], len[2], p->address) || !ipv4(w[3], len[3], destination)
		 : !ipv6(w[2], len[2], p->address) || !ipv6(w[3], len[3], destination))
		return false;
	if (!number(&w[5], &len[5], 65535, &port) || len[5] || !number(&w[4], &len[4], 65535, &port) ||
	    len[4])
		return false;
	p->client = four ? PROXY_IPV4 : PROXY_IPV6;
	p->port = (uint16_t)port;
	return true;
}

static unsigned big16(const char *s) { return (unsigned)(unsigned char)s[0] << 8 | (unsigned char)s[1]; }

/* Addresses of a version 2 header; block is what of it fits our carry. */
static bool binary(struct proxy *p, const char *s, size_t length)
{
	unsigned command = (unsigned char)s[12], family = (unsigned char)s[13] >> 4;
	const char *block = s + FIXED_BYTES;

	if (command == 0x20) {
		p->client = PROXY_LOCAL;
		return true;
	}
	if (command != 0x21)
		return false;
	p->client = PROXY_UNKNOWN;
	if (family == 1 || family == 2) {
		unsigned size = family == 1 ? 4 : 16;

		if (length < 2 * size + 4)
			return false;
		memcpy(p->address, block, size);
		p->port = (uint16_t)big16(block + 2 * size);
		p->client = family == 1 ? PROXY_IPV4 : PROXY_IPV6;
	}
	return true;
}

static enum proxy_result bad(struct proxy *p)
{
	p->state = S_BAD;
	return PROXY_BAD;
}

static enum proxy_result done(struct proxy *p, unsigned version)
{
	p->version = (uint8_t)version;
	p->state = S_DONE;
	return PROXY_DONE;
}

/* Up to limit bytes in the carry. False: the input ended before. */
static bool gather(struct proxy *p, const char **in, const char *end, size_t limit)
{
	size_t n = (size_t)(end - *in);

	if (n > limit - p->have)
		n = limit - p->have;
	memcpy(p->carry + p->have, *in, n);
	*in += n;
	p->have += (uint8_t)n;
	p->bytes += (uint32_t)n;
	return p->have == limit;
}

static enum proxy_result next_line(struct proxy *p, const char **in, const char *end)
{
	while (*in < end && p->have < PROXY_LINE_MAX) {
		p->carry[p->have++] = *(*in)++;
		p->bytes++;
		if (p->carry[p->have - 1] == '\n')
			return line(p, p->carry, p->have) ? done(p, 1) : bad(p);
	}
	return p->have == PROXY_LINE_MAX ? bad(p) : PROXY_MORE;
}

static enum proxy_result next_binary(struct proxy *p, const char **in, const char *end)
{
	size_t length, block;

	if (p->have < FIXED_BYTES && !gather(p, in, end, FIXED_BYTES))
		return memcmp(p->carry, signature, p->have < SIGNATURE_BYTES ? p->have : SIGNATURE_BYTES)
			       ? bad(p)
			       : PROXY_MORE;
	if (memcmp(p->carry, signature, SIGNATURE_BYTES) != 0)
		return bad(p);
	length = big16(p->carry + 14);
	block = length < 36 ? length : 36; /* two IPv6 addresses and ports; the rest is UNIX paths and TLVs */
	if (!gather(p, in, end, FIXED_BYTES + block))
		return PROXY_MORE;
	if (!binary(p, p->carry, length))
		return bad(p);
	p->left = (uint32_t)(length - block);
	p->state = S_REST;
	return proxy_next(p, in, end);
}

static enum proxy_result next_rest(struct proxy *p, const char **in, const char *end)
{
	size_t n = (size_t)(end - *in);

	if (n > p->left)
		n = p->left;
	*in += n;
	p->left -= (uint32_t)n;
	p->bytes += (uint32_t)n;
	return p->left ? PROXY_MORE : done(p, 2);
}

enum proxy_result proxy_next(struct proxy *p, const char **in, const char *end)
{
	if (p->state == S_FIRST) {
		if (*in == end)
			return PROXY_MORE;
		p->state = **in == 'P' ? S_LINE : S_BINARY;
	}
	switch (p->state) {
	case S_LINE: return next_line(p, in, end);
	case S_BINARY: return next_binary(p, in, end);
	case S_REST: return next_rest(p, in, end);
	case S_DONE: return PROXY_DONE;
	default: return PROXY_BAD;
	}
}
