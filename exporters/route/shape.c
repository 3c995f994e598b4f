/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/shape.h"

#include <strings.h>

#include "exporters/route/words.h"

static struct slice part(struct slice s, size_t from, size_t to)
{
	return (struct slice){ s.p + from, to - from };
}

static size_t last_of(struct slice s, char c)
{
	for (size_t i = s.n; i--;)
		if (s.p[i] == c)
			return i;
	return s.n;
}

struct slice route_join(char *to, size_t size, const struct slice *parts, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].n > size - at)
			break; /* cut: the caller's segments are shorter than this */
		if (parts[i].n)
			memcpy(to + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	return (struct slice){ to, at };
}

void route_set_id(struct route_shape *shape, struct slice before, struct slice behind)
{
	const struct slice parts[] = { before, SLICE("{id}"), behind };

	shape->id = SLICE("{id}");
	if (before.n || behind.n)
		shape->id = route_join(shape->text[0], sizeof(shape->text[0]), parts, 3);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that no word has. */
static const bool odd[256] = {
	['%'] = true, [','] = true, ['='] = true,           ['&'] = true, ['$'] = true, [' '] = true,
	['+'] = true, ['"'] = true, ['\''] = true,          ['<'] = true, ['>'] = true, ['('] = true,
	[')'] = true, ['{'] = true, ['}'] = true,           ['|'] = true, ['^'] = true, ['`'] = true,
	['*'] = true, ['!'] = true, [0x80 ... 0xff] = true,
};

/* What an escape or a byte beyond ASCII says of the segment. */
static enum route_kind odd_kind(struct slice s)
{
	enum route_kind kind = ROUTE_NAME;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c == '%' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
			c = (uint8_t)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2]));
			i += 2;
			if (c < 0x80 && !strchr("-._~@:!'()", c))
				kind = ROUTE_ID; /* a slash, a space, a comma: a value, not a name */
			if (c >= 0xf0)
				kind = ROUTE_ID;
		} else if (c < 0x80 && odd[c]) {
			kind = ROUTE_ID;
		}
	}
	return kind;
}

static enum route_place place_behind(uint32_t words, struct slice text, enum route_place place)
{
	static const char *const prefixes[] = {
		"admin",     "api",      "apis",   "app",    "backend", "console",
		"dashboard", "internal", "manage", "mobile", "panel",   "portal",
		"private",   "public",   "rest",   "rpc",    "web",     "wp-json",
	};

	for (size_t i = 0; place != ROUTE_BEHIND_ID && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (text.n == strlen(prefixes[i]) && strncasecmp(text.p, prefixes[i], text.n) == 0)
			return ROUTE_AT_ROOT;
	if (words & ROUTE_NOUN)
		return words & ROUTE_PLURAL ? ROUTE_BEHIND_PLURAL : ROUTE_BEHIND_NOUN;
	return ROUTE_BEHIND_WORD;
}

static bool is_filler(struct slice s)
{
	static const char *const fillers[] = { "a",   "an", "and", "are",  "at",  "for",  "from",
					       "how", "in", "is",  "my",   "of",  "on",   "our",
					       "the", "to", "we",  "what", "why", "with", "your" };

	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
		if (slice_is(s, fillers[i]))
			return true;
	return false;
}

/* ten-tips-for-better-sleep: a title, though of everyday words. */
static bool is_title(struct slice s)
{
	size_t pieces = 1, begin = 0, fillers = 0;

	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '-')
			continue;
		fillers += is_filler(part(s, begin, i));
		begin = i + 1;
		pieces += i < s.n;
	}
	return pieces >= 4 || (pieces == 3 && fillers);
}

/* A segment or what is in front of an extension: word, name or id. */
void route_judge(struct slice s, enum route_place place, bool more, struct route_shape *shape)
{
	size_t digits = 0;
	bool is_odd = false;

	shape->kind = ROUTE_ID;
	shape->next = ROUTE_BEHIND_WORD;
	if (route_is_version(s, place, more)) {
		shape->kind = ROUTE_KEEP;
		shape->words = ROUTE_WORD | ROUTE_RESERVED;
		shape->next = place == ROUTE_BEHIND_ID ? ROUTE_BEHIND_WORD : ROUTE_AT_ROOT;
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		digits += digit;
		shape->marked |= digit || s.p[i] == '-' || s.p[i] == '_';
		is_odd |= odd[(uint8_t)s.p[i]];
	}
	shape->digits = digits > 0;
	if (is_odd) {
		shape->kind = (uint8_t)odd_kind(s);
		return;
	}
	if ((digits >= 4 || digits == s.n) && route_is_id(s))
		return; /* as it stands: sooner than the words are looked up */
	shape->words = route_words(s);
	if (shape->words && !is_title(s)) {
		shape->kind = ROUTE_KEEP;
		shape->next = (uint8_t)place_behind(shape->words, s, place);
		return;
	}
	shape->words = 0;
	shape->kind = route_is_id(s) || last_of(s, '@') < s.n ? ROUTE_ID : ROUTE_NAME;
}

/* users:batchGet, {id}:cancel: the verb is kept by itself. Where it begins, or the end. */
static size_t verb_at(struct slice s)
{
	size_t colon = last_of(s, ':');

	if (colon == s.n || colon == 0 || colon + 2 >= s.n || !route_words(part(s, colon + 1, s.n)))
		return s.n;
	return colon;
}

static void shape_whole(struct slice s, enum route_place place, bool more, struct route_shape *shape)
{
	size_t verb = verb_at(s);
	size_t sign = s.n > 1 && (s.p[0] == '@' || s.p[0] == '~');
	struct slice core = part(s, sign, verb);

	if (route_shape_file(s, place, shape))
		return;
	if (s.n > 1 && (s.p[0] == '.' || s.p[0] == '_') && !route_is_hash(part(s, 1, s.n))) {
		shape->kind = ROUTE_KEEP;
		shape->words = ROUTE_WORD | ROUTE_RESERVED;
		shape->next = ROUTE_BEHIND_WORD;
		return;
	}
	route_judge(core, sign ? ROUTE_BEHIND_NOUN : place, more, shape);
	if (sign && !(shape->words & ROUTE_RESERVED))
		shape->kind = ROUTE_ID; /* @alice; but @me */
	route_set_id(shape, part(s, 0, sign), part(s, verb, s.n));
}

void route_shape(struct slice segment, enum route_place place, bool more, struct route_shape *shape)
{
	size_t semicolon = 0;

	while (semicolon < segment.n && segment.p[semicolon] != ';')
		semicolon++;
	segment.n = semicolon ? semicolon : segment.n; /* ;jsessionid=... */
	shape->kind = ROUTE_ID;
	shape->next = ROUTE_BEHIND_ID;
	shape->digits = shape->marked = false;
	shape->words = 0;
	shape->keep = segment;
	shape->id = SLICE("{id}");
	if (segment.n <= ROUTE_SEGMENT_MAX)
		shape_whole(segment, place, more, shape);
	if (slice_is(segment, "-") || slice_is(segment, "*"))
		shape->kind = ROUTE_KEEP;
}
