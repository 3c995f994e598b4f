/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SPOOL_H
#define BTRACE_SPOOL_H

/*
 * What does not fit into a sink's queue, on disk: a bounded first-in-first-out
 * queue of payloads in one file, which outlives the session.
 *
 *     page 0: head, state at 512, state at 1024 | ring of records, each contiguous
 *
 * Killed at any instruction: a record is written where the valid state has
 * nothing, then the older of the two states is overwritten, with a checksum. A
 * record stays until spool_advance, that is until the receiver has spoken: what was under way
 * at a kill is sent again. The page cache outlives processes; there is no fsync,
 * so a power failure can cost what was written last.
 *
 * Nothing read is trusted: head, states, records and payloads carry CRC-32s. A bad
 * record is skipped up to the next good one, its spans are counted as lost. A file that
 * cannot be understood at all is begun anew.
 *
 * One file has one user at a time (flock in spool_file_open). Not thread safe.
 * Calls read and write the file and may wait for a slow disk.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

struct spool_state {
	uint64_t sequence;                 /* of this state; the greater one is valid */
	uint64_t head, tail;               /* count bytes; the place is the remainder by the ring's size */
	uint64_t head_number, next_number; /* of records, for ever */
	uint64_t spans;                    /* of all records in the ring */
	uint64_t last_session, last_queue_sequence; /* where the newest record came from */
};

struct spool {
	int fd; /* -1 = no spool */
	uint64_t ring_bytes;
	uint64_t session;
	struct spool_state state;
	uint64_t own_spans; /* of state.spans, those of this session */
	uint64_t held;      /* number of the record that spool_oldest gave and that is being sent; 0 = none */
	bool unreadable;    /* the disk gave an error; nothing more is read or written */
};

struct spool_item {
	uint64_t number;
	uint32_t spans;
	bool own; /* of this session */
};

struct spool_loss { /* spans; each call adds */
	uint64_t own, foreign;
};

/*
 * For the keeper: makes the directory (mode 0700) if need be, opens and locks the first
 * file NAME.N.spool of it that nobody else has. A descriptor or -errno.
 */
int spool_file_open(const char *directory, const char *name);

/*
 * fd as of spool_file_open; stays the caller's. session: any number that tells this
 * session's records from older ones. A file of another size is used as it is until it
 * is empty. 0 or -errno; lost: what a damaged file cost, as far as it is known.
 */
int spool_open(struct spool *s, int fd, uint64_t max_bytes, uint64_t session, struct spool_loss *lost);

bool spool_is_empty(const struct spool *s);

/*
 * Appends; the oldest records go if there is no room (lost). queue_sequence: the
 * payload's in the sink's queue. 0, -EMSGSIZE, or what the disk says (ENOSPC, EIO; ENOSPC
 * also if the oldest is held): then it is not in the spool.
 */
int spool_append(struct spool *s, struct slice payload, uint32_t spans, uint64_t queue_sequence,
		 struct spool_loss *lost);

/*
 * The oldest record into payload; false if there is none (any more). It is held, and
 * not pushed out by spool_append, until spool_advance or spool_let_go.
 */
bool spool_oldest(struct spool *s, struct buf *payload, struct spool_item *item, struct spool_loss *lost);

/* Record `number`, if it is the oldest, has gone its way. */
void spool_advance(struct spool *s, uint64_t number);
void spool_let_go(struct spool *s); /* it stays, for another try */

#endif
