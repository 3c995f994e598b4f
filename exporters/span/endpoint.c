/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */
#include "exporters/span/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

#include "exporters/base/number.h"
#include "exporters/span/text.h"

#define HOST_BYTES_MAX 255u /* RFC 1035 2.3.4 */
#define FAMILY_UNIX    1
#define FAMILY_INET    2
#define FAMILY_INET6   10

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* -2: not a port */
static int32_t parse_port(struct slice s)
{
	int32_t port = 0;

	if (s.n == 0)
		return ENDPOINT_NO_PORT; /* "host:" is allowed by RFC 3986 3.2.3 */
	if (s.n > 5)
		return -2;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -2;
		port = port * 10 + (s.p[i] - '0');
	}
	return port <= UINT16_MAX ? port : -2;
}

/* What can stand in a host: unreserved and sub-delims, no escapes (RFC 3986 3.2.2); UTF-8, as some send it.
 */
static const bool host_byte[256] = {
	['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, [0x80 ... 0xff] = true,
	['-'] = true,         ['.'] = true,         ['_'] = true,         ['~'] = true,
	['!'] = true,         ['$'] = true,         ['&'] = true,         ['\''] = true,
	['('] = true,         [')'] = true,         ['*'] = true,         ['+'] = true,
	[','] = true,         [';'] = true,         ['='] = true,
};

static bool host_valid(struct slice s)
{
	if (s.n == 0 || s.n > HOST_BYTES_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!host_byte[(uint8_t)s.p[i]])
			return false;
	return true;
}

static struct slice without_userinfo(struct slice s)
{
	const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;

	return at ? (struct slice){ at + 1, s.n - (size_t)(at + 1 - s.p) } : s;
}

static bool split_bracketed(struct slice s, struct endpoint *out)
{
	const char *end = memchr(s.p, ']', s.n);
	struct slice host, rest;
	int32_t port = ENDPOINT_NO_PORT;

	if (!end)
		return false;
	host = (struct slice){ s.p + 1, (size_t)(end - s.p) - 1 };
	rest = (struct slice){ end + 1, s.n - host.n - 2 };
	if (rest.n && *rest.p != ':')
		return false;
	if (rest.n)
		port = parse_port((struct slice){ rest.p + 1, rest.n - 1 });
	if (port < ENDPOINT_NO_PORT || !memchr(host.p, ':', host.n) || !endpoint_is_ip(host))
		return false;
	*out = (struct endpoint){ host, port };
	return true;
}

bool endpoint_split(struct slice s, struct endpoint *out)
{
	const char *colon;
	int32_t port = ENDPOINT_NO_PORT;

	s = without_userinfo(s);
	if (s.n == 0)
		return false;
	if (*s.p == '[')
		return split_bracketed(s, out);
	colon = memchr(s.p, ':', s.n);
	if (colon && memchr(colon + 1, ':', s.n - (size_t)(colon + 1 - s.p))) {
		if (!endpoint_is_ip(s))
			return false;
		*out = (struct endpoint){ s, ENDPOINT_NO_PORT };
		return true;
	}
	if (colon) {
		port = parse_port((struct slice){ colon + 1, s.n - (size_t)(colon + 1 - s.p) });
		s.n = (size_t)(colon - s.p);
	}
	if (port < ENDPOINT_NO_PORT || !host_valid(s))
		return false;
	*out = (struct endpoint){ s, port };
	return true;
}

/* Four numbers of at most 255 without leading zeros, as inet_pton(3) has it, which takes three times as long.
 */
static bool is_ipv4(struct slice s)
{
	unsigned int number = 0, digits = 0, dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.' && digits && dots < 3) {
			dots++;
			number = digits = 0;
		} else if (c >= '0' && c <= '9' && !(digits && number == 0)) {
			number = number * 10 + (unsigned int)(c - '0');
			digits++;
			if (number > 255)
				return false;
		} else {
			return false;
		}
	}
	return dots == 3 && digits;
}

bool endpoint_is_ip(struct slice host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr binary;

	if (host.n == 0 || host.n >= sizeof text)
		return false;
	if (!memchr(host.p, ':', host.n))
		return is_ipv4(host);
	if (memchr(host.p, 0, host.n))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	return inet_pton(AF_INET6, text, &binary) == 1;
}

struct slice endpoint_join(struct arena *arena, const struct endpoint *e)
{
	bool v6 = e->host.n && memchr(e->host.p, ':', e->host.n);
	char digits[NUMBER_SIZE];
	struct slice port = { digits, 0 };

	if (!v6 && e->port == ENDPOINT_NO_PORT)
		return e->host;
	if (e->port != ENDPOINT_NO_PORT)
		port.n = number_i64(digits, e->port);
	return text_join(arena,
			 (struct slice[]){ v6 ? SLICE("[") : SLICE(""), e->host, v6 ? SLICE("]") : SLICE(""),
					   port.n ? SLICE(":") : SLICE(""), port },
			 5);
}

/* inet_ntop takes longer than the rest of a span */
static struct slice ipv4_text(struct arena *arena, const uint8_t b[4])
{
	char *out = arena_take(arena, INET_ADDRSTRLEN);
	size_t n = 0;

	if (!out)
		return (struct slice){ "", 0 };
	for (int i = 0; i < 4; i++) {
		if (i)
			out[n++] = '.';
		if (b[i] >= 100)
			out[n++] = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			out[n++] = (char)('0' + b[i] / 10 % 10);
		out[n++] = (char)('0' + b[i] % 10);
	}
	return (struct slice){ out, n };
}

static struct slice ipv6_text(struct arena *arena, const uint8_t b[16])
{
	char *out = arena_take(arena, INET6_ADDRSTRLEN);

	if (!out || !inet_ntop(AF_INET6, b, out, INET6_ADDRSTRLEN))
		return (struct slice){ "", 0 };
	return slice_of(out);
}

static bool is_mapped(const uint8_t b[16]) { return memcmp(b, mapped_prefix, sizeof mapped_prefix) == 0; }

struct slice endpoint_address(struct arena *arena, const struct span_address *a)
{
	if (a->family == FAMILY_INET)
		return ipv4_text(arena, a->addr);
	if (a->family != FAMILY_INET6)
		return (struct slice){ "", 0 };
	return is_mapped(a->addr) ? ipv4_text(arena, a->addr + 12) : ipv6_text(arena, a->addr);
}

static bool ipv4_private(const uint8_t b[4])
{
	return b[0] == 127 || b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}

static bool ipv6_private(const uint8_t b[16])
{
	static const uint8_t loopback[16] = { [15] = 1 };

	return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
	       memcmp(b, loopback, 16) == 0;
}

bool endpoint_is_private(const struct span_address *a)
{
	switch (a->family) {
	case FAMILY_UNIX: return true;
	case FAMILY_INET: return ipv4_private(a->addr);
	case FAMILY_INET6: return is_mapped(a->addr) ? ipv4_private(a->addr + 12) : ipv6_private(a->addr);
	default: return false;
	}
}
