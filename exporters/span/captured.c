/* SPDX-License-Identifier: Apache-2.0 */
/* Captured headers: http.request.header.<name> and http.response.header.<name>, string arrays. */
#include "exporters/span/build.h"
#include "exporters/span/text.h"

#define NAME_BYTES_MAX 128u

struct header {
	struct slice name, value;
};

/* RFC 9110 5.6.2, lower case; the record's writer is not trusted to keep to it */
static bool is_token(struct slice s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	if (s.n == 0 || s.n > NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !memchr(marks, c, sizeof marks - 1))
			return false;
	}
	return true;
}

static bool is_in(const struct redact_list *list, struct slice name)
{
	for (size_t i = 0; i < list->n; i++)
		if (slice_equal(list->keys[i], name))
			return true;
	return false;
}

static bool holds_url(struct slice name)
{
	return slice_is(name, "referer") || slice_is(name, "location") ||
	       slice_is(name, "content-location") || slice_is(name, "origin");
}

static bool parse(struct span_build *b, const uint8_t *value, size_t n, struct header *h)
{
	const uint8_t *nul = n ? memchr(value, 0, n) : NULL;

	if (!nul)
		return false;
	h->name = build_string(b, value, (size_t)(nul - value));
	h->value = build_string(b, nul + 1, n - (size_t)(nul + 1 - value));
	if (!is_token(h->name))
		return false;
	if (is_in(&b->options->redact_headers, h->name))
		h->value = SLICE("REDACTED");
	else if (holds_url(h->name))
		h->value = redact_url(b->arena, &b->options->redact_query, h->value);
	return true;
}

/* Is it another line of the header whose name, with its NUL, stands at `first`? */
static bool same_name(const uint8_t *value, size_t n, const uint8_t *first, size_t name_n)
{
	return n > name_n && memcmp(value, first, name_n + 1) == 0;
}

/* All values of one header: `first` and those that come after `pos`. */
static size_t collect(struct span_build *b, enum span_tag wanted, const uint8_t *first, struct header h,
		      size_t pos, struct value *items, size_t max)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t n, found = 1, name_n = h.name.n;

	items[0] = (struct value){ .type = VALUE_STRING, .string = h.value };
	while (found < max && span_next_string(b->copy, &pos, &tag, &value, &n))
		if (tag == wanted && same_name(value, n, first, name_n) && parse(b, value, n, &h))
			items[found++] = (struct value){ .type = VALUE_STRING, .string = h.value };
	return found;
}

static bool is_there(const struct span_build *b, struct slice key)
{
	for (uint32_t i = 0; i < b->set.n; i++)
		if (slice_equal(b->set.items[i].key, key))
			return true;
	return false;
}

static void put(struct span_build *b, struct slice key, struct value *items, size_t n)
{
	struct value *copy;

	if (is_there(b, key))
		return;
	copy = arena_take(b->arena, n * sizeof *copy);
	if (!copy)
		return;
	memcpy(copy, items, n * sizeof *copy);
	attribute_set_texts(&b->set, key, copy, n);
}

/* The names of 2022 have underscores where headers have dashes. */
static struct slice with_underscores(struct arena *arena, struct slice key, size_t from)
{
	char *out;

	if (!memchr(key.p + from, '-', key.n - from))
		return key;
	out = arena_take(arena, key.n);
	if (!out)
		return key;
	for (size_t i = 0; i < key.n; i++)
		out[i] = i >= from && key.p[i] == '-' ? '_' : key.p[i];
	return (struct slice){ out, key.n };
}

#define VALUES_MAX 64u

void captured_headers(struct span_build *b)
{
	static const struct slice prefix[2] = { { "http.request.header.", 20 },
						{ "http.response.header.", 21 } };
	struct value items[VALUES_MAX];
	size_t pos = 0, n;
	enum span_tag tag;
	const uint8_t *value;
	struct header h;

	if (!b->has[TAG_REQUEST_HEADER] && !b->has[TAG_RESPONSE_HEADER])
		return;
	while (span_next_string(b->copy, &pos, &tag, &value, &n)) {
		struct slice head = prefix[tag == TAG_RESPONSE_HEADER], key;

		if ((tag != TAG_REQUEST_HEADER && tag != TAG_RESPONSE_HEADER) || !parse(b, value, n, &h))
			continue;
		key = text_join(b->arena, (struct slice[]){ head, h.name }, 2);
		n = collect(b, tag, value, h, pos, items, VALUES_MAX);
		if (b->options->conventions & SPAN_CONVENTIONS_STABLE)
			put(b, key, items, n);
		if (b->options->conventions & SPAN_CONVENTIONS_LEGACY)
			put(b, with_underscores(b->arena, key, head.n), items, n);
	}
}
