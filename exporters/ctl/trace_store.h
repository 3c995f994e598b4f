/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRACE_STORE_H
#define BTRACE_TRACE_STORE_H

/*
 * Spans in memory, as many as trace files have. Spans are struct span of
 * model.h with these looser rules, since the file is not ours: attribute keys
 * may repeat, end_unix_ns may lie before start_unix_ns, resources are one per
 * ResourceSpans of the file. Equal strings are kept once. About 0.7 KB for a
 * usual HTTP span. Not thread safe.
 *
 * All memory belongs to the store and lives until trace_store_clear() or
 * _release(); store->spans itself moves when spans are added, so that a
 * pointer to a span must not be held across trace_store_add().
 */

#include "exporters/base/arena.h"
#include "exporters/span/model.h"

struct trace_store {
	struct span *spans;
	size_t n, size;
	struct slice *strings; /* open addressing, p == NULL is free */
	size_t n_strings, strings_size;
	struct arena arena;
	bool failed; /* out of memory; stays */
};

void trace_store_init(struct trace_store *s);
void trace_store_clear(struct trace_store *s);
void trace_store_release(struct trace_store *s);

/* The store's copy of the text; an empty slice has p != NULL. */
struct slice trace_store_string(struct trace_store *s, struct slice text);

/* A zeroed span at the end, or NULL. */
struct span *trace_store_add(struct trace_store *s);

/* First attribute of that key, or NULL. */
const struct value *attributes_find(struct attributes attributes, struct slice key);
/* The same where a string is wanted; empty slice if there is none. */
struct slice attributes_text(struct attributes attributes, struct slice key);

#endif
