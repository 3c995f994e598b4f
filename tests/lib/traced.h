/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_TRACED_H
#define BTRACE_TESTS_TRACED_H

/*
 * The calling process as a traced one: a span table of its own, no exporter, no sockets.
 * For unit tests, fuzz targets and the programs under ThreadSanitizer; what does not work
 * out aborts. All of it is gone with the process.
 */

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/engine.h"

/* A table, and no policy yet. */
static inline void traced_table(uint32_t slots)
{
	static const uint8_t seed[32] = { 3 };
	size_t bytes = table_bytes(slots);
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *self = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED || self == MAP_FAILED || madvise(self, 4096, MADV_WIPEONFORK) ||
	    table_create(&shim.table, base, bytes, slots, seed))
		abort();
	shim.self = self;
	shim.clock_gettime = clock_gettime;
}

/* The next policy, which samples all; not published yet. */
static inline struct policy *traced_policy(void)
{
	uint32_t version;
	struct policy *policy = table_next_policy(&shim.table, &version);

	*policy = (struct policy){ .version = version,
				   .mode = POLICY_ON,
				   .root = POLICY_ROOT_ALWAYS,
				   .wanted_fields = UINT32_MAX,
				   .propagators = { POLICY_PROPAGATOR_TRACECONTEXT } };
	return policy;
}

static inline void traced_publish(const struct policy *policy)
{
	table_publish_policy(&shim.table, policy->version);
}

/* Both; may be changed as long as nothing is traced. */
static inline struct policy *traced_begin(uint32_t slots)
{
	struct policy *policy;

	traced_table(slots);
	policy = traced_policy();
	traced_publish(policy);
	return policy;
}

/* Over all processes of the table. */
static inline uint64_t traced_counter(enum ledger what)
{
	uint64_t n = 0;

	for (unsigned p = 0; p < TABLE_PROCESSES; p++)
		for (unsigned s = 0; s < TABLE_SHARDS; s++)
			n += atomic_load(&shim.table.process[p].counter[s][what]);
	return n;
}

/* The next finished span, its slot given back; all zero if there is none. */
static inline struct span_slot traced_next(void)
{
	struct span_slot copy = { 0 };
	uint32_t cursor = 0, slot = table_take(&shim.table, &cursor, 1, &copy);

	if (slot != TABLE_NO_SLOT)
		table_release(&shim.table, slot, 1);
	return copy;
}

#endif
