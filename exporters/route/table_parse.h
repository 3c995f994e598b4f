/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_TABLE_PARSE_H
#define BTRACE_ROUTE_TABLE_PARSE_H

/* The syntax of configured routes; see table.h. Pure. */

#include <stdint.h>

#include "exporters/route/table.h"

#define TABLE_PARTS_MAX 64u
#define TABLE_ROUTE_MAX 2048u /* bytes of a route */

enum table_kind { TABLE_TEXT, TABLE_AROUND, TABLE_PLACEHOLDER, TABLE_REST };

struct table_part {
	uint8_t kind;                /* enum table_kind */
	struct slice before, behind; /* decoded text in front of the placeholder, or all of it; behind it */
};

/* Parts of a route; texts lie in scratch[TABLE_ROUTE_MAX]. 0 or -EINVAL: error->offset and text are set. */
int table_parse(struct slice route, char *scratch, struct table_part *parts, uint32_t *n,
		struct route_table_error *error);

/* Decodes %XX; a bad escape stays as it is. `to` has at least s.n bytes. How many there are. */
size_t table_decode(struct slice s, char *to);

#endif
