/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/fds.h"

#include <stddef.h>
#include <sys/mman.h>

#include "shim/sys.h"

_Atomic(_Atomic uint64_t *) shim_fd_chunk[SHIM_FD_CHUNKS];
struct listener fd_listener[FD_LISTENERS];
static _Atomic uint32_t listeners;
static _Atomic uint64_t first_chunk[SHIM_FD_CHUNK]; /* all that most processes need */
static _Atomic uint32_t highest;

static _Atomic uint64_t *chunk_of(int fd)
{
	return atomic_load_explicit(&shim_fd_chunk[(unsigned)fd / SHIM_FD_CHUNK], memory_order_acquire);
}

static _Atomic uint64_t *entry_of(_Atomic uint64_t *chunk, int fd)
{
	return &chunk[(unsigned)fd % SHIM_FD_CHUNK];
}

static _Atomic uint64_t *make_chunk(int fd)
{
	_Atomic uint64_t *have = chunk_of(fd);
	size_t bytes = SHIM_FD_CHUNK * sizeof(uint64_t);
	bool first = (unsigned)fd < SHIM_FD_CHUNK;
	long mapped;

	if (have)
		return have;
	mapped = first ? (long)first_chunk
		       : sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	if (sys_failed(mapped))
		return NULL;
	if (atomic_compare_exchange_strong_explicit(&shim_fd_chunk[(unsigned)fd / SHIM_FD_CHUNK], &have,
						    (_Atomic uint64_t *)mapped, memory_order_acq_rel,
						    memory_order_acquire))
		return (_Atomic uint64_t *)mapped;
	if (!first)
		sys2(SYS_munmap, mapped, bytes); /* another thread was faster */
	return have;
}

/* Before the entry is there: whoever sees it, sees that. */
static void reach(uint32_t fd)
{
	uint32_t old = atomic_load_explicit(&highest, memory_order_relaxed);

	while (fd > old && !atomic_compare_exchange_weak_explicit(&highest, &old, fd, memory_order_relaxed,
								  memory_order_relaxed))
		;
}

uint32_t fd_highest(void) { return atomic_load_explicit(&highest, memory_order_relaxed); }

uint64_t fd_entry_of_conn(uint32_t index)
{
	struct conn *c = conn_at(index);

	return (uint64_t)atomic_load_explicit(&c->generation, memory_order_relaxed) << 32 | index << 2 |
	       FD_CONN;
}

uint64_t fd_get(int fd)
{
	_Atomic uint64_t *chunk = chunk_of(fd);

	return chunk ? atomic_load_explicit(entry_of(chunk, fd), memory_order_acquire) : 0;
}

static void let_go(uint64_t entry)
{
	if (fd_kind(entry) == FD_CONN)
		conn_drop(fd_index(entry));
}

bool fd_set_entry(int fd, uint64_t entry)
{
	_Atomic uint64_t *chunk = fd >= 0 ? make_chunk(fd) : NULL;

	if (!chunk)
		return false;
	reach((uint32_t)fd);
	let_go(atomic_exchange_explicit(entry_of(chunk, fd), entry, memory_order_acq_rel));
	return true;
}

void fd_forget(int fd)
{
	_Atomic uint64_t *chunk = chunk_of(fd);

	if (chunk)
		let_go(atomic_exchange_explicit(entry_of(chunk, fd), 0, memory_order_acq_rel));
}

void fd_forget_entry(int fd, uint64_t entry)
{
	_Atomic uint64_t *chunk = chunk_of(fd);
	uint64_t expected = entry;

	if (chunk && atomic_compare_exchange_strong_explicit(entry_of(chunk, fd), &expected, 0,
							     memory_order_acq_rel, memory_order_relaxed))
		let_go(entry);
}

uint32_t fd_new_listener(void)
{
	uint32_t n = atomic_load_explicit(&listeners, memory_order_relaxed);

	do {
		if (n + 1 >= FD_LISTENERS)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&listeners, &n, n + 1, memory_order_relaxed,
							memory_order_relaxed));
	return n + 1;
}
