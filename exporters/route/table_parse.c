/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/table_parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

struct parser {
	struct slice route;
	char *scratch;
	size_t used;
	struct route_table_error *error;
};

static int fail(struct parser *p, size_t offset, const char *text)
{
	p->error->offset = offset;
	snprintf(p->error->text, sizeof(p->error->text), "%s", text);
	return -EINVAL;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t table_decode(struct slice s, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 &&
		    hex_value(s.p[i + 2]) >= 0) {
			to[n++] = (char)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2]));
			i += 2;
		} else {
			to[n++] = s.p[i];
		}
	}
	return n;
}

static struct slice text(struct parser *p, size_t from, size_t to)
{
	struct slice s = { p->scratch + p->used, 0 };

	s.n = table_decode((struct slice){ p->route.p + from, to - from }, p->scratch + p->used);
	p->used += s.n;
	return s;
}

/* Behind the bracket that closes the one at `at`; 0: there is none. */
static size_t behind_bracket(struct slice s, size_t at)
{
	char open = s.p[at], close = open == '{' ? '}' : '>';
	size_t depth = 0;

	for (; at < s.n; at++) {
		depth += s.p[at] == open;
		if (s.p[at] == close && --depth == 0)
			return at + 1;
	}
	return 0;
}

/* The end of the segment; slashes inside brackets belong to it. */
static size_t segment_end(struct slice s, size_t at, size_t *bad)
{
	while (at < s.n && s.p[at] != '/') {
		size_t end = s.p[at] == '{' || s.p[at] == '<' ? behind_bracket(s, at) : at + 1;

		if (end == 0) {
			*bad = at;
			return 0;
		}
		at = end;
	}
	return at;
}

static bool contains(struct slice s, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= s.n; i++)
		if (memcmp(s.p + i, what, n) == 0)
			return true;
	return false;
}

/* {path...}, {*path}, {path:path}, {path:.*}, <path:name>: any number of segments. */
static bool takes_rest(struct slice inside)
{
	return contains(inside, "...") || contains(inside, "*") || contains(inside, ":path") ||
	       (inside.n > 5 && memcmp(inside.p, "path:", 5) == 0);
}

static int parse_brackets(struct parser *p, size_t begin, size_t end, bool last, struct table_part *part)
{
	size_t first = begin, behind = begin;

	while (p->route.p[first] != '{' && p->route.p[first] != '<')
		first++;
	for (size_t i = first; i < end; i++)
		if (p->route.p[i] == '{' || p->route.p[i] == '<')
			i = (behind = behind_bracket(p->route, i)) - 1;
	if (behind == first + 2)
		return fail(p, first, "a placeholder without a name");
	part->before = text(p, begin, first);
	part->behind = text(p, behind, end);
	part->kind = part->before.n || part->behind.n ? TABLE_AROUND : TABLE_PLACEHOLDER;
	if (last && part->kind == TABLE_PLACEHOLDER &&
	    takes_rest((struct slice){ p->route.p + first + 1, behind - first - 2 }))
		part->kind = TABLE_REST;
	return 0;
}

static int parse_segment(struct parser *p, size_t begin, size_t end, bool last, struct table_part *part)
{
	struct slice s = { p->route.p + begin, end - begin };

	*part = (struct table_part){ .kind = TABLE_PLACEHOLDER };
	if (slice_is(s, "*") || slice_is(s, "**")) {
		if (!last && s.n == 2)
			return fail(p, begin, "\"**\" is only allowed at the end");
		part->kind = last ? TABLE_REST : TABLE_PLACEHOLDER;
	} else if (s.p[0] == ':' && s.n > 1) {
		if (last && (s.p[s.n - 1] == '*' || s.p[s.n - 1] == '+'))
			part->kind = TABLE_REST;
	} else if (contains(s, "{") || contains(s, "<")) {
		return parse_brackets(p, begin, end, last, part);
	} else if (contains(s, "*")) {
		return fail(p, begin, "\"*\" is a segment of its own");
	} else {
		part->kind = TABLE_TEXT;
		part->before = text(p, begin, end);
	}
	return 0;
}

int table_parse(struct slice route, char *scratch, struct table_part *parts, uint32_t *n,
		struct route_table_error *error)
{
	struct parser p = { .route = route, .scratch = scratch, .error = error };
	size_t at = 0, end, bad = 0;
	int rc = 0;

	*n = 0;
	if (route.n == 0 || route.p[0] != '/')
		return fail(&p, 0, "a route begins with \"/\"");
	if (route.n > TABLE_ROUTE_MAX)
		return fail(&p, 0, "longer than 2048 bytes");
	for (; rc == 0 && at < route.n; at = end) {
		while (at < route.n && route.p[at] == '/')
			at++;
		end = segment_end(route, at, &bad);
		if (end == 0)
			return fail(&p, bad, "a bracket is not closed");
		if (end == at)
			break;
		if (*n == TABLE_PARTS_MAX)
			return fail(&p, at, "more than 64 segments");
		rc = parse_segment(&p, at, end, end + 1 >= route.n, &parts[(*n)++]);
	}
	return rc;
}
