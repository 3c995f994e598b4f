/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The moments after which it is too late: rights are given up, the root directory changes,
 * seccomp shuts the door. Who calls listen() has activated by then. Who was handed the
 * listening socket by exec() (nginx's new binary, LISTEN_FDS) has not been heard of yet.
 */
#include "shim/activate.h"
#include "shim/address.h"
#include "shim/conn.h"
#include "shim/guard.h"
#include "shim/shim.h"
#include "shim/sys.h"
#include "shim/take_up.h"

#define LOW_FDS \
	256 /* inherited sockets have low numbers: LISTEN_FDS begins at 3, nginx opens its logs first */

static bool has_listener(void)
{
	for (int fd = 0; fd < LOW_FDS; fd++)
		if (address_listens(fd))
			return true;
	return false;
}

/*
 * On its way to another program a vfork child gives up rights that we go on to have. (Of a
 * forked child we do not know the pid yet. If it vforks before we do, that child activates
 * for both, which is early but not wrong: nobody is registered before he serves.)
 */
static bool is_vfork_child(void) { return shim.self->pid && sys0(SYS_getpid) != (long)shim.self->pid; }

void shim_losing_rights(void)
{
	GUARD_ENTER();
	if (!is_vfork_child() && has_listener())
		activate_later();
	GUARD_LEAVE();
}

bool shim_locking_in(void)
{
	uint32_t index;

	if (is_vfork_child())
		return false;
	GUARD_ENTER();
	if (active()) {
		self_get();
		/* the first of these maps their memory */
		index = pool_take(&pending_pool);
		if (index)
			pool_give(&pending_pool, index);
	} else if (shim_waits()) {
		if (!shim.self->pid)
			shim.self->pid = (uint32_t)sys0(SYS_getpid);
		activate_later(); /* whatever it is: in there it could not any more */
	}
	shim.uid = (uint32_t)sys0(SYS_getuid);
	GUARD_LEAVE();
	return true;
}

void shim_locked_in(bool strict)
{
	uint32_t armed = SHIM_ARMED;

	atomic_store_explicit(&shim.locked, strict ? SHIM_STRICT : SHIM_FILTERED, memory_order_relaxed);
	/* another thread failed to activate just now: from in here no exporter can be reached */
	atomic_compare_exchange_strong_explicit(&shim_mode, &armed, SHIM_FAILED, memory_order_relaxed,
						memory_order_relaxed);
}
