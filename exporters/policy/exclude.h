/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_EXCLUDE_H
#define BTRACE_POLICY_EXCLUDE_H

/*
 * excluded_urls: many patterns in, one automaton (shim/abi/automaton.h) out.
 */

#include <stddef.h>

struct exclude_error {
	size_t pattern; /* index into patterns */
	size_t offset;  /* byte in that pattern where the trouble is */
	char text[160]; /* lower case, no full stop: "look-ahead is not supported" */
};

/*
 * Writes the automaton of all patterns into `out` (aligned to 2, `size` bytes),
 * its length into *used. No patterns, or only empty ones: *used is 0 and
 * nothing is excluded. Not thread safe with itself only in what it is given;
 * memory is taken and given back inside.
 * 0, or -EINVAL (*error says which pattern and where), -E2BIG (too large for
 * `size` or for the bounds on states; *error names the pattern with which it
 * became so), -ENOMEM.
 */
int exclude_compile(const char *const *patterns, size_t n, void *out, size_t size, size_t *used,
		    struct exclude_error *error);

#endif
