/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/forwarded.h"

#include <strings.h>

#define SCHEME_BYTES_MAX 16u

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static struct slice trim(struct slice s)
{
	while (s.n && is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_word(struct slice s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

struct slice forwarded_scheme(struct slice s)
{
	static const char *const usual[] = { "https", "http", "wss", "ws" };

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (is_word(s, usual[i]))
			return slice_of(usual[i]);
	if (s.n == 0 || s.n > SCHEME_BYTES_MAX || s.p[0] < 'a' || s.p[0] > 'z')
		return (struct slice){ "", 0 };
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')
			return (struct slice){ "", 0 };
	}
	return s;
}

static bool client_of(struct slice s, struct endpoint *out)
{
	struct endpoint e;

	if (!endpoint_split(s, &e) || !endpoint_is_ip(e.host))
		return false;
	*out = e;
	return true;
}

/* A quoted-pair stands for its second byte. In: without the quotes. */
static struct slice unescape(struct arena *arena, struct slice s)
{
	char *out;
	size_t n = 0;

	if (!s.n || !memchr(s.p, '\\', s.n))
		return s;
	out = arena_take(arena, s.n);
	for (size_t i = 0; out && i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		out[n++] = s.p[i];
	}
	return (struct slice){ out ? out : "", n };
}

static void take_pair(struct arena *arena, struct slice name, struct slice value, bool quoted,
		      struct forwarded *out)
{
	if (quoted)
		value = unescape(arena, value);
	if (!out->client.host.n && is_word(name, "for"))
		client_of(value, &out->client);
	else if (!out->host.host.n && is_word(name, "host"))
		endpoint_split(value, &out->host);
	else if (!out->proto.n && is_word(name, "proto"))
		out->proto = forwarded_scheme(value);
}

/* From p on: bytes up to the quote that ends the string, or all. */
static size_t quoted_length(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != '"')
		i += p[i] == '\\' && i + 1 < n ? 2 : 1;
	return i;
}

static size_t plain_length(const char *p, size_t n, const char *stops)
{
	size_t i = 0;

	while (i < n && !strchr(stops, p[i]))
		i++;
	return i;
}

void forwarded_parse(struct arena *arena, struct slice s, struct forwarded *out)
{
	size_t i = 0;

	while (i < s.n) {
		struct slice name, value;
		bool quoted;

		name.p = s.p + i;
		name.n = plain_length(s.p + i, s.n - i, "=;,");
		i += name.n;
		if (i >= s.n || s.p[i] != '=') {
			i++;
			continue; /* no value: not a pair */
		}
		i++;
		while (i < s.n && is_blank(s.p[i]))
			i++;
		quoted = i < s.n && s.p[i] == '"';
		i += quoted;
		value.p = s.p + i;
		value.n = quoted ? quoted_length(s.p + i, s.n - i) : plain_length(s.p + i, s.n - i, ";,");
		i += value.n;
		i += plain_length(s.p + i, s.n - i, ";,") + 1;
		take_pair(arena, trim(name), quoted ? value : trim(value), quoted, out);
	}
}

static struct slice first_element(struct slice s)
{
	const char *comma = s.n ? memchr(s.p, ',', s.n) : NULL;

	return trim(comma ? (struct slice){ s.p, (size_t)(comma - s.p) } : s);
}

bool forwarded_x_for(struct slice s, struct endpoint *out)
{
	while (s.n) {
		const char *comma = memchr(s.p, ',', s.n);

		if (client_of(first_element(s), out))
			return true;
		if (!comma)
			break;
		s.n -= (size_t)(comma + 1 - s.p);
		s.p = comma + 1;
	}
	return false;
}

bool forwarded_x_host(struct slice s, struct endpoint *out) { return endpoint_split(first_element(s), out); }

struct slice forwarded_x_proto(struct slice s) { return forwarded_scheme(first_element(s)); }
