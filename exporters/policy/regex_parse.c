/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/regex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/vector.h"

#define DEPTH_MAX 100u
#define COUNT_MAX 1000000u /* far above what any automaton holds */

static uint32_t parse_alternation(struct regex_parser *p);

uint32_t regex_fail(struct regex_parser *p, const char *at, const char *format, ...)
{
	va_list args;

	if (p->rc)
		return REGEX_NONE;
	p->rc = -EINVAL;
	p->error->offset = (size_t)(at - p->start);
	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	return REGEX_NONE;
}

uint32_t regex_new_node(struct regex_parser *p, enum regex_kind kind, const char *at)
{
	struct regex *r = p->r;

	if (p->rc)
		return REGEX_NONE;
	if (!VECTOR_ROOM(r->nodes, r->size_nodes, r->n_nodes, 1)) {
		p->rc = -ENOMEM;
		return REGEX_NONE;
	}
	r->nodes[r->n_nodes] = (struct regex_node){
		.kind = (uint8_t)kind,
		.first = REGEX_NONE,
		.next = REGEX_NONE,
		.offset = (uint32_t)(at - p->start),
	};
	return r->n_nodes++;
}

static uint32_t new_assertion(struct regex_parser *p, enum regex_assertion assertion)
{
	uint32_t node = regex_new_node(p, REGEX_ASSERT, p->at++);

	if (node != REGEX_NONE)
		p->r->nodes[node].assertion = (uint8_t)assertion;
	return node;
}

static bool take(struct regex_parser *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

/* The items of one branch. */
struct sequence {
	uint32_t last, n;
	enum { LAST_NONE, LAST_ITEM, LAST_ASSERTION, LAST_REPEAT } is;
};

static uint32_t flag_of(char c)
{
	switch (c) {
	case 'i': return REGEX_IGNORECASE;
	case 'm': return REGEX_MULTILINE;
	case 's': return REGEX_DOTALL;
	case 'x': return REGEX_VERBOSE;
	case 'a':
	case 'u': return 0; /* always as under re.ASCII */
	default: return REGEX_NONE;
	}
}

static bool read_flags(struct regex_parser *p, uint32_t *flags)
{
	const char *begin = p->at;

	for (*flags = 0; p->at < p->end; p->at++) {
		uint32_t flag = flag_of(*p->at);

		if (flag == REGEX_NONE)
			break;
		*flags |= flag;
	}
	return p->at > begin;
}

/* Behind "(?" and at a flag or "-": "(?i)" at the very start, or "(?i-s:...)". *open: a group begins. */
static void parse_flags(struct regex_parser *p, bool first, const char *group, bool *open)
{
	uint32_t add = 0, remove = 0;
	bool any = read_flags(p, &add), minus = take(p, '-');

	*open = false;
	if (minus && !read_flags(p, &remove)) {
		regex_fail(p, p->at, "missing or unknown flag");
	} else if (p->at == p->end || (!any && !minus)) {
		regex_fail(p, group, "unknown extension, or missing \")\"");
	} else if (!minus && take(p, ')')) {
		if (!first)
			regex_fail(p, group, "global flags not at the start of the expression");
		p->flags |= add;
	} else if (!take(p, ':')) {
		regex_fail(p, p->at, "unknown flag");
	} else if (add & remove) {
		regex_fail(p, group, "flag turned on and off");
	} else {
		p->flags = (p->flags | add) & ~remove;
		*open = true;
	}
}

static bool name_byte(char c, bool first)
{
	return (c | 0x20) - 'a' + 0u < 26u || c == '_' || (uint8_t)c >= 0x80 ||
	       (!first && c - '0' + 0u < 10u);
}

static void parse_name(struct regex_parser *p)
{
	const char *begin = p->at;

	while (p->at < p->end && name_byte(*p->at, p->at == begin))
		p->at++;
	if (p->at == begin || !take(p, '>'))
		regex_fail(p, p->at, "bad group name");
}

static void refuse_extension(struct regex_parser *p, const char *group)
{
	char c = p->at < p->end ? *p->at : 0, d = c && p->at + 1 < p->end ? p->at[1] : 0;

	if (c == '=' || c == '!')
		regex_fail(p, group, "look-ahead is not supported");
	else if (c == '<' && (d == '=' || d == '!'))
		regex_fail(p, group, "look-behind is not supported");
	else if (c == 'P' && d == '=')
		regex_fail(p, group, "back-references are not supported");
	else if (c == '(')
		regex_fail(p, group, "conditional groups are not supported");
	else if (c == '>')
		regex_fail(p, group, "atomic groups are not supported");
	else
		regex_fail(p, group, "unknown extension");
}

/* Behind "(?". False: nothing to parse inside (a comment, global flags, an error). */
static bool open_extension(struct regex_parser *p, bool first, const char *group)
{
	bool open = true;

	if (take(p, '#')) {
		p->at = memchr(p->at, ')', (size_t)(p->end - p->at));
		if (!p->at) {
			p->at = p->end;
			regex_fail(p, group, "missing \")\", unterminated comment");
		} else {
			p->at++;
		}
		return false;
	}
	if (take(p, ':'))
		return true;
	if (p->end - p->at >= 2 && p->at[0] == 'P' && p->at[1] == '<') {
		p->at += 2;
		parse_name(p);
		return true;
	}
	if (p->at < p->end && (*p->at == '-' || flag_of(*p->at) != REGEX_NONE))
		parse_flags(p, first, group, &open);
	else
		refuse_extension(p, group);
	return open;
}

/* REGEX_NONE without an error: there was nothing to match (a comment, flags). */
static uint32_t parse_group(struct regex_parser *p, bool first)
{
	const char *group = p->at++;
	uint32_t flags = p->flags, node;

	if (take(p, '?') && !open_extension(p, first, group))
		return REGEX_NONE;
	if (p->rc)
		return REGEX_NONE;
	if (++p->depth > DEPTH_MAX)
		return regex_fail(p, group, "groups are nested more than %u deep", DEPTH_MAX);
	node = parse_alternation(p);
	p->depth--;
	p->flags = flags;
	if (!p->rc && !take(p, ')'))
		return regex_fail(p, group, "missing \")\", unterminated group");
	return node;
}

static uint32_t read_number(struct regex_parser *p, uint32_t missing)
{
	uint32_t value = 0;
	const char *begin = p->at;

	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
		if (value <= COUNT_MAX)
			value = value * 10 + (uint32_t)(*p->at - '0');
	return p->at == begin ? missing : value;
}

/* "{...}"; false, and p->at not moved: an ordinary "{". */
static bool read_counts(struct regex_parser *p, uint32_t *min, uint32_t *max)
{
	const char *begin = p->at++;

	if (p->at < p->end && *p->at != '}') {
		*min = read_number(p, REGEX_NONE);
		*max = take(p, ',') ? read_number(p, REGEX_UNLIMITED) : *min;
		if ((p->at > begin + 1) && take(p, '}')) {
			*min = *min == REGEX_NONE ? 0 : *min;
			return true;
		}
	}
	p->at = begin;
	return false;
}

static bool read_repeat(struct regex_parser *p, uint32_t *min, uint32_t *max)
{
	*min = *p->at == '+';
	*max = *p->at == '?' ? 1 : REGEX_UNLIMITED;
	if (*p->at == '{')
		return read_counts(p, min, max);
	p->at++;
	return true;
}

static void repeat_last(struct regex_parser *p, struct sequence *s, const char *at, uint32_t min,
			uint32_t max)
{
	struct regex_node *nodes;
	uint32_t child;
	bool lazy = take(p, '?'); /* or greedy: the same texts match */

	if (s->is == LAST_NONE || s->is == LAST_ASSERTION)
		regex_fail(p, at, "nothing to repeat");
	else if (s->is == LAST_REPEAT)
		regex_fail(p, at, "multiple repeat");
	else if (!lazy && p->at < p->end && *p->at == '+')
		regex_fail(p, at, "possessive repeats are not supported");
	else if (max < min)
		regex_fail(p, at, "min repeat greater than max repeat");
	else if (min > COUNT_MAX || (max != REGEX_UNLIMITED && max > COUNT_MAX))
		regex_fail(p, at, "the repeat count is too large");
	child = regex_new_node(p, REGEX_REPEAT, at);
	if (child == REGEX_NONE)
		return;
	nodes = p->r->nodes; /* the last item moves into the new node, the repeat takes its place */
	nodes[child] = nodes[s->last];
	nodes[child].next = REGEX_NONE;
	nodes[s->last].kind = REGEX_REPEAT;
	nodes[s->last].first = child;
	nodes[s->last].offset = (uint32_t)(at - p->start);
	nodes[s->last].min = min;
	nodes[s->last].max = max;
	s->is = LAST_REPEAT;
}

static uint32_t parse_item(struct regex_parser *p, bool first)
{
	bool lines = p->flags & REGEX_MULTILINE;

	switch (*p->at) {
	case '(': return parse_group(p, first);
	case '[': return regex_parse_set(p);
	case '.': return regex_parse_any(p);
	case '\\': return regex_parse_escape(p);
	case '^': return new_assertion(p, lines ? REGEX_AT_LINE_START : REGEX_AT_START);
	case '$': return new_assertion(p, lines ? REGEX_AT_LINE_END : REGEX_AT_LAST_END);
	default: return regex_parse_literal(p);
	}
}

static bool skip_verbose(struct regex_parser *p)
{
	if (!(p->flags & REGEX_VERBOSE))
		return false;
	if (*p->at == '#') {
		p->at = memchr(p->at, '\n', (size_t)(p->end - p->at));
		p->at = p->at ? p->at + 1 : p->end;
		return true;
	}
	if (!strchr(" \t\n\r\f\v", *p->at))
		return false;
	p->at++;
	return true;
}

static void append(struct regex_parser *p, struct sequence *s, uint32_t item, bool group)
{
	bool assertion = !group && p->r->nodes[item].kind == REGEX_ASSERT;

	p->r->nodes[item].next = s->n++ ? s->last : REGEX_NONE;
	s->last = item;
	s->is = assertion ? LAST_ASSERTION : LAST_ITEM;
}

static uint32_t parse_sequence(struct regex_parser *p, bool first)
{
	struct sequence s = { 0 };
	uint32_t item, min, max;

	while (!p->rc && p->at < p->end && *p->at != '|' && *p->at != ')') {
		const char *at = p->at;

		if (skip_verbose(p))
			continue;
		if (strchr("*+?{", *at) && read_repeat(p, &min, &max)) {
			repeat_last(p, &s, at, min, max);
			continue;
		}
		item = parse_item(p, first && s.n == 0);
		if (item != REGEX_NONE)
			append(p, &s, item, *at == '(');
	}
	if (s.n == 1)
		return s.last;
	item = regex_new_node(p, s.n ? REGEX_CONCAT : REGEX_EMPTY, p->at);
	if (s.n && item != REGEX_NONE)
		p->r->nodes[item].first = s.last;
	return item;
}

static uint32_t parse_alternation(struct regex_parser *p)
{
	const char *begin = p->at;
	uint32_t node, branch = parse_sequence(p, p->depth == 0);

	if (p->rc || p->at == p->end || *p->at != '|')
		return branch;
	node = regex_new_node(p, REGEX_ALTERNATE, begin);
	if (node != REGEX_NONE)
		p->r->nodes[node].first = branch;
	while (!p->rc && take(p, '|')) {
		branch = parse_sequence(p, false);
		if (p->rc)
			return REGEX_NONE;
		p->r->nodes[branch].next = p->r->nodes[node].first;
		p->r->nodes[node].first = branch;
	}
	return node;
}

int regex_parse(struct regex *r, const char *pattern, struct regex_error *error)
{
	size_t n = strlen(pattern);
	struct regex_parser p = {
		.r = r, .start = pattern, .at = pattern, .end = pattern + n, .error = error
	};

	memset(r, 0, sizeof(*r));
	if (n > REGEX_PATTERN_MAX)
		regex_fail(&p, pattern, "longer than %u bytes", REGEX_PATTERN_MAX);
	else if (!VECTOR_ROOM(r->ranges, r->size_ranges, 0,
			      4)) /* never NULL, so that an empty set is a place */
		p.rc = -ENOMEM;
	else
		r->root = parse_alternation(&p);
	if (!p.rc && p.at < p.end)
		regex_fail(&p, p.at, "unbalanced parenthesis");
	return p.rc;
}

void regex_release(struct regex *r)
{
	free(r->nodes);
	free(r->ranges);
	memset(r, 0, sizeof(*r));
}
