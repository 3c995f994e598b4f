/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/exclude.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/abi/automaton.h"

#define ACCEPT UINT16_MAX

struct literals {
	uint8_t class[256];
	uint32_t classes; /* the bytes in use, all others, the end */
	uint16_t (*next)[258];
	uint32_t states, size;
};

static int fail(struct exclude_error *error, size_t pattern, size_t offset, const char *text)
{
	error->pattern = pattern;
	error->offset = offset;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return -EINVAL;
}

static bool literal_byte(const char *p, size_t *i, uint8_t *byte)
{
	if (p[*i] == '\\' && p[*i + 1] && strchr(".^$*+?{}[]\\|()/-_", p[*i + 1]))
		++*i;
	else if (strchr("^$*+?{[\\|()", p[*i]))
		return false;
	*byte = (uint8_t)p[(*i)++];
	return true;
}

static int add_literal(struct literals *l, const char *p, size_t index, struct exclude_error *error)
{
	uint32_t state = 0;
	uint8_t byte = 0;
	size_t i = 0;

	while (p[i]) {
		uint16_t *next;

		if (!literal_byte(p, &i, &byte))
			return fail(error, index, i, "regular expressions are not supported yet");
		next = &l->next[state][l->class[byte]];
		if (!p[i])
			*next = ACCEPT;
		if (*next == ACCEPT)
			return 0;
		if (*next == 0)
			*next = (uint16_t)l->states++;
		state = *next;
	}
	return 0;
}

static void number_classes(struct literals *l, const char *const *patterns, size_t n)
{
	l->classes = 1;
	for (size_t i = 0; i < n; i++)
		for (const char *p = patterns[i]; *p; p++)
			if (!l->class[(uint8_t)*p])
				l->class[(uint8_t)*p] = (uint8_t)l->classes++;
}

/* Breadth first: a missing edge goes where the longest proper suffix goes. */
static int fill_edges(struct literals *l)
{
	uint16_t *queue = calloc(l->states, sizeof(*queue));
	uint16_t *suffix = calloc(l->states, sizeof(*suffix));
	size_t head = 0, tail = 0;

	if (!queue || !suffix) {
		free(queue);
		free(suffix);
		return -ENOMEM;
	}
	queue[tail++] = 0;
	while (head < tail) {
		uint16_t state = queue[head++];

		for (uint32_t c = 0; c < l->classes; c++) {
			uint16_t other = state ? l->next[suffix[state]][c] : 0;
			uint16_t *next = &l->next[state][c];

			if (other == ACCEPT)
				*next = ACCEPT;
			if (*next == 0) {
				*next = other;
			} else if (*next != ACCEPT) {
				suffix[*next] = other;
				queue[tail++] = *next;
			}
		}
	}
	free(queue);
	free(suffix);
	return 0;
}

static size_t write_block(const struct literals *l, uint8_t *out, size_t size)
{
	struct automaton_head head = {
		.magic = AUTOMATON_MAGIC,
		.states = l->states + 1,
		.accept_from = l->states,
		.classes = (uint16_t)(l->classes + 1),
		.end_class = (uint16_t)l->classes,
	};
	uint16_t *next = (uint16_t *)(void *)(out + sizeof(head) + 256);

	head.bytes = (uint32_t)(sizeof(head) + 256 + 2 * head.states * head.classes);
	if (head.bytes > size)
		return 0;
	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), l->class, 256);
	for (uint32_t s = 0; s < head.states; s++)
		for (uint32_t c = 0; c < head.classes; c++) {
			uint16_t to = s == l->states ? ACCEPT : c == l->classes ? 0 : l->next[s][c];

			*next++ = to == ACCEPT ? (uint16_t)l->states : to;
		}
	return head.bytes;
}

int exclude_compile(const char *const *patterns, size_t n, void *out, size_t size, size_t *used,
		    struct exclude_error *error)
{
	struct literals l = { .states = 1 };
	int rc = 0;

	*used = 0;
	for (size_t i = 0; i < n; i++)
		l.size += (uint32_t)strlen(patterns[i]);
	if (l.size == 0)
		return 0;
	number_classes(&l, patterns, n);
	if (l.size >= ACCEPT - 2 || !(l.next = calloc(l.size + 1, sizeof(*l.next))))
		return -ENOMEM;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_literal(&l, patterns[i], i, error);
	if (rc == 0)
		rc = fill_edges(&l);
	if (rc == 0 && (*used = write_block(&l, out, size)) == 0) {
		fail(error, n - 1, 0, "the patterns are too large together");
		rc = -E2BIG;
	}
	free(l.next);
	return rc;
}
