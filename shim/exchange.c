/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/exchange.h"

void exchange_forget(uint32_t index)
{
	struct pending *p = pending_at(index);

	if (atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) == 1)
		pool_give(&pending_pool, index);
}

bool exchange_own(struct pending *p)
{
	struct shim_self *self = self_get();

	if (__builtin_expect(p->process == self->index, 1))
		return table_owns(&shim.table, p->slot, p->word);
	if (!table_take_over(&shim.table, p->slot, &p->word, self->index))
		return false;
	p->process = self->index;
	shim.table.slot[p->slot].head.process = self->index;
	return true;
}
