/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_JSON_WRITE_H
#define BTRACE_JSON_WRITE_H

/* Pieces of JSON (RFC 8259) appended to a buffer. Text must be valid UTF-8. */

#include "exporters/base/buf.h"
#include "exporters/span/model.h"

/*
 * In quotes, escaped so that it may also stand inside <script> of an HTML page: '<', '>', '&', U+2028
 * and U+2029 are \u escapes.
 */
void json_write_string(struct buf *out, struct slice text);
void json_write_value(struct buf *out, const struct value *value); /* NaN and infinities are strings */
void json_write_attributes(struct buf *out,
			   struct attributes attributes); /* an object; of equal keys the first */

#endif
