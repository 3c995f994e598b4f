/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/exclude.h"

#include <criterion/criterion.h>
#include <errno.h>
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
