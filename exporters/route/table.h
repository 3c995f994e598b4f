/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_TABLE_H
#define BTRACE_ROUTE_TABLE_H

/*
 * The configured routes (`routes:`). A route is segments between slashes:
 *	users		itself, byte by byte, after decoding of %XX in both
 *	{id} :id <id>	any one segment; what follows the name inside the brackets or in
 *			parentheses (a type, an expression) is not looked at
 *	v{n}.json	one placeholder with text around it
 *	*		any one segment; as the last one any number, also none: so do **, {path...},
 *			{*path}, {name:path} and <path:name>
 * The most specific route wins: segment by segment from the left, text before
 * text around a placeholder (more text first) before a placeholder before the
 * rest. Where the better beginning leads nowhere, the next best is tried. Of two
 * routes that say the same the first one wins. The route's name is its text as
 * configured.
 *
 * Immutable once compiled; may be read by any number of threads.
 */

#include <stddef.h>

#include "exporters/base/slice.h"

struct route_table;

struct route_table_error {
	size_t route;  /* index */
	size_t offset; /* byte in it */
	char text[120];
};

/* *table; 0, -EINVAL (*error says where) or -ENOMEM. The strings are copied. */
int route_table_compile(const char *const *routes, size_t n, struct route_table **table,
			struct route_table_error *error);
void route_table_free(struct route_table *table);

/* The route of a path (up to "?" or "#"), empty if none. Points into the table. */
struct slice route_table_match(const struct route_table *table, struct slice path);

#endif
