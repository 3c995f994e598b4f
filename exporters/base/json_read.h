/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_JSON_READ_H
#define BTRACE_JSON_READ_H

/*
 * A pull reader for one JSON text (RFC 8259) that lies in memory. It builds no
 * tree: json_next() gives one token after the other and holds the grammar, so
 * that a caller who gets no JSON_ERROR has read well-formed JSON. Safe on any
 * bytes; nesting is bounded by JSON_DEPTH. Strings come out as valid UTF-8:
 * what is not becomes U+FFFD. Not thread safe; pure but for the memory of the
 * scratch buffer.
 *
 *	struct json_reader r;
 *	json_init(&r, line);
 *	if (json_next(&r) != JSON_OBJECT) ...
 *	while (json_next(&r) == JSON_KEY) { if (slice_is(r.text, "x")) ... else json_skip(&r); }
 *	if (r.error) ...at byte json_column(&r)
 *	json_release(&r);
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

#define JSON_DEPTH 64

enum json_token {
	JSON_ERROR,
	JSON_END, /* the text is complete; nothing follows */
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

enum json_state { JSON_WANTS_VALUE, JSON_WANTS_KEY, JSON_WANTS_FIRST, JSON_WANTS_COMMA };

struct json_reader {
	const char *start, *p, *end;
	struct slice text;  /* KEY, STRING: decoded; NUMBER: as it stands. Until the next call */
	const char *error;  /* a static text, NULL while all is well; stays */
	struct buf scratch; /* holds decoded text where it differs from what stands in the input */
	uint64_t objects;   /* one bit a level: it is an object */
	unsigned depth;
	enum json_state state;
	bool cut; /* the error is that the text ended too early */
};

/* The text is borrowed until json_release(). */
void json_init(struct json_reader *r, struct slice text);
void json_restart(struct json_reader *r, struct slice text); /* another text, same memory */
void json_release(struct json_reader *r);

enum json_token json_next(struct json_reader *r);

/* Reads over the next value whole, with all that is in it. False on error. */
bool json_skip(struct json_reader *r);

/* Sets the error (a static text) by the caller's own rule, at the place of the last token; returns
 * JSON_ERROR. */
enum json_token json_fail(struct json_reader *r, const char *error);

/* The place of the error, in bytes from 1. */
size_t json_column(const struct json_reader *r);

/* Text of a NUMBER or STRING as a number; false where it is none or does not fit. */
bool json_to_i64(struct slice text, int64_t *value);
bool json_to_u64(struct slice text, uint64_t *value);
bool json_to_double(struct slice text, double *value); /* also "NaN", "Infinity", "-Infinity" */

#endif
