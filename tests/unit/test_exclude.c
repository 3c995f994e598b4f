/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/exclude.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/abi/automaton.h"

#define BLOCK_BYTES ((1u << 20) - 4096u)
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))

static uint16_t block[BLOCK_BYTES / 2];

static bool run_block(size_t used, const char *text, size_t n)
{
	struct automaton a;

	if (used == 0)
		return false;
	cr_assert(automaton_open(&a, block, used));
	automaton_feed(&a, text, n);
	return automaton_end(&a);
}

static bool excluded(const char *pattern, const char *text)
{
	struct exclude_error error;
	size_t used;

	cr_assert_eq(exclude_compile(&pattern, 1, block, sizeof(block), &used, &error), 0, "%s", pattern);
	return run_block(used, text, strlen(text));
}

static size_t compile(const char *const *patterns, size_t n)
{
	struct exclude_error error;
	size_t used;
	int rc = exclude_compile(patterns, n, block, sizeof(block), &used, &error);

	cr_assert_eq(rc, 0, "%d: %s", rc, rc ? error.text : "");
	return used;
}

Test(exclude, a_literal_is_found_anywhere)
{
	cr_expect(excluded("metrics", "http://h:3000/metrics"));
	cr_expect(excluded("metrics", "http://h:3000/v1/metrics_x"));
	cr_expect(!excluded("metrics", "http://h:3000/metric"));
	cr_expect(!excluded("METRICS", "http://h:3000/metrics"));
	cr_expect(excluded("aab", "http://h/aaab"));
}

Test(exclude, empty_patterns_exclude_nothing)
{
	static const char *const two[] = { "", "livez" };

	cr_expect(!excluded("", "http://h/"));
	cr_expect(!run_block(compile(two, 2), "http://h/", 9));
	cr_expect(run_block(compile(two, 2), "http://h/livez", 14));
	cr_expect_eq(compile(two, 0), 0);
}

Test(exclude, literals_that_overlap_are_all_found)
{
	static const char *const set[] = { "she", "hers", "his", "he\\.", "a/b/c/d", "b/c/x" };
	size_t used = compile(set, COUNT(set));

	cr_expect(run_block(used, "ushe", 4));
	cr_expect(run_block(used, "xhers", 5));
	cr_expect(run_block(used, "he.", 3));
	cr_expect(run_block(used, "a/b/c/x", 7));
	cr_expect(!run_block(used, "her hi", 6));
}

/* The table of BentoML's own behaviour, for the pieces that its config splits and strips. */
Test(exclude, bentoml_patterns_decide_as_there)
{
	static const char *const urls[] = {
		"http://127.0.0.1:3000/metrics",
		"http://127.0.0.1:3000/summarize",
		"http://127.0.0.1:3000/v1/metrics_x",
	};
	static const struct {
		const char *patterns[8];
		bool excluded[3];
	} rows[] = {
		{ { "readyz", "livez", "healthz", "static_content", "docs", "metrics" }, { 1, 0, 1 } },
		{ { "/metrics$" }, { 1, 0, 0 } },
		{ { "^/metrics" }, { 0, 0, 0 } },
		{ { "^http://127.0.0.1:3000/metrics" }, { 1, 0, 0 } },
		{ { "METRICS" }, { 0, 0, 0 } },
		{ { "3000" }, { 1, 1, 1 } },
		{ { "127.0.0.1" }, { 1, 1, 1 } },
		{ { "http" }, { 1, 1, 1 } },
		{ { "a=1" }, { 0, 0, 0 } },
		{ { "summarize?a=1" }, { 0, 0, 0 } },
		{ { "a", "" },
		  { 0, 1, 0 } }, /* there an empty piece excludes everything: here it is ignored */
		{ { "", "" }, { 0, 0, 0 } },
		{ { "metrics " }, { 0, 0, 0 } },
		{ { "b,metrics" }, { 0, 0, 0 } },
		{ { "\\d{2", "3}" }, { 0, 0, 0 } },
		{ { "\\d{2,3}" }, { 1, 1, 1 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = 0, used;

		while (n < 8 && rows[i].patterns[n])
			n++;
		used = compile(rows[i].patterns, n);
		for (size_t u = 0; u < 3; u++)
			cr_expect_eq(run_block(used, urls[u], strlen(urls[u])), rows[i].excluded[u],
				     "\"%s\" on %s", rows[i].patterns[0], urls[u]);
	}
}

Test(exclude, expressions_decide_as_in_python)
{
	static const struct {
		const char *pattern, *text;
		bool excluded;
	} rows[] = {
		{ "/v[0-9]+/users$", "http://h/v12/users", true },
		{ "/v[0-9]+/users$", "http://h/v12/users/1", false },
		{ "^(?:a|bc)*d\\Z", "abcad", true },
		{ "^(?:a|bc)*d\\Z", "abbcad", false },
		{ "(?i)Metrics", "/mETRICs", true },
		{ "(?P<word>x){2,3}?y", "axxy", true },
		{ "(?P<word>x){2,3}?y", "axy", false },
		{ "a$", "a\n", true },
		{ "a\\Z", "a\n", false },
		{ "a$", "a\n\n", false },
		{ "(?m)^b$", "a\nb\nc", true },
		{ "\\bfoo\\b", "/foo/", true },
		{ "\\bfoo\\b", "/foo1/", false },
		{ "\\B", "a\303\251a", false }, /* no boundary inside a character */
		{ "^.$", "\303\251", true },    /* one character, two bytes */
		{ "^..$", "\303\251", false },
		{ "^[^x]$", "\346\274\242", true },
		{ "[\303\240-\303\277]", "/\303\251", true },
		{ "[\303\240-\303\277]", "/\303\200", false },
		{ "\\u00e9", "/\303\251", true },
		{ ".", "\200\277", false },   /* not UTF-8: no character */
		{ "\\w", "\303\251", false }, /* re.ASCII */
		{ "(?s)a.b", "a\nb", true },
		{ "a.b", "a\nb", false },
		{ "(?x) a b # c", "ab", true },
		{ "a{", "a{", true },
		{ "a{,2}b", "b", true },
		{ "x*", "", true },
		{ "a^b", "a^b", false },
		{ "(?s).", "\n", true },
		{ "[^\\x00-\\U0010ffff]", "a", false },
		{ "(?:)", "", true },
		{ "a*", "", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(excluded(rows[i].pattern, rows[i].text), rows[i].excluded, "\"%s\" on \"%s\"",
			     rows[i].pattern, rows[i].text);
}

Test(exclude, what_cannot_be_compiled_is_named_with_its_place)
{
	static const struct {
		const char *pattern;
		size_t offset;
		const char *text;
	} rows[] = {
		{ "ab(?=c)", 2, "look-ahead" },
		{ "ab(?!c)", 2, "look-ahead" },
		{ "(?<=a)b", 0, "look-behind" },
		{ "a(?<!a)b", 1, "look-behind" },
		{ "(a)\\1", 3, "back-reference" },
		{ "(?P<n>a)(?P=n)", 8, "back-reference" },
		{ "(a)?(?(1)b|c)", 4, "conditional" },
		{ "x(?>a)", 1, "atomic" },
		{ "xa*+", 2, "possessive" },
		{ "xa{1,2}+", 2, "possessive" },
		{ "[", 0, "unterminated character set" },
		{ "ab[c-", 2, "unterminated" },
		{ "[z-a]", 1, "bad character range" },
		{ "a(b", 1, "missing \")\"" },
		{ "ab)", 2, "unbalanced" },
		{ "a|*b", 2, "nothing to repeat" },
		{ "a**", 2, "multiple repeat" },
		{ "a{3,2}", 1, "min repeat" },
		{ "a\\", 1, "bad escape" },
		{ "a\\q", 1, "bad escape \"\\q\"" },
		{ "\\x4", 0, "incomplete escape" },
		{ "\\N{DASH}", 0, "\\N{...} is not supported" },
		{ "a(?i)b", 1, "global flags" },
		{ "(?y)", 0, "unknown" },
		{ "a\377", 1, "not UTF-8" },
		{ "x(?:a{1000}){1000}", 12, "too large" },
		{ "x(a|b)*a(a|b){20}y", 0, "too large: this pattern" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const two[] = { "fine", rows[i].pattern };
		struct exclude_error error;
		size_t used;

		cr_expect_lt(exclude_compile(two, 2, block, sizeof(block), &used, &error), 0, "%s", two[1]);
		cr_expect_eq(used, 0);
		cr_expect_eq(error.pattern, 1, "%s", two[1]);
		cr_expect_eq(error.offset, rows[i].offset, "%s: %zu", two[1], error.offset);
		cr_expect(strstr(error.text, rows[i].text), "%s: %s", two[1], error.text);
	}
}

Test(exclude, the_pattern_with_which_it_becomes_too_large_is_named)
{
	char text[64][32];
	const char *patterns[64];
	struct exclude_error error;
	size_t used;

	for (size_t i = 0; i < 64; i++) {
		snprintf(text[i], sizeof(text[i]), "%c%zu.*[^/]%c", (int)('a' + i % 26), i,
			 (int)('a' + i % 7));
		patterns[i] = text[i];
	}
	cr_assert_eq(exclude_compile(patterns, 64, block, sizeof(block), &used, &error), -E2BIG);
	cr_expect_gt(error.pattern, 4);
	cr_expect(strstr(error.text, "together with the patterns before it"), "%s", error.text);
	cr_expect_eq(exclude_compile(patterns, error.pattern, block, sizeof(block), &used, &error), 0);
}

Test(exclude, a_block_that_is_too_small_is_not_written_past_its_end)
{
	static const char *const pattern[] = { "/healthz$" };
	struct exclude_error error;
	size_t need = compile(pattern, 1), used;

	for (size_t size = 0; size < need; size += 2) {
		uint8_t *exact = malloc(size ? size : 1);

		cr_expect_eq(exclude_compile(pattern, 1, exact, size, &used, &error), -E2BIG);
		free(exact);
	}
	cr_expect_eq(exclude_compile(pattern, 1, block, need, &used, &error), 0);
}

static uint32_t states(void)
{
	struct automaton_head head;

	memcpy(&head, block, sizeof(head));
	return head.cells / head.stride;
}

Test(exclude, states_with_the_same_future_are_one)
{
	static const char *const same[] = { "/aa/metrics$", "/bb/metrics$", "/cc/metrics$", "/dd/metrics$" };
	static const char *const bytes[] = { "[0-9]{3}x" };
	struct automaton_head head;

	compile(same, 4);
	cr_expect_leq(states(), 25);
	compile(bytes, 1);
	cr_expect_eq(states(), 5);
	memcpy(&head, block, sizeof(head));
	cr_expect_eq(head.classes, 4); /* a digit, x, all others, the end */
}

/* Large enough that rows are counted in units of more than one cell. */
Test(exclude, a_thousand_literals_without_anything_in_common)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_/~";
	static char text[1000][16];
	static const char *patterns[1000];
	struct automaton_head head;
	uint32_t seed = 7;
	size_t used;

	for (size_t i = 0; i < COUNT(text); i++) {
		for (size_t k = 0; k < 12; k++) {
			seed = seed * 1664525 + 1013904223;
			text[i][k] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		patterns[i] = text[i];
	}
	used = compile(patterns, COUNT(patterns));
	memcpy(&head, block, sizeof(head));
	cr_expect_gt(head.shift, 1);
	for (size_t i = 0; i < COUNT(text); i++) {
		char url[64];
		int n = snprintf(url, sizeof(url), "http://h/%.6s%s/", text[i], text[i]);

		cr_expect(run_block(used, url, (size_t)n), "%s", url);
		cr_expect(!run_block(used, url, (size_t)n - 2), "%s", url);
	}
}
