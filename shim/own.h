/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_OWN_H
#define BTRACE_OWN_H

/*
 * Spans that the program begins itself (btrace.h). One is an object of a pool,
 * private to the process, and a slot if it is recorded; the program has a number
 * for it: place in the pool, generation, and which of its events is meant.
 *
 * Whoever works at one holds OWN_BUSY; nobody waits: who finds it taken drops
 * what it came with, counted, or, to end it, leaves a note, and whoever holds it
 * makes the end. A forked child has copies of its parent's objects, but the
 * slots stay its parent's. Lock-free and async-signal-safe, as shim.h has it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/abi/span.h"
#include "shim/serving.h"

#define OWN_DEPTH 64u /* open spans that lie in one another on a thread */

/* Numbers: below 2^53, see btrace.h. */
#define OWN_INDEX_BITS      20
#define OWN_GENERATION_BITS 24
#define OWN_EVENT_SHIFT     (OWN_INDEX_BITS + OWN_GENERATION_BITS) /* 8 bits: an event of it */
#define OWN_EVENT_LOST      255u /* an event that found no room: nor do its attributes */

enum own_state { OWN_OPEN = 1, OWN_BUSY = 2, OWN_ENDING = 4 }; /* below the generation, in struct own */
#define OWN_GENERATION_SHIFT 8

struct own {
	_Atomic uint32_t next_free;
	uint32_t index;            /* its own */
	_Atomic uint32_t state;    /* generation << OWN_GENERATION_SHIFT | enum own_state */
	_Atomic uint32_t requests; /* serving_count() when it began */
	_Atomic uint64_t
		word[SERVING_WORDS]; /* struct serving_context; carried: it is early, see struct own_parent */
	_Atomic uint16_t process;    /* owner of the slot */
	_Atomic uint16_t missed;     /* attributes and events that came while another thread was at it */
	/* OWN_BUSY */
	uint16_t used;    /* bytes of the tail; what the slot says is not trusted */
	uint16_t message; /* where the status message lies in the tail, behind the name; 0: nowhere */
	uint32_t slot;    /* TABLE_NO_SLOT: not recorded */
	uint16_t dropped_attributes, dropped_events;
	uint64_t slot_word;
	uint8_t event; /* number of the last event, 0: none yet */
	uint8_t unused[7];
};
_Static_assert(sizeof(struct own) % 8 == 0, "see struct pool");
_Static_assert(OWN_GENERATION_SHIFT + OWN_GENERATION_BITS == 32, "all of the state word");

/* Whose child a new span is. */
struct own_parent {
	bool known;  /* trace_id and span_id are set; else a new trace */
	bool remote; /* from elsewhere: the sampler's rule for parents decides */
	bool ambiguous;
	bool early; /* part of a request that was not judged when this began */
	bool lost;  /* and that request may turn out to be of another trace: nothing can be begun in it */
	struct serving_context context;
	struct serving_found found; /* for the links, if ambiguous */
};

/* --- own_parent.c --- */

/* What the calling thread works at. */
void own_innermost(struct own_parent *parent);
/* A remote context with which exactly one open request has come, or which is that request: then it is the
 * parent. */
void own_request_of(struct own_parent *parent);
/*
 * For outgoing requests, of which a search has found nothing by themselves: the innermost open span of the
 * thread, unless it has read a younger request. False: there is none.
 */
bool own_current(const struct serving_found *found, struct serving_context *context);
/* Of the calling thread: is OWN_DEPTH not reached? Then it can be made the current one. */
bool own_has_room(void);
void own_push(uint64_t number);

/* --- own.c --- */

/* Its context; false: it is not open, here or, in a forked child, in the process that began it. */
bool own_read(uint64_t number, struct serving_context *context);
/* As own_read(), and whether the calling thread, being the one that began it, has read a request since. */
bool own_read_current(uint64_t number, struct serving_context *context, bool *younger);
/* Of this process, with OWN_BUSY taken; NULL: it is not open, or another thread is at it (counted). */
struct own *own_enter(uint64_t number);
void own_leave(struct own *o);
/* An undecided one: decided, as the exporter would, if there is a policy now. */
void own_settle(uint64_t number, struct serving_context *context);

uint64_t own_begin(const char *name, const struct own_parent *parent, bool detached);
void own_end(uint64_t number);

/* --- own_record.c: what is written into the slot; the caller holds OWN_BUSY --- */

struct own_value {
	enum span_attribute type;
	const void *p;
	size_t n;
};

void own_put_name(struct own *o, const char *name);
/* Of the span, or of its event of that number. */
void own_put_attribute(struct own *o, uint8_t event, const char *key, const struct own_value *value);
/* The event's number. */
uint8_t own_put_event(struct own *o, const char *name, uint64_t now_ns);
void own_put_status(struct own *o, bool error, const char *message);
void own_put_link(struct own *o, const struct serving_context *to);

#endif
