/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TAKE_H
#define BTRACE_TAKE_H

/*
 * From slots to a batch: takes finished spans out of the table, judges those
 * that came before the policy, applies the keep rules, makes model spans. The
 * slots stay TAKEN until take_release(), so that a worker which dies in between
 * loses nothing.
 */

#include "exporters/base/arena.h"
#include "exporters/session/routes.h"
#include "exporters/session/session.h"
#include "exporters/span/host.h"
#include "exporters/span/options.h"
#include "exporters/span/resource.h"

struct take_resource; /* of one registry entry */

struct take {
	struct session *session;
	struct span_options options;
	struct resource_options resources;
	struct host_facts host;
	struct routes routes;
	struct live_index live;
	struct arena facts; /* host facts, configured attributes */
	struct arena arena; /* of the batch */
	struct take_resource *resource[TABLE_PROCESSES];
	uint32_t max_spans;
	uint16_t epoch;
	/* the batch */
	struct span *spans; /* room for max_spans * 4 (child spans) */
	size_t n;
	uint32_t *slots;
	uint32_t n_slots;
	uint32_t cursor; /* of the sweep */
};

int take_init(struct take *t, struct session *s, uint16_t epoch);
void take_release_all(struct take *t);

/* Number of spans that wait (by the hints; a moment's figure). */
uint32_t take_waiting(const struct take *t);
/* Takes up to max_spans; the batch is in t->spans. How many slots were looked at: 0 = the table is empty. */
uint32_t take_fill(struct take *t);
/* Open spans of the processes marked dead (all: of everybody) join the batch as aborted ones; then the
 * entries are buried. True while there may be more. */
bool take_dead(struct take *t, bool everybody);
/* Sorts the batch by resource, for the encoders. */
void take_group(struct take *t);
/* The batch has been handed over: its slots are free again. */
void take_done(struct take *t);

#endif
