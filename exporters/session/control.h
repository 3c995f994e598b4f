/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONTROL_H
#define BTRACE_CONTROL_H

/*
 * What keeper and worker share: a mapping made before the worker is forked, so
 * that it outlives a worker that dies. Hosts never see it. The keeper commands,
 * the worker answers; counters are the worker's alone but for `dead`, which the
 * keeper sets and the worker clears.
 *
 * It is a memfd of the name CONTROL_NAME, and that is how `btracectl top` and
 * `ps` look on: through /proc/KEEPER/fd, where the kernel lets in the keeper's
 * own user and root. They read copies; nothing they do holds the session up.
 */

#include <stdatomic.h>
#include <stdint.h>

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
};

struct control {
	uint64_t magic; /* with abi and bytes: is a looker-on of this build? */
	uint32_t abi, bytes;
	_Atomic uint32_t command; /* enum control_command */
	_Atomic uint32_t state;   /* enum control_state */
	_Atomic uint32_t epoch;   /* of the worker; a newer one takes over what an older one held */
	_Atomic uint32_t silent;  /* standard error is gone: say nothing any more */
	_Atomic uint64_t dead[TABLE_PROCESSES / 64];
	_Atomic uint64_t total[LEDGER_MAX]; /* counters of processes that are gone */
	_Atomic uint64_t taken, aborted, invalid;
	_Atomic uint64_t client_taken,
		own_taken;         /* CLIENT spans; spans by btrace.h. `taken` is of SERVER spans */
	_Atomic uint64_t children; /* further spans of the taken requests: child_spans */
	_Atomic uint64_t sampled_out, excluded, dropped_off; /* judged here: they came before the policy */
	uint32_t n_sinks;
	struct control_sink sink[CONTROL_SINKS];
	struct live live;
};

struct control *control_create(void); /* NULL: no memory */

static inline void control_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t control_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
