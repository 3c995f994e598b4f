/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONTROL_H
#define BTRACE_CONTROL_H

/*
 * What keeper and worker share: a mapping made before the worker is forked, so
 * that it outlives a worker that dies. Hosts never see it. The keeper commands,
 * the worker answers; what is below `silent` is the worker's alone but for `dead`, which the
 * keeper sets and the worker clears, and `sink`'s names.
 *
 * The account is kept twice (struct control_account): a change writes the other copy and
 * then flips one word, so that a worker killed at any instruction leaves it before a
 * step or after it. The journal (journal.h) says what the step in hand is.
 *
 * It is a memfd of the name CONTROL_NAME, and that is how `btracectl top` and
 * `ps` look on: through /proc/KEEPER/fd, where the kernel lets in the keeper's
 * own user and root. They read copies; nothing they do holds the session up.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "exporters/session/journal.h"
#include "exporters/session/live.h"
#include "shim/abi/table.h"

enum control_command {
	CONTROL_RUN = 0, /* take spans and send them */
	CONTROL_UNMAP,   /* let go of the table: the keeper looks whether anybody else has it */
	CONTROL_FINAL,   /* nobody has it: take what is left, end what is open, send, leave */
	CONTROL_RETIRE,  /* a newer worker takes the spans: send what is queued, leave */
};

enum control_state {
	CONTROL_STARTING = 0,
	CONTROL_RUNNING,
	CONTROL_UNMAPPED,
	CONTROL_SENDING, /* FINAL: the table is empty, the queues are not */
	CONTROL_DONE,
};

#define CONTROL_SINKS 8u
#define CONTROL_NAME  "btrace-control"
#define CONTROL_MAGIC 0x314C525443544221ull
#define CONTROL_ABI   1u

struct control_sink {
	char name[16];
	_Atomic uint64_t sent, failed, queue_dropped, spooled, queued;
	/* what an exporter of this name had done before the config was read again; the keeper's */
	uint64_t sent_before, failed_before, dropped_before, spooled_before;
	uint64_t batch, batch_spans; /* and how much of the batch in hand it had got */
};

struct control_account {
	uint64_t batch;             /* number of the last batch that all exporters have */
	uint64_t total[LEDGER_MAX]; /* counters of processes that are gone */
	uint32_t burying;           /* registry index + 1: its counters are in `total` already; 0: none */
	struct journal_counts counts;
};

struct control_suspect { /* poison.h; the keeper's, while no worker lives */
	uint64_t batch, generation;
	uint32_t slot; /* + 1 */
	uint32_t deaths;
};

struct control {
	uint64_t magic; /* with abi and bytes: is a looker-on of this build? */
	uint32_t abi, bytes;
	_Atomic uint32_t command;   /* enum control_command */
	_Atomic uint32_t state;     /* enum control_state */
	_Atomic uint32_t epoch;     /* of the worker; a newer one takes over what an older one held */
	_Atomic uint32_t silent;    /* standard error is gone: say nothing any more */
	_Atomic uint32_t beat;      /* changes while the worker is alive and not stuck */
	_Atomic uint32_t rotations; /* numbers of the worker's questions to the keeper: outputs.h */
	_Atomic uint32_t current;   /* which account is valid */
	_Atomic uint64_t dead[TABLE_PROCESSES / 64];
	struct control_account account[2];
	struct control_suspect suspect;
	uint32_t n_sinks;
	struct control_sink sink[CONTROL_SINKS];
	struct live live;
	struct journal journal;
};

struct control *control_create(void); /* NULL: no memory */

static inline struct control_account *control_account(struct control *c)
{
	return &c->account[atomic_load_explicit(&c->current, memory_order_acquire) & 1];
}

/* Worker: a change is a copy that is altered and committed. */
static inline void control_commit(struct control *c, const struct control_account *changed)
{
	uint32_t other = ~atomic_load_explicit(&c->current, memory_order_relaxed) & 1;

	c->account[other] = *changed;
	atomic_store_explicit(&c->current, other, memory_order_release); /* pairs with control_account() */
}

static inline uint64_t control_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
