/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */
#include "exporters/span/redact.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "exporters/span/text.h"

#define KEY_BYTES_MAX 256u

static const struct slice default_keys[] = {
	{ "X-Amz-Signature", 15 },  { "X-Amz-Credential", 16 }, { "X-Amz-Security-Token", 20 },
	{ "AWSAccessKeyId", 14 },   { "Signature", 9 },         { "sig", 3 },
	{ "X-Goog-Signature", 16 },
};

const struct redact_list redact_default = { default_keys, sizeof default_keys / sizeof *default_keys };

/* Output that is made only when something changes; `done` is how much of the input it holds. */
struct rewrite {
	struct arena *arena;
	struct slice in;
	char *out;
	size_t n, done, size;
};

static bool replace(struct rewrite *w, size_t from, size_t to)
{
	static const char mark[] = "REDACTED";
	size_t keep = from - w->done;

	if (!w->out) {
		/* Eight bytes more for each "k=" with its separator, three bytes at least. */
		w->size = w->in.n * 4 + sizeof mark;
		w->out = arena_take(w->arena, w->size);
	}
	if (!w->out)
		return false;
	memcpy(w->out + w->n, w->in.p + w->done, keep);
	memcpy(w->out + w->n + keep, mark, sizeof mark - 1);
	w->n += keep + sizeof mark - 1;
	w->done = to;
	return true;
}

static struct slice rewritten(struct rewrite *w)
{
	size_t rest = w->in.n - w->done;

	if (!w->out)
		return w->in;
	memcpy(w->out + w->n, w->in.p + w->done, rest);
	return (struct slice){ w->out, w->n + rest };
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct slice decode_key(struct slice key, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < key.n && n < KEY_BYTES_MAX; i++) {
		bool escape = key.p[i] == '%' && i + 2 < key.n && hex_digit(key.p[i + 1]) >= 0 &&
			      hex_digit(key.p[i + 2]) >= 0;

		out[n++] = escape ? (char)(hex_digit(key.p[i + 1]) << 4 | hex_digit(key.p[i + 2])) : key.p[i];
		i += escape ? 2 : 0;
	}
	return (struct slice){ out, n };
}

static bool is_secret(const struct redact_list *list, struct slice key, bool in_path)
{
	char decoded[KEY_BYTES_MAX];

	if (key.n == 0)
		return false;
	if (memchr(key.p, '%', key.n))
		key = decode_key(key, decoded);
	for (size_t i = 0; i < list->n; i++)
		if (slice_equal(key, list->keys[i]))
			return true;
	return in_path && key.n == 10 && strncasecmp(key.p, "jsessionid", 10) == 0;
}

/* The first of up to three bytes from `from` on, or the end. */
static inline size_t find(struct slice s, size_t from, char a, char b, char c)
{
	while (from < s.n && s.p[from] != a && s.p[from] != b && s.p[from] != c)
		from++;
	return from;
}

struct slice redact_query(struct arena *arena, const struct redact_list *list, struct slice query)
{
	struct rewrite w = { .arena = arena, .in = query };
	size_t i = 0;

	while (i < query.n) {
		size_t equals = find(query, i, '=', '&', ';');

		if (equals < query.n && query.p[equals] == '=') {
			struct slice key = { query.p + i, equals - i };
			bool secret = is_secret(list, key, false);
			size_t end = find(query, equals + 1, '&', secret ? '&' : ';', '&');

			if (secret && !replace(&w, equals + 1, end))
				return (struct slice){ "", 0 };
			equals = end;
		}
		i = equals + 1;
	}
	return rewritten(&w);
}

struct slice redact_path(struct arena *arena, const struct redact_list *list, struct slice path)
{
	struct rewrite w = { .arena = arena, .in = path };
	size_t i = path.n && memchr(path.p, ';', path.n) ? find(path, 0, ';', ';', ';') + 1 : path.n;

	while (i < path.n) {
		size_t equals = find(path, i, '=', ';', '/'), end = find(path, equals, ';', '/', '/');

		if (equals < path.n && path.p[equals] == '=' &&
		    is_secret(list, (struct slice){ path.p + i, equals - i }, true) &&
		    !replace(&w, equals + 1, end))
			return (struct slice){ "", 0 };
		i = find(path, end, ';', ';', ';') + 1;
	}
	return rewritten(&w);
}

static struct slice part(struct slice s, size_t from, size_t to)
{
	return (struct slice){ s.p + from, to > from ? to - from : 0 };
}

/* Where the authority begins and ends; false: none. */
static bool find_authority(struct slice url, size_t *from, size_t *to)
{
	size_t i = find(url, 0, ':', '/', '?');

	i = i < url.n && url.p[i] == ':' ? i + 1 : 0;
	if (url.n - i < 2 || url.p[i] != '/' || url.p[i + 1] != '/')
		return false;
	*from = i + 2;
	*to = find(url, *from, '/', '?', '#');
	return true;
}

/* The authority and what is before it; *begin: where the path begins. */
static struct slice redact_authority(struct arena *arena, struct slice url, size_t *begin)
{
	size_t from = 0, to = 0;
	const char *at;

	if (!find_authority(url, &from, &to))
		return part(url, 0, 0);
	*begin = to;
	at = to > from ? memrchr(url.p + from, '@', to - from) : NULL;
	if (!at)
		return part(url, 0, to);
	return text_join(arena,
			 (struct slice[]){ part(url, 0, from), SLICE("REDACTED:REDACTED@"),
					   part(url, (size_t)(at + 1 - url.p), to) },
			 3);
}

struct slice redact_odd(struct arena *arena, struct slice target)
{
	const char *at = target.n ? memrchr(target.p, '@', target.n) : NULL;

	if (!at)
		return target;
	return text_join(arena,
			 (struct slice[]){ SLICE("REDACTED:REDACTED@"),
					   part(target, (size_t)(at + 1 - target.p), target.n) },
			 2);
}

struct slice redact_url(struct arena *arena, const struct redact_list *list, struct slice url)
{
	size_t begin = 0, end, question;
	struct slice authority = redact_authority(arena, url, &begin), path, query = { "", 0 };

	end = find(url, begin, '#', '#', '#');
	question = find(part(url, 0, end), begin, '?', '?', '?');
	path = redact_path(arena, list, part(url, begin, question));
	if (question < end)
		query = redact_query(arena, list, part(url, question + 1, end));
	return text_join(arena,
			 (struct slice[]){ authority, path, question < end ? SLICE("?") : SLICE(""), query },
			 4);
}
