/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ABI_TABLE_H
#define BTRACE_ABI_TABLE_H

/*
 * The span table: one shared mapping (memfd) between traced processes and the
 * exporter. See ARCHITECTURE.md, "The span table".
 *
 *	FREE --claim (CAS)--> OPEN --finish--> DONE --take--> TAKEN --release--> FREE
 *	                       +-- drop ------------------------------------------^
 *
 * The state word of a slot is the truth: {state, owner, generation} in one
 * 64-bit atomic. The two bitmaps beside it (free, done) only say where to look;
 * a process killed between the two leaves a hint wrong, never a state, and
 * table_repair() mends the hints.
 *
 * All functions are lock-free, async-signal-safe, bounded, make no system call
 * and no allocation.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/abi/policy.h"
#include "shim/abi/span.h"

#define TABLE_MAGIC         0x31454C4241544254ull /* "TBTABLE1" */
#define TABLE_ABI           7u
#define TABLE_SLOTS_DEFAULT 16384u
#define TABLE_SLOTS_MIN     64u
#define TABLE_SLOTS_MAX     (1u << 20)
#define TABLE_PROCESSES     4096u
#define TABLE_NO_SLOT       UINT32_MAX
#define TABLE_NO_PROCESS    0u /* entry 0 is the shared one for processes that found no entry */
#define TABLE_COUNTERS      36u
#define TABLE_SHARDS        2u

enum ledger {
#define LEDGER(id, name, help) LEDGER_##id,
#include "shim/abi/ledger.def"
#undef LEDGER
	LEDGER_MAX
};
_Static_assert(LEDGER_MAX <= TABLE_COUNTERS, "one process entry holds all counters");

enum slot_state { SLOT_FREE = 0, SLOT_OPEN, SLOT_DONE, SLOT_TAKEN };

/* state word: bits 0-7 state, 8-23 owner (registry index; the worker's epoch while TAKEN), 24-63 generation
 */
static inline uint64_t slot_word(enum slot_state s, uint16_t owner, uint64_t generation)
{
	return (uint64_t)s | (uint64_t)owner << 8 | generation << 24;
}
static inline enum slot_state slot_word_state(uint64_t w) { return (enum slot_state)(w & 0xff); }
static inline uint16_t slot_word_owner(uint64_t w) { return (uint16_t)(w >> 8); }
static inline uint64_t slot_word_generation(uint64_t w) { return w >> 24; }

/* BURIED: its process is dead, the exporter is about to free it. */
enum process_state { PROCESS_FREE = 0, PROCESS_CLAIMED, PROCESS_LIVE, PROCESS_BURIED };

struct table_process {
	_Atomic uint32_t state; /* enum process_state; FREE only by the exporter */
	_Atomic uint32_t pid;   /* as the process sees itself; claimed in one with the state */
	uint32_t uid;
	uint32_t reserved;
	uint64_t registered_boot_ns; /* CLOCK_BOOTTIME: a process with this pid that is younger is another one
				      */
	uint64_t registered_mono_ns;
	char executable[128]; /* /proc/self/exe, the end of it where it is longer */
	char command[192];    /* argv as it was at start, NUL between, cut */
	char service[80];     /* BTRACE_SERVICE or OTEL_SERVICE_NAME of this process */
	uint8_t spare[16];
	_Atomic uint64_t counter[TABLE_SHARDS][TABLE_COUNTERS];
};
_Static_assert(sizeof(struct table_process) == 1024, "ABI");

struct table_header {
	uint64_t magic;
	uint32_t abi;
	uint32_t slots;
	uint64_t bytes;
	uint8_t seed[32];              /* for ids; from getrandom at creation */
	_Atomic uint32_t fork_counter; /* one number per process and thread that makes ids */
	_Atomic uint32_t policy;       /* version in force, 0 = none yet */
	_Atomic uint32_t sleeping;     /* the worker sleeps long: wake it at half full; the futex word */
	_Atomic uint32_t over;         /* session ended: claim nothing */
	_Atomic uint32_t rate_second;  /* rate limiting sampler: the current second and what it let through */
	_Atomic uint32_t rate_taken;
	_Atomic uint64_t process_used[TABLE_PROCESSES / 64]; /* entries that were ever claimed */
};
_Static_assert(sizeof(struct table_header) <= 4096, "ABI");

struct table { /* one process's view; plain pointers, never shared */
	struct table_header *header;
	_Atomic uint64_t *state;
	_Atomic uint64_t *free_bits;
	_Atomic uint64_t *done_bits;
	struct table_process *process;
	uint8_t *policy;
	struct span_slot *slot;
	uint32_t slots;
	uint32_t words; /* of each bitmap */
	size_t bytes;
};

size_t table_bytes(uint32_t slots); /* slots: a multiple of 64 in [MIN, MAX], else 0 */

/* Where the state words of a table of so many bytes begin, and their number; 0: no table is so large. */
size_t table_states(size_t bytes, uint32_t *slots);

/* Creator: lays out a zeroed mapping. 0 or -EINVAL. */
int table_create(struct table *t, void *base, size_t bytes, uint32_t slots, const uint8_t seed[32]);
/* Anyone else: checks magic, ABI and size against `bytes` (from fstat, not from the header). 0, -EINVAL,
 * -EPROTO. */
int table_attach(struct table *t, void *base, size_t bytes);

/* --- library side --- */

/* Where a thread looks for free slots: at home first, then where it found the last one. */
struct table_place {
	uint32_t home, last; /* words of the bitmaps */
};
struct table_place table_place(const struct table *t, uint32_t number); /* any; threads differ in it */

/* From its home on, is more than half of the table in use, as far as it has come to know? */
static inline bool table_place_far(const struct table *t, const struct table_place *place)
{
	uint32_t way = place->last - place->home;

	return (place->last < place->home ? way + t->words : way) > t->words / 2;
}

/*
 * A free slot, now OPEN with a cleared record head, or TABLE_NO_SLOT. *word is what
 * finish, drop and take_over want.
 */
uint32_t table_claim(struct table *t, struct table_place *place, uint16_t owner, uint64_t *word);
/* Is the slot still ours? */
bool table_owns(const struct table *t, uint32_t slot, uint64_t word);
/* After fork: from the parent to this process. Updates *word. */
bool table_take_over(struct table *t, uint32_t slot, uint64_t *word, uint16_t owner);
/* OPEN -> DONE; false: not ours any more. */
bool table_finish(struct table *t, uint32_t slot, uint64_t word);
/* OPEN -> FREE */
bool table_drop(struct table *t, uint32_t slot, uint64_t word);

/* A registry entry for this process, or TABLE_NO_PROCESS if all are taken. The caller fills it and then calls
 * _publish. */
uint16_t table_process_claim(struct table *t, uint32_t pid);
void table_process_publish(struct table *t, uint16_t index);

/* What an entry is. Most were never used, and would become memory by being looked at: 4 MiB in all. */
static inline enum process_state table_process_state(const struct table *t, uint32_t index)
{
	const _Atomic uint64_t *used = &t->header->process_used[index / 64];

	if (!(atomic_load_explicit(used, memory_order_acquire) >> (index % 64) & 1))
		return PROCESS_FREE;
	return (enum process_state)atomic_load_explicit(&t->process[index].state, memory_order_acquire);
}

static inline void table_count(struct table *t, uint16_t process, unsigned shard, enum ledger what,
			       uint64_t n)
{
	atomic_fetch_add_explicit(&t->process[process].counter[shard % TABLE_SHARDS][what], n,
				  memory_order_relaxed);
}

/* The policy in force, or NULL while there is none. */
static inline const struct policy *table_policy(const struct table *t)
{
	uint32_t v = atomic_load_explicit(&t->header->policy,
					  memory_order_acquire); /* pairs with table_publish_policy */

	return v ? (const struct policy *)(t->policy + (size_t)(v % POLICY_BUFFERS) * POLICY_BYTES) : NULL;
}

/* --- exporter side --- */

/* The buffer to fill for the next version; then publish. */
struct policy *table_next_policy(struct table *t, uint32_t *version);
void table_publish_policy(struct table *t, uint32_t version);

/* The next DONE slot at or after *cursor (0 to begin a sweep): now TAKEN(epoch) and copied to *copy (tail
 * only as far as used), or TABLE_NO_SLOT at the end of the sweep. */
uint32_t table_take(struct table *t, uint32_t *cursor, uint16_t epoch, struct span_slot *copy);
/* An OPEN slot of a dead owner: OPEN -> TAKEN(epoch), copied. False: it moved on. */
bool table_take_open(struct table *t, uint32_t slot, uint16_t owner, uint16_t epoch, struct span_slot *copy);
/* TAKEN(epoch) -> FREE. False: not ours. */
bool table_release(struct table *t, uint32_t slot, uint16_t epoch);
/* Of a slot that we hold. */
uint64_t table_generation(const struct table *t, uint32_t slot);
/* By whatever worker it was taken, if it is still that span: TAKEN -> TAKEN(epoch), copied; TAKEN -> FREE. */
bool table_adopt(struct table *t, uint32_t slot, uint64_t generation, uint16_t epoch, struct span_slot *copy);
bool table_release_taken(struct table *t, uint32_t slot, uint64_t generation);
/* All TAKEN slots whose epoch is not `epoch` go back to DONE: what a dead worker held. Their number. */
uint32_t table_recover(struct table *t, uint16_t epoch);
/* Mends the hint bitmaps from the state words; for idle times. Their number. */
uint32_t table_repair(struct table *t);
/* Number of slots in each state. */
void table_census(const struct table *t, uint32_t count[4]);

#endif
