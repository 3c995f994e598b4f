/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem, memrchr */
#include "exporters/transport/endpoint_url.h"

#include <string.h>
#include <strings.h>

static const char *find(struct slice s, char c) { return s.n ? memchr(s.p, c, s.n) : NULL; }

/* s becomes what stands behind `at`, the part before it is returned. */
static struct slice split(struct slice *s, const char *at, size_t separator)
{
	struct slice before = { s->p, (size_t)(at - s->p) };

	s->n -= before.n + separator;
	s->p = at + separator;
	return before;
}

static size_t authority_end(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
		n++;
	return n;
}

static bool is_scheme(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') &&
		    !(i && strchr("0123456789+-.", s.p[i]) && s.p[i]))
			return false;
	return s.n > 0;
}

static bool read_port(struct endpoint_url *out, struct slice text)
{
	uint32_t port = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		port = port * 10 + (uint32_t)(text.p[i] - '0');
		if (port > 65535)
			return false;
	}
	out->port = (uint16_t)port;
	return true;
}

static bool read_host(struct endpoint_url *out, struct slice text)
{
	const char *colon;

	if (text.n && text.p[0] == '[') {
		const char *end = find(text, ']');

		if (!end)
			return false;
		out->ip6 = true;
		out->host = split(&text, end, 1);
		out->host.p++;
		out->host.n--;
		if (text.n == 0)
			return out->host.n > 0;
		if (text.p[0] != ':')
			return false;
		text = (struct slice){ text.p + 1, text.n - 1 };
		return out->host.n > 0 && read_port(out, text);
	}
	colon = find(text, ':');
	out->host = text;
	if (colon)
		out->host = split(&text, colon, 1);
	return out->host.n > 0 && (!colon || read_port(out, text));
}

/* What would let a text become another header, or another argument, of the request. */
static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

bool endpoint_url_parse(struct endpoint_url *out, struct slice text)
{
	struct slice authority;
	const char *at;

	*out = (struct endpoint_url){ 0 };
	if (has_control(text))
		return false;
	at = text.n ? memmem(text.p, text.n, "://", 3) : NULL;
	if (at) {
		out->scheme = split(&text, at, 3);
		if (!is_scheme(out->scheme))
			goto bad;
	}
	authority = split(&text, text.p + authority_end(text), 0);
	at = find(text, '#');
	out->rest = at ? split(&text, at, 1) : text;
	/* The last one: a password may hold an @ that nobody encoded. */
	at = authority.n ? memrchr(authority.p, '@', authority.n) : NULL;
	if (at) {
		out->has_user = true;
		out->user = split(&authority, at, 1);
		at = find(out->user, ':');
		if (at) {
			out->password = out->user;
			out->user = split(&out->password, at, 1);
		}
	}
	if (read_host(out, authority))
		return true;
bad:
	*out = (struct endpoint_url){ 0 };
	return false;
}

void endpoint_url_write(struct buf *out, const struct endpoint_url *url, struct slice scheme,
			struct slice rest)
{
	if (scheme.n) {
		buf_add_slice(out, scheme);
		buf_add_text(out, "://");
	}
	if (url->ip6)
		buf_add_byte(out, '[');
	buf_add_slice(out, url->host);
	if (url->ip6)
		buf_add_byte(out, ']');
	if (url->port) {
		buf_add_byte(out, ':');
		buf_add_u64(out, url->port);
	}
	if (rest.n == 0 || rest.p[0] != '/')
		buf_add_byte(out, '/');
	buf_add_slice(out, rest);
}

struct slice endpoint_url_grpc_scheme(const struct endpoint_url *url, bool insecure)
{
	struct slice s = url->scheme;

	if (s.n == 0)
		return insecure ? SLICE("http") : SLICE("https");
	if ((s.n == 5 && !strncasecmp(s.p, "https", 5)) || (s.n == 5 && !strncasecmp(s.p, "grpcs", 5)))
		return SLICE("https");
	return SLICE("http");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void endpoint_url_decode(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%' && i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 &&
		    hex_digit(text.p[i + 2]) >= 0) {
			c = (char)(hex_digit(text.p[i + 1]) << 4 | hex_digit(text.p[i + 2]));
			i += 2;
		}
		if (c)
			buf_add_byte(out, (uint8_t)c);
	}
}
