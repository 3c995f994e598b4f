/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_JOURNAL_H
#define BTRACE_JOURNAL_H

/*
 * The batch in hand, in memory that outlives the worker (control.h): which slots it is made of, in which
 *order, and what is to be counted for it. So that of a worker killed at any instruction nothing is lost or
 *sent twice:
 *
 *	batch  account.batch  the worker was                       its successor
 *	0      any            taking slots                         gives them back: they are DONE again
 *	n      n - 1          handing batch n to the exporters     makes the same batch again; each exporter's
 *queue knows how many of its spans it has (queue.h) n      n              freeing the slots of batch n frees
 *the rest
 *
 * An entry names its slot with its generation: one that was freed and claimed again is
 * another span. Only the worker uses it.
 */

#include <stdatomic.h>
#include <stdint.h>

#define JOURNAL_SLOTS 65536u

struct journal_counts {
	uint64_t taken, aborted, invalid;            /* `taken` is of SERVER spans */
	uint64_t client_taken, own_taken;            /* CLIENT spans; spans by btrace.h */
	uint64_t children;                           /* further spans of the taken requests: child_spans */
	uint64_t sampled_out, excluded, dropped_off; /* judged by the worker: they came before the policy */
	uint64_t own_sampled_out, own_dropped;       /* the same */
	uint64_t client_sampled_out, client_dropped; /* likewise */
};

struct journal_entry {
	uint64_t generation; /* of the slot */
	uint32_t slot;
	uint16_t spans;   /* made of it; 0: not kept */
	uint16_t settled; /* its owner was dead */
};

struct journal {
	_Atomic uint64_t batch; /* 0: what follows is not valid */
	uint32_t n;
	struct journal_counts counts;
	_Atomic uint32_t making; /* slot + 1 whose spans are being made; 0: none. For poison.h */
	uint64_t making_generation;
	struct journal_entry entry[JOURNAL_SLOTS]; /* sparse: touched as far as used */
};

#endif
