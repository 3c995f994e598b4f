/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SESSION_ROUTES_H
#define BTRACE_SESSION_ROUTES_H

/* Routes for spans: the configured table, and what is learned, for each service apart. Not thread safe. */

#include "exporters/base/arena.h"
#include "exporters/config/config.h"
#include "exporters/route/route.h"
#include "exporters/span/options.h"

#define ROUTES_SERVICES 64u /* services that learn; spans of further ones have no inferred route */

struct routes {
	struct route_table *table;
	struct route_options options;
	struct arena *arena; /* of the batch: what is found lives as long as that */
	struct {
		char name[80];
		size_t n;
		struct route_set *set;
	} service[ROUTES_SERVICES];
	uint32_t n_services;
};

/* A route that does not compile is told and left out with all others. Sets options->router. */
void routes_init(struct routes *r, const struct config *config, struct arena *arena,
		 struct span_options *options);
void routes_release(struct routes *r);

#endif
