/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/json_tree.h"

#include <stdint.h>

#include "exporters/base/utf8.h"

enum { DEEPEST = 64 };

struct reader {
	struct arena *arena;
	const char *p, *end;
	int depth;
};

static struct json *read_node(struct reader *r);

static void skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char wanted)
{
	if (r->p == r->end || *r->p != wanted)
		return false;
	r->p++;
	return true;
}

static bool take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static bool read_unit(struct reader *r, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int digit = r->p < r->end ? hex_digit(*r->p) : -1;

		if (digit < 0)
			return false;
		*unit = *unit << 4 | (uint32_t)digit;
		r->p++;
	}
	return true;
}

static char *put_code(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 63));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 63));
		*out++ = (char)(0x80 | (code & 63));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 63));
		*out++ = (char)(0x80 | (code >> 6 & 63));
		*out++ = (char)(0x80 | (code & 63));
	}
	return out;
}

static char *read_escape(struct reader *r, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *place;
	uint32_t unit, low;

	if (r->p == r->end)
		return NULL;
	if (*r->p != 'u') {
		place = *r->p ? strchr(from, *r->p) : NULL;
		if (!place)
			return NULL;
		r->p++;
		*out++ = to[place - from];
		return out;
	}
	r->p++;
	if (!read_unit(r, &unit) || (unit >= 0xdc00 && unit <= 0xdfff))
		return NULL;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (!take_word(r, "\\u") || !read_unit(r, &low) || low < 0xdc00 || low > 0xdfff)
			return NULL;
		unit = 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
	}
	return put_code(out, unit);
}

static bool read_string(struct reader *r, struct slice *text)
{
	const char *quote;
	char *start, *out;

	if (!take(r, '"'))
		return false;
	for (quote = r->p; quote < r->end && *quote != '"'; quote++)
		quote += *quote == '\\';
	if (quote >= r->end)
		return false;
	start = out = arena_take(r->arena, (size_t)(quote - r->p) + 1);
	while (out && r->p < quote) {
		if ((uint8_t)*r->p < 0x20)
			return false;
		if (take(r, '\\'))
			out = read_escape(r, out);
		else
			*out++ = *r->p++;
	}
	if (!out || !take(r, '"'))
		return false;
	*text = (struct slice){ start, (size_t)(out - start) };
	return utf8_valid(*text);
}

static bool take_digits(struct reader *r)
{
	const char *start = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > start;
}

static bool read_number(struct reader *r, struct slice *text)
{
	const char *start = r->p;

	take(r, '-');
	if (!take(r, '0') && !take_digits(r))
		return false;
	if (take(r, '.') && !take_digits(r))
		return false;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			take(r, '-');
		if (!take_digits(r))
			return false;
	}
	*text = (struct slice){ start, (size_t)(r->p - start) };
	return true;
}

/* Members or items, after the opening bracket. */
static bool read_children(struct reader *r, struct json *node, char closing)
{
	struct json **link = &node->child;
	struct slice key = { NULL, 0 };

	skip_space(r);
	if (take(r, closing))
		return true;
	for (;;) {
		skip_space(r);
		if (node->kind == JSON_OBJECT) {
			if (!read_string(r, &key))
				return false;
			skip_space(r);
			if (!take(r, ':'))
				return false;
		}
		*link = read_node(r);
		if (!*link)
			return false;
		(*link)->key = key;
		link = &(*link)->next;
		skip_space(r);
		if (take(r, closing))
			return true;
		if (!take(r, ','))
			return false;
	}
}

static bool read_value(struct reader *r, struct json *node)
{
	switch (r->p < r->end ? *r->p : '\0') {
	case '"': node->kind = JSON_STRING; return read_string(r, &node->text);
	case '{':
		node->kind = JSON_OBJECT;
		r->p++;
		return read_children(r, node, '}');
	case '[':
		node->kind = JSON_ARRAY;
		r->p++;
		return read_children(r, node, ']');
	case 't': node->kind = JSON_TRUE; return take_word(r, "true");
	case 'f': node->kind = JSON_FALSE; return take_word(r, "false");
	case 'n': node->kind = JSON_NULL; return take_word(r, "null");
	default: node->kind = JSON_NUMBER; return read_number(r, &node->text);
	}
}

static struct json *read_node(struct reader *r)
{
	struct json *node = arena_take(r->arena, sizeof(*node));
	bool good;

	if (!node || ++r->depth > DEEPEST)
		return NULL;
	*node = (struct json){ 0 };
	skip_space(r);
	good = read_value(r, node);
	r->depth--;
	return good ? node : NULL;
}

struct json *json_parse(struct arena *a, struct slice text)
{
	struct reader r = { .arena = a, .p = text.p, .end = text.p + text.n };
	struct json *node = text.n ? read_node(&r) : NULL;

	skip_space(&r);
	return r.p == r.end ? node : NULL;
}

const struct json *json_member(const struct json *object, const char *key)
{
	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *node = object->child; node; node = node->next)
		if (slice_is(node->key, key))
			return node;
	return NULL;
}

struct slice json_text(const struct json *object, const char *key)
{
	const struct json *node = json_member(object, key);

	return node ? node->text : (struct slice){ NULL, 0 };
}

size_t json_count(const struct json *node)
{
	size_t n = 0;

	for (const struct json *child = node ? node->child : NULL; child; child = child->next)
		n++;
	return n;
}
