/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_UNITS_H
#define BTRACE_UNITS_H

/* Durations, counts and patterns as people write and read them. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

/* "100ms", "1.5 s", "250us", "2m", "1h", "80ns"; the unit must be there. Not negative. */
bool duration_parse(struct slice text, uint64_t *ns);

/* Three digits: "812 ns", "12.3 us", "1.24 ms", "2.31 s", "3 m 12 s". With `micro` for the u, which may be
 * UTF-8. */
void duration_print(struct buf *out, uint64_t ns, const char *micro);

/* "12,345" */
void count_print(struct buf *out, uint64_t n);

/* `*` stands for any text, the empty one too; `\*` and `\\` for a star and a backslash; all else for itself.
 */
bool pattern_matches(struct slice pattern, struct slice text);
/* Adds the pattern that matches this text alone. */
void pattern_quote(struct buf *out, struct slice text);

/*
 * A list "404,5xx,error": a status, a class, or "error" for a span that failed.
 * status 0 = there is none.
 */
bool status_list_valid(struct slice list);
bool status_list_matches(struct slice list, int status, bool failed);

#endif
