/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/exclude.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/dfa.h"
#include "exporters/policy/nfa.h"
#include "exporters/policy/regex.h"
#include "shim/abi/automaton.h"

static int add_pattern(struct nfa *nfa, const char *pattern, size_t index, struct exclude_error *error)
{
	struct regex_error trouble;
	struct regex regex;
	uint32_t offset = 0;
	int rc = regex_parse(&regex, pattern, &trouble);

	if (rc == -EINVAL) {
		error->offset = trouble.offset;
		memcpy(error->text, trouble.text, sizeof(error->text));
	} else if (rc == 0) {
		rc = nfa_add(nfa, &regex, &offset);
	}
	if (rc == -E2BIG) {
		error->offset = offset;
		snprintf(error->text, sizeof(error->text),
			 "too large: this repeat or group needs more than %u nodes", NFA_NODES_MAX);
	}
	error->pattern = index;
	regex_release(&regex);
	return rc;
}

/* The least unit in which 16 bits can say where a row begins. */
static bool lay_out(const struct dfa *dfa, struct automaton_head *head)
{
	for (uint32_t shift = 0; shift < 4; shift++) {
		uint32_t unit = 1u << shift, stride = (dfa->classes + unit - 1) / unit * unit;

		if ((uint64_t)dfa->states * stride / unit > UINT16_MAX)
			continue;
		head->shift = (uint16_t)shift;
		head->stride = (uint16_t)stride;
		head->cells = dfa->states * stride;
		head->bytes = (uint32_t)(sizeof(*head) + sizeof(dfa->class) + head->cells * sizeof(uint16_t));
		return true;
	}
	return false;
}

static int write_block(const struct dfa *dfa, bool accepts, uint8_t *out, size_t size, size_t *used)
{
	struct automaton_head head = {
		.magic = AUTOMATON_MAGIC,
		.classes = (uint16_t)dfa->classes,
		.end_class = (uint16_t)(dfa->classes - 1),
	};
	uint16_t *next = (uint16_t *)(void *)(out + sizeof(head) + sizeof(dfa->class));

	if (!lay_out(dfa, &head) || head.bytes > size)
		return -E2BIG;
	head.accept_from = (dfa->states - accepts) * head.stride >> head.shift;
	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), dfa->class, sizeof(dfa->class));
	memset(next, 0, head.cells * sizeof(*next));
	for (uint32_t s = 0; s < dfa->states; s++)
		for (uint32_t c = 0; c < dfa->classes; c++)
			next[s * head.stride + c] =
				(uint16_t)(dfa->next[s * dfa->classes + c] * head.stride >> head.shift);
	*used = head.bytes;
	return 0;
}

/* All or nothing; with -E2BIG error->text is set only where the parts of one pattern are to blame. */
static int compile(const char *const *patterns, size_t n, void *out, size_t size, size_t *used,
		   struct exclude_error *error)
{
	struct nfa nfa;
	struct dfa dfa = { 0 };
	bool accepts = false;
	int rc = nfa_init(&nfa);

	memset(error, 0, sizeof(*error));
	for (size_t i = 0; i < n && rc == 0; i++)
		if (patterns[i][0])
			rc = add_pattern(&nfa, patterns[i], i, error);
	if (rc == 0)
		rc = dfa_build(&dfa, &nfa);
	nfa_release(&nfa);
	if (rc == 0)
		rc = dfa_minimise(&dfa, &accepts);
	if (rc == 0)
		rc = write_block(&dfa, accepts, out, size, used);
	dfa_release(&dfa);
	return rc;
}

/*
 * A pattern with which the bounds are passed, while they are not with those
 * before it. Few at first: what fits is cheap to try, what does not is dear.
 */
static int find_culprit(const char *const *patterns, size_t n, void *out, size_t size,
			struct exclude_error *error)
{
	struct exclude_error trouble = *error;
	size_t good = 0, bad = n, used, step = 1;

	while (bad - good > 1) {
		size_t try = good + step < bad ? good + step : good + (bad - good) / 2;
		int rc = compile(patterns, try, out, size, &used, error);

		if (rc && rc != -E2BIG)
			return rc;
		if (rc) {
			bad = try;
			trouble = *error;
			step = bad; /* halves from here on */
		} else {
			good = try;
			step *= 2;
		}
	}
	*error = trouble;
	if (error->text[0])
		return -E2BIG;
	error->pattern = bad - 1;
	if (good && compile(patterns + good, 1, out, size, &used, error) == -E2BIG)
		good = 0;
	error->pattern = bad - 1;
	snprintf(error->text, sizeof(error->text), "too large: %s needs more than %zu bytes of automaton",
		 good ? "together with the patterns before it, this" : "this pattern", size);
	return -E2BIG;
}

int exclude_compile(const char *const *patterns, size_t n, void *out, size_t size, size_t *used,
		    struct exclude_error *error)
{
	bool any = false;
	int rc;

	*used = 0;
	memset(error, 0, sizeof(*error));
	for (size_t i = 0; i < n; i++)
		any |= patterns[i][0] != 0;
	if (!any)
		return 0;
	rc = compile(patterns, n, out, size, used, error);
	return rc == -E2BIG ? find_culprit(patterns, n, out, size, error) : rc;
}
