/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_EXPECT_H
#define BTRACE_EXPECT_H

/*
 * What must be true of the traces of a run, and whether it is. The file (YAML):
 *
 *	requests: 15            # spans that answered a request (SERVER): exactly
 *	errors: 0               # of them, with the status ERROR
 *	5xx: 0                  # of them, with such a status; also 404, none
 *	p99: 200ms              # at most; also p50 p90 p95 max
 *	spans: ">= 15"          # of all kinds
 *	traces: 8..10
 *	duplicates: 0           # spans written twice
 *	routes:                 # "METHOD ROUTE", `*` for any text; a count, or a block like this one
 *	  GET /menu: 2
 *	  POST /orders: {201: 1, 500: 1, p99: 50ms}
 *	services:               # the same blocks, for one service each
 *	  nginx: {requests: 8}
 *	other_routes: forbid    # a request that fits no row of routes is a failure; default allow
 *	shapes:                 # trees of spans: SERVICE METHOD ROUTE STATUS, one a line
 *	  - count: 2
 *	    tree: |
 *	      nginx GET /menu 200
 *	        app GET /menu 200
 *	other_shapes: forbid    # a trace that fits none of them is a failure; default allow
 *
 * A count is N, ">= N", "<= N", "> N", "< N" or N..M. In trees the order of
 * siblings does not matter, `*` stands for any text, and a line "..." allows
 * further children there. Without a route attribute, segments of the path that
 * look like ids are written {id}.
 *
 * Not thread safe. Memory: each struct has an arena of its own.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/config/config.h"
#include "exporters/ctl/shape.h"
#include "exporters/ctl/trace_set.h"

enum expect_measure {
	EXPECT_REQUESTS,
	EXPECT_ERRORS,
	EXPECT_P50,
	EXPECT_P90,
	EXPECT_P95,
	EXPECT_P99,
	EXPECT_MAX,
	EXPECT_SPANS, /* from here on of the whole, not of some requests */
	EXPECT_TRACES,
	EXPECT_DUPLICATES,
	EXPECT_MEASURES,
};
extern const char *const expect_measure_names[EXPECT_MEASURES];

struct expect_range {
	uint64_t min, max; /* both allowed; nanoseconds for percentiles */
};

struct expect_check {
	enum expect_measure measure;
	struct slice service, method, route; /* patterns; p NULL = any */
	struct slice status;                 /* a status list or "none"; p NULL = any */
	struct expect_range range;
	struct config_mark mark; /* source NULL: an option of the command */
};

struct expect_shape {
	struct shape shape;
	struct expect_range range;
	struct config_mark mark;
};

struct expectation {
	struct expect_check *checks;
	size_t n_checks, checks_size;
	struct expect_shape *shapes;
	size_t n_shapes, shapes_size;
	bool only_routes, only_shapes; /* what fits no row is a failure */
	struct config_mark only_routes_mark, only_shapes_mark;
	struct arena arena;
};

void expectation_init(struct expectation *e);
void expectation_release(struct expectation *e);

/*
 * Adds what stands in a file to the expectation. 0; -EINVAL: errors, told in the
 * report; -errno: cannot be read (told too); -ENOMEM. `path` must outlive both.
 */
int expectation_load(struct expectation *e, const char *path, struct config_report *report);
int expectation_parse(struct expectation *e, struct slice text, const char *source,
		      struct config_report *report);

/* Adds one check; its slices are borrowed. 0 or -ENOMEM. */
int expectation_add(struct expectation *e, const struct expect_check *check);

int expectation_add_shape(struct expectation *e, const struct expect_shape *shape);

/* "15", ">= 3", "3..5"; for percentiles durations, where a bare one means "at most". */
bool expect_range_parse(struct slice text, bool durations, struct expect_range *range);

void expect_range_print(struct buf *out, const struct expect_range *range, bool durations); /* "at most 3" */
void expect_value_print(struct buf *out, uint64_t value, bool durations);
struct slice expect_trim(struct slice text); /* without the spaces around it */
static inline bool expect_is_duration(enum expect_measure m) { return m >= EXPECT_P50 && m <= EXPECT_MAX; }

/* --- the verdict --- */

struct expect_finding {
	bool ok;
	struct slice name;        /* "nginx GET /menu 200" */
	struct slice wanted, got; /* "2", "at most 200 ms" */
	struct slice detail;      /* lines that help to see why; may be empty */
	struct config_mark mark;
};

struct expect_result {
	struct expect_finding *findings;
	size_t n, size, failed;
	struct arena arena;
};

void expect_result_init(struct expect_result *r);
void expect_result_release(struct expect_result *r);

/* Adds a finding for each expectation. 0 or -ENOMEM. */
int expect_run(const struct expectation *e, const struct trace_set *set, struct expect_result *r);

/* Adds findings on the ledger (JSON): nothing lost, and each request has its span. 0; -errno (told). */
int expect_ledger(const char *path, const struct trace_set *set, struct expect_result *r);

/* One finding; texts are copied. 0 or -ENOMEM. */
int expect_result_add(struct expect_result *r, const struct expect_finding *finding);

/* --- showing it --- */

struct term;
void expect_print(struct buf *out, const struct term *term, const struct expect_result *r, bool all);
void expect_print_json(struct buf *out, const struct expect_result *r);
void expect_print_junit(struct buf *out, const struct expect_result *r, const char *suite);

/* An expectation that this run meets and any other with other requests does not. */
int expect_record(struct buf *out, const struct trace_set *set);

#endif
