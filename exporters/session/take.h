/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TAKE_H
#define BTRACE_TAKE_H

/*
 * From slots to a batch: takes finished spans out of the table, judges those
 * that came before the policy, applies the keep rules, makes model spans. The
 * slots stay TAKEN until take_done(). A batch goes
 *
 *	take_fill / take_dead    slots and spans; nothing is counted yet
 *	take_seal                its order is final, and in the journal (journal.h)
 *	sinks_put                with t->number
 *	take_done                counted, its slots are free
 *
 * and a worker that takes over from a dead one begins with take_resume, so that wherever that one was nothing
 *is lost, sent twice or counted twice. But for what several workers died of (poison.h): of such a batch there
 *are no spans, but t->lost of them.
 */

#include "exporters/base/arena.h"
#include "exporters/session/routes.h"
#include "exporters/session/session.h"
#include "exporters/session/unix_time.h"
#include "exporters/span/host.h"
#include "exporters/span/options.h"
#include "exporters/span/resource.h"

struct take_slot;
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
	struct unix_time time;
	uint64_t number;    /* of the batch, once sealed; 0: nothing in hand */
	uint64_t lost;      /* spans of a sealed batch that is not made again: poison.h */
	struct span *spans; /* room for max_spans * 4 (child spans) */
	struct span *other; /* the same, to sort into */
	size_t n;
	struct take_slot *slots;
	uint32_t n_slots;
	uint32_t cursor; /* of the sweep */
	struct journal_counts counts;
	uint64_t dead[TABLE_PROCESSES / 64];
};

struct take_slot {
	struct journal_entry entry;
	uint32_t first;       /* of its spans */
	uint16_t process;     /* registry entry */
	uint64_t end_unix_ns; /* of its first span */
};

int take_init(struct take *t, struct session *s, uint16_t epoch);
void take_release_all(struct take *t);

/* Number of spans that wait (by the hints; a moment's figure). */
uint32_t take_waiting(const struct take *t);
/* Number of slots that are free, likewise. */
uint32_t take_free(const struct take *t);
/* Takes up to max_spans; the batch is in t->spans. How many slots were looked at: 0 = the table is empty. */
uint32_t take_fill(struct take *t);
/* Which processes are dead now (all: everybody is). False: none. Their finished spans are to be taken next,
 * while their entries still tell of which process they are. */
bool take_note_dead(struct take *t, bool everybody);
/* Then their open spans join the batch as aborted ones; at last the entries are buried. True while there may
 * be more. */
bool take_dead(struct take *t);
/*
 * Sorts the batch by resource, for the encoders, and notes it in the journal. False: there is no batch. It
 * may be one without spans, all of it being left out.
 */
bool take_seal(struct take *t);
/* The batch has been handed over: it is counted, its slots are free again. */
void take_done(struct take *t);

/*
 * First of all: what a worker before us left half done. True: its batch is in t->spans, sealed: hand it over,
 * then take_done. What else it held waits in the table again.
 */
bool take_resume(struct take *t);

/* Between take.c and take_journal.c. Makes the spans of a slot, at the end of the batch: their number, 0: it
 * is not valid. `settle`: of a dead owner. */
uint32_t take_make(struct take *t, struct span_slot *copy, bool settle);
bool take_is_dead(const struct control *c, uint16_t owner);
/* The registry entry is dead and no span of it is left: its counters go to the totals, the entry is free. */
void take_bury(struct take *t, uint32_t index);

#endif
