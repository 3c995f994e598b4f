/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches texts with excluded_urls, for tests that compare with another
 * engine. Lines on standard input, all strings in hexadecimal:
 *	P pattern...	compile these; answers "ok BYTES" or "error PATTERN OFFSET TEXT"
 *	T text		answers 1 (excluded) or 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/exclude.h"
#include "shim/abi/automaton.h"

#define BLOCK_BYTES  ((1u << 20) - 4096u)
#define PATTERNS_MAX 4096u

static size_t unhex(char *hex)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		hex[i] = (char)strtoul(two, NULL, 16);
	}
	hex[n] = 0;
	return n;
}

static void compile(char *line, void *block, size_t *used)
{
	static const char *patterns[PATTERNS_MAX];
	struct exclude_error error;
	size_t n = 0;
	int rc;

	for (char *at = strtok_r(line, " ", &line); at && n < PATTERNS_MAX; at = strtok_r(NULL, " ", &line)) {
		unhex(at);
		patterns[n++] = at;
	}
	rc = exclude_compile(patterns, n, block, BLOCK_BYTES, used, &error);
	if (rc)
		printf("error %zu %zu %s\n", error.pattern, error.offset,
		       error.text[0] ? error.text : strerror(-rc));
	else
		printf("ok %zu\n", *used);
}

int main(void)
{
	void *block = malloc(BLOCK_BYTES);
	char *line = NULL;
	size_t size = 0, used = 0, n;
	struct automaton a;

	setvbuf(stdout, NULL, _IOLBF, 0); /* somebody may wait for each answer */
	while (block && getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] == 'P') {
			compile(line[1] ? line + 2 : line + 1, block, &used);
			continue;
		}
		n = unhex(line + 2);
		memset(&a, 0, sizeof(a));
		if (used && !automaton_open(&a, block, used))
			return 2;
		automaton_feed(&a, line + 2, n);
		puts(automaton_end(&a) ? "1" : "0");
	}
	free(line);
	free(block);
	return 0;
}
