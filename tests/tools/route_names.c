/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names routes as the exporter does, for tests and for tests/routes/measure.py.
 * Lines on standard input:
 *	NEW learned|typed|off [ROUTE...]	a new service, with configured routes
 *	STATUS METHOD PATH			answers its route, or "-"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/route/route.h"

#define ROUTES_MAX 1024u

static struct route_table *table;

static struct route_set *begin(char *line)
{
	static const char *const modes[] = { "learned", "typed", "off" };
	struct route_options options = { 0 };
	const char *routes[ROUTES_MAX], *mode = strtok(line, " ");
	struct route_table_error error;
	size_t n = 0;

	for (unsigned m = 0; mode && m < 3; m++)
		if (strcmp(mode, modes[m]) == 0)
			options.mode = m;
	for (char *at = strtok(NULL, " "); at && n < ROUTES_MAX; at = strtok(NULL, " "))
		routes[n++] = at;
	route_table_free(table);
	table = NULL;
	if (n && route_table_compile(routes, n, &table, &error) != 0) {
		fprintf(stderr, "route %zu, byte %zu: %s\n", error.route, error.offset, error.text);
		exit(1);
	}
	options.table = table;
	return route_new(&options);
}

int main(void)
{
	struct route_set *set = NULL;
	char *line = NULL, out[ROUTE_BYTES_MAX];
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "NEW ", 4) == 0) {
			route_free(set);
			set = begin(line + 4);
		} else if (set) {
			char *status = strtok(line, " "), *method = strtok(NULL, " "),
			     *path = strtok(NULL, "");
			struct slice route = { NULL, 0 };

			if (status && method && path)
				route = route_name(set, slice_of(path), (unsigned)strtoul(status, NULL, 10),
						   route_method_of(slice_of(method)), out, sizeof(out));
			printf("%.*s\n", route.n ? (int)route.n : 1, route.n ? route.p : "-");
		}
	}
	route_free(set);
	route_table_free(table);
	free(line);
	return 0;
}
