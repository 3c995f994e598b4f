/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_KEYS_H
#define BTRACE_CONFIG_KEYS_H

/*
 * The options as the tree of keys which a file has, for the documents: each
 * step below a prefix ("" or "jaeger." ...) in the order of the table.
 */

#include "exporters/config/option.h"

struct key {
	char path[96];               /* whole, dotted; of a mapping: without the dot at the end */
	const char *name;            /* its last step, in path */
	const struct option *option; /* NULL: a mapping with keys below it */
	bool older;                  /* one of the option's other names */
};

/* The steps right below a prefix, one after the other: *at begins at 0. False at the end. */
bool key_next(const char *prefix, bool with_older, size_t *at, struct key *key);

/* Helpers of the documents. */
void print_json_string(struct buf *out, const char *text);

#endif
