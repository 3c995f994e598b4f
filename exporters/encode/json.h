/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_JSON_H
#define BTRACE_JSON_H

/*
 * JSON (RFC 8259) written straight into a buffer. Strings are escaped as little
 * as the RFC allows (quote, backslash, what is below U+0020; short forms as the
 * OpenTelemetry Collector has them) and repaired to valid UTF-8. Structure - braces, commas, keys - is the
 * caller's: every format here knows it beforehand.
 */

#include "exporters/base/buf.h"
#include "exporters/span/model.h"

void json_string(struct buf *b, struct slice s); /* with its quotes */
void json_double(struct buf *b, double value);   /* NaN and infinities as strings */
void json_value(struct buf *b, const struct value *value);
void json_object(struct buf *b, struct attributes attributes); /* {"key":value,...} */

/* Replaces the bytes [from, b->n) by themselves as a JSON string: JSON inside of JSON. */
void json_quote_tail(struct buf *b, size_t from);

#endif
