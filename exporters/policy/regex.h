/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_REGEX_H
#define BTRACE_POLICY_REGEX_H

/*
 * One pattern in the syntax of Python's `re` (3.11), as a tree. What is not
 * regular (look-around, back-references, conditions, atomic groups, possessive
 * repeats) is an error with its place. Characters are code points; \d \w \s \b
 * and ignoring case mean ASCII, as under re.ASCII; a non-ASCII literal or class
 * member means itself. Errors of Python are errors here, with its wording where
 * that helps; only duplicate group names are let through.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGEX_NONE            UINT32_MAX
#define REGEX_UNLIMITED       UINT32_MAX
#define REGEX_LAST_CODE_POINT 0x10ffffu
#define REGEX_PATTERN_MAX     65536u /* bytes */

enum regex_kind {
	REGEX_EMPTY,
	REGEX_SET,       /* one character out of ranges[first, first + n) */
	REGEX_CONCAT,    /* children from the LAST to the first */
	REGEX_ALTERNATE, /* children in any order */
	REGEX_REPEAT,    /* one child, min..max times */
	REGEX_ASSERT,
};

enum regex_assertion {
	REGEX_AT_START,      /* \A, ^ */
	REGEX_AT_LINE_START, /* (?m)^ */
	REGEX_AT_END,        /* \Z */
	REGEX_AT_LAST_END,   /* $: the end, or before a line feed that ends the text */
	REGEX_AT_LINE_END,   /* (?m)$ */
	REGEX_AT_WORD,       /* \b */
	REGEX_NOT_AT_WORD,   /* \B */
};

struct regex_range {
	uint32_t first, last;
};

struct regex_node {
	uint8_t kind;      /* enum regex_kind */
	uint8_t assertion; /* enum regex_assertion */
	uint32_t first;    /* first child, or first range */
	uint32_t n;        /* ranges */
	uint32_t next;     /* sibling, REGEX_NONE ends */
	uint32_t min, max;
	uint32_t offset; /* in the pattern, for errors */
};

struct regex {
	struct regex_node *nodes;
	uint32_t n_nodes, size_nodes;
	struct regex_range *ranges;
	uint32_t n_ranges, size_ranges;
	uint32_t root;
};

struct regex_error {
	size_t offset;
	char text[160];
};

/* Fills *r; 0, -EINVAL (*error is set) or -ENOMEM. Release it in every case. */
int regex_parse(struct regex *r, const char *pattern, struct regex_error *error);
void regex_release(struct regex *r);

/*
 * The parser's own parts.
 */
enum regex_flag {
	REGEX_IGNORECASE = 1u << 0,
	REGEX_MULTILINE = 1u << 1,
	REGEX_DOTALL = 1u << 2,
	REGEX_VERBOSE = 1u << 3,
};

struct regex_parser {
	struct regex *r;
	const char *start, *at, *end;
	uint32_t flags; /* enum regex_flag, at this place */
	uint32_t depth;
	int rc; /* the first error sticks */
	struct regex_error *error;
};

/* Both return REGEX_NONE, for `return regex_fail(...)`. */
uint32_t regex_fail(struct regex_parser *p, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
uint32_t regex_new_node(struct regex_parser *p, enum regex_kind kind, const char *at);

/* regex_set.c: each stands at its construct, moves behind it, returns the node. */
uint32_t regex_parse_set(struct regex_parser *p);    /* "[" */
uint32_t regex_parse_any(struct regex_parser *p);    /* "." */
uint32_t regex_parse_escape(struct regex_parser *p); /* "\" */
uint32_t regex_parse_literal(struct regex_parser *p);

#endif
