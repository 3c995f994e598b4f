/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines: the first is a configured route, the others are paths, the first byte
 * of which says status and method. Nothing falls over, the bound holds, and a
 * path that has a route keeps it.
 * FUZZ_SOURCES: exporters/route/route.c exporters/route/recent.c exporters/route/infer.c
 * FUZZ_SOURCES: exporters/route/words.c exporters/route/shape.c exporters/route/shape_id.c
 * FUZZ_SOURCES: exporters/route/shape_file.c exporters/route/table.c exporters/route/table_parse.c
 */
#include <stdint.h>
#include <stdlib.h>

#include "exporters/route/route.h"

#define MAX_ROUTES 20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct slice next_line(struct slice *rest)
{
	size_t i = 0;
	struct slice line;

	while (i < rest->n && rest->p[i] != '\n')
		i++;
	line = (struct slice){ rest->p, i };
	i += i < rest->n;
	*rest = (struct slice){ rest->p + i, rest->n - i };
	return line;
}

static struct route_table *compile(struct slice line)
{
	struct route_table_error error = { 0 };
	struct route_table *table = NULL;
	char *text = malloc(line.n + 1);
	const char *routes[2] = { text, "/a/{b}" };

	memcpy(text, line.p, line.n);
	text[line.n] = 0;
	if (route_table_compile(routes, 2, &table, &error) != 0 && (error.offset > line.n || !error.text[0]))
		abort();
	free(text);
	return table;
}

static void ask(struct route_set *set, struct slice line)
{
	struct slice path = { line.p + 1, line.n - 1 }, first, second;
	char out[2][ROUTE_BYTES_MAX];
	unsigned status = (uint8_t)line.p[0] & 3 ? 200 : 404;

	first = route_name(set, path, status, (uint8_t)line.p[0] >> 2 & 1, out[0], sizeof(out[0]));
	second = route_name(set, path, 200, ROUTE_METHOD_COMMON, out[1], sizeof(out[1]));
	if (first.n && !slice_equal(first, second))
		abort();
	first = route_name(set, path, 404, ROUTE_METHOD_ASIDE, out[0], sizeof(out[0]));
	if (!slice_equal(first, second) || route_count(set) > MAX_ROUTES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy = malloc(n ? n : 1); /* exactly as long as it is */
	struct slice rest = { copy, n }, line;
	struct route_options options = { .max_routes = MAX_ROUTES };
	struct route_table *table;
	struct route_set *set;

	if (n)
		memcpy(copy, data, n);
	line = next_line(&rest);
	table = compile(line);
	options.table = table;
	options.mode = n % 3;
	set = route_new(&options);
	while (rest.n) {
		line = next_line(&rest);
		if (line.n)
			ask(set, line);
	}
	route_free(set);
	route_table_free(table);
	free(copy);
	return 0;
}
