/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/vector.h"

static const struct regex_range digits[] = { { '0', '9' } };
static const struct regex_range words[] = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } };
static const struct regex_range spaces[] = { { '\t', '\r' }, { ' ', ' ' } };

static const struct category {
	char letter;
	const struct regex_range *ranges;
	uint32_t n;
} categories[] = { { 'd', digits, 1 }, { 'w', words, 4 }, { 's', spaces, 2 } };

static void add_range(struct regex_parser *p, uint32_t first, uint32_t last)
{
	struct regex *r = p->r;

	if (p->rc)
		return;
	if (!VECTOR_ROOM(r->ranges, r->size_ranges, r->n_ranges, 1)) {
		p->rc = -ENOMEM;
		return;
	}
	r->ranges[r->n_ranges++] = (struct regex_range){ first, last };
}

static void add_category(struct regex_parser *p, const struct category *c, bool negated)
{
	uint32_t from = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		if (!negated)
			add_range(p, c->ranges[i].first, c->ranges[i].last);
		else if (c->ranges[i].first > from)
			add_range(p, from, c->ranges[i].first - 1);
		from = c->ranges[i].last + 1;
	}
	if (negated)
		add_range(p, from, REGEX_LAST_CODE_POINT);
}

static const struct category *category_of(char c)
{
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
		if (categories[i].letter == (c | 0x20))
			return &categories[i];
	return NULL;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct regex_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* ASCII only, as re.ASCII | re.IGNORECASE. */
static void add_other_case(struct regex_parser *p, uint32_t begin)
{
	uint32_t end = p->r->n_ranges;

	for (uint32_t i = begin; i < end && !p->rc; i++) {
		struct regex_range range = p->r->ranges[i];
		uint32_t lower = range.first > 'a' ? range.first : 'a',
			 upper = range.first > 'A' ? range.first : 'A';

		if (lower <= 'z' && lower <= range.last)
			add_range(p, lower - 32, (range.last < 'z' ? range.last : 'z') - 32);
		if (upper <= 'Z' && upper <= range.last)
			add_range(p, upper + 32, (range.last < 'Z' ? range.last : 'Z') + 32);
	}
}

/* Sorted, apart from each other. */
static uint32_t merge_ranges(struct regex_range *ranges, uint32_t n)
{
	uint32_t out = 0;

	qsort(ranges, n, sizeof(*ranges), compare_ranges);
	for (uint32_t i = 1; i < n; i++) {
		if (ranges[i].first > ranges[out].last + 1)
			ranges[++out] = ranges[i];
		else if (ranges[i].last > ranges[out].last)
			ranges[out].last = ranges[i].last;
	}
	return n ? out + 1 : 0;
}

static void negate_ranges(struct regex_parser *p, uint32_t begin)
{
	uint32_t end = p->r->n_ranges, from = 0;

	for (uint32_t i = begin; i < end && !p->rc; i++) {
		struct regex_range range = p->r->ranges[i];

		if (range.first > from)
			add_range(p, from, range.first - 1);
		from = range.last + 1;
	}
	if (from <= REGEX_LAST_CODE_POINT)
		add_range(p, from, REGEX_LAST_CODE_POINT);
	if (p->rc)
		return;
	p->r->n_ranges -= end - begin;
	memmove(p->r->ranges + begin, p->r->ranges + end, (p->r->n_ranges - begin) * sizeof(*p->r->ranges));
}

/* The node of the ranges added since `begin`. */
static uint32_t finish_set(struct regex_parser *p, uint32_t begin, bool negated, const char *at)
{
	struct regex *r = p->r;
	uint32_t node;

	if (p->flags & REGEX_IGNORECASE)
		add_other_case(p, begin);
	if (p->rc)
		return REGEX_NONE;
	r->n_ranges = begin + merge_ranges(r->ranges + begin, r->n_ranges - begin);
	if (negated)
		negate_ranges(p, begin);
	node = regex_new_node(p, REGEX_SET, at);
	if (node == REGEX_NONE)
		return node;
	r->nodes[node].first = begin;
	r->nodes[node].n = r->n_ranges - begin;
	return node;
}

/* One UTF-8 character of the pattern. */
static uint32_t read_character(struct regex_parser *p)
{
	uint8_t lead = (uint8_t)*p->at;
	uint32_t more = lead < 0x80   ? 0
			: lead < 0xc2 ? 9
			: lead < 0xe0 ? 1
			: lead < 0xf0 ? 2
			: lead < 0xf5 ? 3
				      : 9;
	uint32_t value = more == 0 ? lead : lead & (0x3fu >> more), least = more == 2   ? 0x800
									    : more == 3 ? 0x10000
											: 0;
	const char *at = p->at++;

	if ((size_t)(p->end - p->at) < more)
		more = 9;
	for (; more && more < 4; more--, p->at++) {
		if (((uint8_t)*p->at & 0xc0) != 0x80)
			break;
		value = value << 6 | ((uint8_t)*p->at & 0x3f);
	}
	if (more || value < least || value > REGEX_LAST_CODE_POINT)
		regex_fail(p, at, "not UTF-8");
	return value;
}

static uint32_t read_digits(struct regex_parser *p, uint32_t base, uint32_t most, uint32_t *n)
{
	static const char all[] = "0123456789abcdef";
	uint32_t value = 0;

	for (*n = 0; *n < most && p->at < p->end; ++*n, p->at++) {
		char c = *p->at >= 'A' && *p->at <= 'F' ? (char)(*p->at | 0x20) : *p->at;
		const char *digit = memchr(all, c, base);

		if (!digit)
			break;
		value = value * base + (uint32_t)(digit - all);
	}
	return value;
}

static uint32_t read_hex_escape(struct regex_parser *p, uint32_t most, const char *at)
{
	uint32_t n, value = read_digits(p, 16, most, &n);

	if (n < most)
		regex_fail(p, at, "incomplete escape");
	else if (value > REGEX_LAST_CODE_POINT)
		regex_fail(p, at, "bad escape");
	return value;
}

/* \0, \012, and inside a set \12 too; outside, \1 to \99 name groups. */
static uint32_t read_octal_escape(struct regex_parser *p, bool in_set, const char *at)
{
	uint32_t n, value = read_digits(p, 8, 3, &n);

	if (n == 0 || (!in_set && *at != '0' && n < 3)) {
		regex_fail(p, at - 1, in_set ? "bad escape" : "back-references are not supported");
		return 0;
	}
	if (value > 0377)
		regex_fail(p, at - 1, "octal escape value outside of range 0-0o377");
	return value;
}

/* Behind the backslash; the code point it stands for. */
static uint32_t read_escape(struct regex_parser *p, bool in_set)
{
	static const char letters[] = "abfnrtv";
	static const char values[] = "\a\b\f\n\r\t\v";
	const char *at = p->at, *found;

	if (p->at == p->end) {
		regex_fail(p, at - 1, "bad escape (end of pattern)");
		return 0;
	}
	if (*at >= '0' && *at <= '9')
		return read_octal_escape(p, in_set, at);
	if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z')))
		return read_character(p);
	p->at++;
	if (*at == 'x' || *at == 'u' || *at == 'U')
		return read_hex_escape(p, *at == 'x' ? 2 : *at == 'u' ? 4 : 8, at - 1);
	found = strchr(letters, *at);
	if (found)
		return (uint8_t)values[found - letters];
	regex_fail(p, at - 1, *at == 'N' ? "\\N{...} is not supported" : "bad escape \"\\%c\"", *at);
	return 0;
}

static uint32_t new_assertion(struct regex_parser *p, enum regex_assertion assertion)
{
	uint32_t node = regex_new_node(p, REGEX_ASSERT, p->at - 1);

	if (node != REGEX_NONE)
		p->r->nodes[node].assertion = (uint8_t)assertion;
	p->at++;
	return node;
}

static uint32_t single(struct regex_parser *p, uint32_t value, const char *at)
{
	uint32_t begin = p->r->n_ranges;

	add_range(p, value, value);
	return finish_set(p, begin, false, at);
}

uint32_t regex_parse_escape(struct regex_parser *p)
{
	const char *at = p->at++;
	const struct category *category;
	uint32_t begin = p->r->n_ranges;
	char c = p->at < p->end ? *p->at : 0;

	switch (c) {
	case 'A': return new_assertion(p, REGEX_AT_START);
	case 'Z': return new_assertion(p, REGEX_AT_END);
	case 'b': return new_assertion(p, REGEX_AT_WORD);
	case 'B': return new_assertion(p, REGEX_NOT_AT_WORD);
	}
	category = category_of(c);
	if (!category)
		return single(p, read_escape(p, false), at);
	p->at++;
	add_category(p, category, c != category->letter);
	return finish_set(p, begin, false, at);
}

uint32_t regex_parse_literal(struct regex_parser *p)
{
	const char *at = p->at;

	return single(p, read_character(p), at);
}

uint32_t regex_parse_any(struct regex_parser *p)
{
	const char *at = p->at++;
	uint32_t begin = p->r->n_ranges;

	if (!(p->flags & REGEX_DOTALL))
		add_range(p, '\n', '\n');
	return finish_set(p, begin, true, at);
}

/* One member, or one end of a range. *category: it is \d, \W, ... and was added. */
static uint32_t read_member(struct regex_parser *p, const struct category **category)
{
	char c;

	*category = NULL;
	if (*p->at != '\\')
		return read_character(p);
	c = ++p->at < p->end ? *p->at : 0;
	*category = category_of(c);
	if (!*category)
		return read_escape(p, true);
	p->at++;
	add_category(p, *category, c != (*category)->letter);
	return 0;
}

static void read_members(struct regex_parser *p, const char *set)
{
	const struct category *category, *other = NULL;
	const char *at = p->at;
	uint32_t first = read_member(p, &category), last = first;

	if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
		p->at++;
		last = read_member(p, &other);
		if (category || other || last < first)
			regex_fail(p, at, "bad character range");
	}
	if (!category)
		add_range(p, first, last);
	if (p->at == p->end)
		regex_fail(p, set, "unterminated character set");
}

uint32_t regex_parse_set(struct regex_parser *p)
{
	const char *set = p->at++;
	uint32_t begin = p->r->n_ranges;
	bool negated = p->at < p->end && *p->at == '^';
	const char *members;

	p->at += negated;
	members = p->at;
	while (!p->rc) {
		if (p->at == p->end)
			return regex_fail(p, set, "unterminated character set");
		if (*p->at == ']' && p->at > members)
			break;
		read_members(p, set);
	}
	p->at++;
	return finish_set(p, begin, negated, set);
}
