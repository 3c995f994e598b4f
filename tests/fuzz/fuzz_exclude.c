/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns and a text, between line feeds; the last piece is the text. The
 * compiler must not fall over, and what it makes must open, run, and say the
 * same however the text is cut. A pattern in the syntax that POSIX shares is
 * also given to regexec.
 * FUZZ_SOURCES: -DDFA_CELLS_MAX=100000 -DDFA_STATES_MAX=5000 -DDFA_MEMBERS_MAX=200000 -DDFA_WORK_MAX=1000000
 * FUZZ_SOURCES: shim/abi/automaton.c exporters/policy/exclude.c
 * FUZZ_SOURCES: exporters/policy/regex_parse.c exporters/policy/regex_set.c
 * FUZZ_SOURCES: exporters/policy/nfa.c exporters/policy/nfa_set.c
 * FUZZ_SOURCES: exporters/policy/dfa.c exporters/policy/dfa_step.c exporters/policy/dfa_minimise.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/exclude.h"
#include "shim/abi/automaton.h"

#define PATTERNS_MAX 16u
#define BLOCK_BYTES  (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool run(const void *block, size_t used, const char *text, size_t n, size_t cut)
{
	struct automaton a;

	if (!automaton_open(&a, block, used))
		abort();
	automaton_feed(&a, text, cut);
	automaton_feed(&a, text + cut, n - cut);
	return automaton_end(&a);
}

/* Only what means the same in both: no escapes, classes by names, anchors or odd braces. */
static bool is_common(const char *pattern)
{
	char before = '(';

	for (const char *p = pattern; *p; before = *p++) {
		if (!strchr("abcxyz0123456789/-_.()*+?|", *p))
			return false;
		if (strchr("*+?|)", *p) && strchr("*+?|(", before))
			return false;
	}
	return before != '|' && pattern[0] != '|' && !strstr(pattern, "(?");
}

static void compare_posix(const char *pattern, const char *text, bool found)
{
	regex_t regex;

	if (!is_common(pattern) || strchr(text, '\n') ||
	    regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return;
	if ((regexec(&regex, text, 0, NULL, 0) == 0) != found)
		abort();
	regfree(&regex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint16_t block[BLOCK_BYTES / 2];
	const char *patterns[PATTERNS_MAX];
	struct exclude_error error;
	size_t count = 0, used, length;
	char *copy, *at, *text;
	int rc;

	if (n > 512)
		return 0;
	copy = calloc(1, n + 2); /* no line feed: the text begins behind the terminator */
	memcpy(copy, data, n);
	text = memrchr(copy, '\n', n);
	text = text ? text : copy + n;
	length = text < copy + n ? (size_t)(copy + n - text - 1) : 0;
	*text = 0;
	for (at = strtok(copy, "\n"); at && count < PATTERNS_MAX; at = strtok(NULL, "\n"))
		patterns[count++] = at;
	rc = exclude_compile(patterns, count, block, sizeof(block), &used, &error);
	if (rc == 0 && used) {
		bool found = run(block, used, text + 1, length, length / 2);

		if (found != run(block, used, text + 1, length, 0))
			abort();
		if (count == 1 && strlen(text + 1) == length)
			compare_posix(patterns[0], text + 1, found);
	} else if (rc == -EINVAL &&
		   (error.pattern >= count || error.offset > strlen(patterns[error.pattern]))) {
		abort();
	}
	free(copy);
	return 0;
}
