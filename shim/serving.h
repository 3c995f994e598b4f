/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SERVING_H
#define BTRACE_SERVING_H

/*
 * Which requests this process is answering, and which thread read them: what
 * the parent of an outgoing request is found by. The server path pays for a few
 * stores into its own struct pending; whoever sends a request pays for the
 * search. Private memory, lock-free, async-signal-safe. A request is open from
 * its judged head to the end of its response.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pending;

enum serving_decision {
	SERVING_UNDECIDED = 0, /* the policy was not there: its ids may still change */
	SERVING_SAMPLED,
	SERVING_NOT_SAMPLED,
	SERVING_EXCLUDED,
};

#define SERVING_WORDS 7u

/* Part of struct pending. Written by the thread that read the head, read by any. */
struct serving {
	_Atomic uint64_t stamp;               /* thread << 32 | number of uses; thread 0: not open */
	_Atomic uint64_t word[SERVING_WORDS]; /* struct serving_context */
};

struct serving_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];        /* of the SERVER span */
	uint8_t parent_span_id[8]; /* that came in by a header; zero: none did */
	uint8_t trace_flags : 2, debug : 1;
	uint8_t carried : 1; /* undecided: it came with a context header, which may be its parent */
	uint8_t decision;    /* enum serving_decision */
	uint16_t process;    /* of a request: that reads and answers it */
	uint32_t slot;       /* TABLE_NO_SLOT: it is not recorded */
	uint64_t slot_word;
	uint64_t begun_ns; /* its first byte */
};

/*
 * Word by word, for readers that look at the same time: whatever tells them that
 * it is valid is to be withdrawn before the store, and looked at again after the
 * load. trace_flags to slot are one word, which may change alone.
 */
void serving_store(_Atomic uint64_t word[SERVING_WORDS], const struct serving_context *context);
void serving_load(const _Atomic uint64_t word[SERVING_WORDS], struct serving_context *context);

/* What a request carries that is handed on with its context; whole entries, nothing but printable ASCII. */
#define SERVING_CARRIED_BYTES 512u /* tracestate: at least (Trace Context 2, 3.3.1.5) */
struct serving_carried {
	uint16_t tracestate_bytes, baggage_bytes;
	char tracestate[SERVING_CARRIED_BYTES], baggage[SERVING_CARRIED_BYTES];
};

#define SERVING_LINKS 8u

/* What a search found. */
struct serving_found {
	unsigned all;     /* open requests of this process */
	unsigned here;    /* of those, read by the calling thread (or the one that forked it) */
	unsigned matched; /* those that came with, or are, the context given */
	unsigned matched_here;
	uint64_t newest_here_ns;                    /* the youngest of those here */
	bool all_suppressed;                        /* every open one is excluded, or every one not sampled */
	struct serving_context one_here, one_match; /* the last of each; a match here goes before others */
	const struct pending *pending_here;         /* one_here's */
	unsigned links; /* how many of `link` are set; 0 as well if there were more than fit */
	struct serving_context link[SERVING_LINKS]; /* the matched ones, else those here, else all */
};

struct conn;
struct span_slot;

/* By the thread that has read it, on c. */
void serving_begin(struct pending *p, const struct conn *c, const struct serving_context *context);
/* Right behind it, if its slot may have tracestate or baggage; kept for the last request of a thread. */
void serving_carry(const struct span_slot *slot);
void serving_end(struct pending *p);

/* Changes whenever the calling thread has read another request. */
uint32_t serving_count(void);

/* context: of an outgoing request, NULL if it carries none. */
struct wanted_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];
};
void serving_search(const struct wanted_context *wanted, struct serving_found *found);

/*
 * Asked once for each request that is sent: does the calling thread work at more than one
 * request at a time? It has lately read one while another was open, or works on after its
 * answers: an event loop. It may send now what an earlier request made it send, so that an
 * open one is no more than a candidate.
 */
bool serving_mixed(const struct serving_found *found, uint64_t now_ns);
/* The same without a request that is sent: nothing is learned by it. */
bool serving_was_mixed(uint64_t now_ns);

/*
 * The calling thread has received an answer to what was asked at asked_ns. If it was asked
 * before the request that it has read last, or that one is answered, it works at more than
 * one: what it asks next may be for any. But the rest of an answer that has begun before
 * says nothing when no later request has come: clients read bodies to their end behind
 * the back of who wanted no more than the status.
 */
void serving_received(uint64_t asked_ns, bool rest);

/*
 * Who a connection is made for: the one request of this thread that is open at its
 * connect(). The first request on it is of no other; later ones may be.
 */
struct serving_opener {
	const struct pending *p; /* NULL: nobody */
	uint64_t stamp;
};
struct serving_opener serving_opening(uint64_t now_ns);
bool serving_opened(const struct serving_found *found, const struct serving_opener *by);

/* Of one_here; NULL if it carries nothing. Valid in the calling thread until it reads its next request. */
const struct serving_carried *serving_carried(const struct serving_found *found);

#endif
