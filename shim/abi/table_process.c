/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of processes in the table. */
#include <string.h>

#include "shim/abi/table.h"

_Static_assert(offsetof(struct table_process, pid) == 4, "state and pid are one word: claim_entry");

/* State and pid in one step, so that the exporter knows of whoever dies before the entry is published. */
static bool claim_entry(struct table_process *entry, uint32_t pid)
{
	struct {
		uint32_t state, pid;
	} free = { PROCESS_FREE, 0 }, claimed = { PROCESS_CLAIMED, pid };
	uint64_t from, to;

	memcpy(&from, &free, sizeof(from));
	memcpy(&to, &claimed, sizeof(to));
	return atomic_compare_exchange_strong_explicit((_Atomic uint64_t *)&entry->state, &from, to,
						       memory_order_acq_rel, memory_order_relaxed);
}

uint16_t table_process_claim(struct table *t, uint32_t pid)
{
	for (uint32_t i = 0; i < TABLE_PROCESSES - 1; i++) {
		uint32_t index = 1 + (pid + i) % (TABLE_PROCESSES - 1);

		if (atomic_load_explicit(&t->process[index].state, memory_order_relaxed) != PROCESS_FREE)
			continue;
		/* before: who sees the claim sees this, and a kill in between does no harm */
		atomic_fetch_or_explicit(&t->header->process_used[index / 64], UINT64_C(1) << (index % 64),
					 memory_order_release);
		if (claim_entry(&t->process[index], pid))
			return (uint16_t)index;
	}
	return TABLE_NO_PROCESS;
}

void table_process_publish(struct table *t, uint16_t index)
{
	/* release: pairs with the exporter's acquire load of state before it reads the entry */
	atomic_store_explicit(&t->process[index].state, PROCESS_LIVE, memory_order_release);
}
