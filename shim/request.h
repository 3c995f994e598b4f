/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REQUEST_H
#define BTRACE_REQUEST_H

/*
 * A request's slot from its claim to the verdict on it. Called by the in side
 * (exchange_in.c), but for request_string() by whichever side may write the slot.
 */

#include "shim/conn.h"
#include "shim/hidden.h"

struct capture;
struct http1_data;

#define REQUEST_IDS 3u /* the trace id in two words, the span id in one: ids_random() */

/* A pending request for this method, without a slot; 0: no memory. */
uint32_t request_take(const struct conn *c, const char *method, size_t n, uint64_t start_ns);
/* A slot for it, its record begun; NULL: the table is full. */
struct span_slot *request_claim(const struct conn *c, struct pending *p, const char *method, size_t n,
				const uint64_t id[REQUEST_IDS]);
/* Both, with new ids. 0: no memory; without a slot if there is none. */
uint32_t request_open(struct conn *c, const char *method, size_t n, uint64_t start_ns);

/*
 * A slot of the table for this process, its word in *word; TABLE_NO_SLOT: it is full. The
 * calling thread has made ids. An exporter that sleeps while more than half is in use is woken.
 */
uint32_t slot_claim(uint16_t process, uint64_t *word);

/* The slot, or NULL: none, or not ours any more. After fork this is where a child takes it over. */
struct span_slot *request_slot(struct pending *p);

extern HIDDEN const uint8_t request_tag_of_field[HTTP1_FIELD_MAX]; /* enum span_tag; TAG_NONE: not recorded */

/* A piece of a string. */
void request_string(struct pending *p, enum span_tag tag, const struct http1_data *d);
/*
 * A piece of the request-target; secrets do not get into the slot. policy NULL: those of the conventions.
 * What the slot has no room for goes to c->spill if excluded_urls may want it.
 */
void request_target(struct conn *c, struct pending *p, const struct policy *policy,
		    const struct http1_data *d);
/* The rest of a target that will not be judged. */
void request_forget_target(struct conn *c);
/* A piece of a captured header. */
void request_header(struct pending *p, enum span_tag tag, const struct capture *captured, unsigned index,
		    const struct http1_data *d);

/* Gives the slot back, counted. It must be there. */
void request_drop(struct pending *p, enum ledger why);

/* The head is complete: keep the slot or give it back, counted. policy NULL: the exporter will judge. */
void request_judge(struct conn *c, struct pending *p, const struct policy *policy);

#endif
