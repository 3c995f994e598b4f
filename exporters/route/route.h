/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_H
#define BTRACE_ROUTE_H

/*
 * Routes: the low-cardinality name of a path, "/users/{id}/orders" for
 * "/users/42/orders". First the configured routes (table.h); then inference, in
 * which looks decide where they can (shape.h) and traffic where they cannot:
 *
 *  - behind a plural (/users/...) a segment that is no everyday word is an id;
 *  - at the root, and behind api, admin or a version, it is a word if it ends the
 *    path or an id follows (up to INFER_ROOT_NAMES of them: only a site of user
 *    names has more);
 *  - elsewhere nobody can know. The path has no route until enough successful
 *    requests were seen: many different names, each seldom, are ids; few names,
 *    again and again, are words.
 *
 * Only successful requests (2xx, 304) of the common methods teach anything or
 * make a route; all others get a route that was given out before, or none. A
 * route given out for a path stays that path's route. Memory is taken in
 * route_new() and bounded (about 200 KiB with the default of 200 routes); what
 * does not fit has no route. Not thread safe: one set a service, one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "exporters/base/slice.h"
#include "exporters/route/table.h"

#define ROUTE_MAX_DEFAULT  200u
#define ROUTE_BYTES_MAX    512u /* of a route; longer ones are not given out */
#define ROUTE_SEGMENTS_MAX 24u  /* deeper paths have no route */

enum route_mode {
	ROUTE_MODE_LEARNED = 0,
	ROUTE_MODE_TYPED, /* looks alone: an unknown name is a word */
	ROUTE_MODE_OFF,   /* configured routes only */
};

enum route_method {
	ROUTE_METHOD_COMMON = 0, /* GET HEAD POST PUT PATCH DELETE QUERY */
	ROUTE_METHOD_ASIDE, /* OPTIONS (answered for any path), TRACE, CONNECT, unknown ones: teach nothing */
};

struct route_options {
	enum route_mode mode;
	uint32_t max_routes;             /* inferred ones, 0: ROUTE_MAX_DEFAULT */
	const struct route_table *table; /* may be NULL; borrowed, must outlive the set */
};

struct route_set;

struct route_set *route_new(const struct route_options *options); /* NULL: no memory */
void route_free(struct route_set *set);

/*
 * The route of a path, empty if it has none. `path` as in the request target, up
 * to "?" or "#"; status 0: no answer yet. What is returned lies in `out` (`size`
 * bytes, ROUTE_BYTES_MAX are enough) or, for a configured route, in the table.
 * One slash at the end and doubled ones do not count: /users/ is /users.
 */
struct slice route_name(struct route_set *set, struct slice path, unsigned status, enum route_method method,
			char *out, size_t size);

enum route_method route_method_of(struct slice method);

/* How many inferred routes were given out. */
uint32_t route_count(const struct route_set *set);

#endif
