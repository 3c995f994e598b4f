/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static bool is_known(const struct processes *p, uint32_t index)
{
	return p->known[index / 64] >> (index % 64) & 1;
}

/* Start of the process in ns since boot, 0 if unknown: field 22 of proc_pid_stat(5), behind the command's
 * bracket. */
static uint64_t start_boot_ns(uint32_t pid)
{
	char path[32], text[1024], *p;
	unsigned long long ticks = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	p = strrchr(text, ')');
	for (int field = 1; p && field < 21; field++)
		p = strchr(p + 1, ' ');
	if (p)
		ticks = strtoull(p + 1, NULL, 10);
	return ticks * (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK));
}

/* A process of that pid which is younger than the entry is another one: ours is dead. */
static bool is_alive(uint32_t pid, uint64_t registered_boot_ns)
{
	if (!pid || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return false;
	return start_boot_ns(pid) <= registered_boot_ns + 20000000; /* two ticks of rounding */
}

static void unwatch(struct processes *p, uint32_t at)
{
	close(p->watch[at].fd);
	p->n_watched--;
	p->watch[at] = p->watch[p->n_watched];
	p->index[at] = p->index[p->n_watched];
}

static void watch(struct processes *p, uint32_t index, uint32_t pid)
{
	int fd;

	if (p->n_watched == PROCESSES_WATCHED)
		return;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return;
	p->watch[p->n_watched] = (struct pollfd){ fd, POLLIN, 0 };
	p->index[p->n_watched++] = (uint16_t)index;
}

static void forget(struct processes *p, uint32_t index)
{
	p->known[index / 64] &= ~(UINT64_C(1) << (index % 64));
	for (uint32_t i = 0; i < p->n_watched; i++)
		if (p->index[i] == index)
			unwatch(p, i--);
}

/* A zombie still answers kill(0); its pidfd tells. */
static bool watch_says_dead(const struct processes *p, uint32_t index)
{
	for (uint32_t i = 0; i < p->n_watched; i++) {
		struct pollfd one = p->watch[i];

		if (p->index[i] == index)
			return poll(&one, 1, 0) == 1;
	}
	return false;
}

static void mark_dead(struct session *s, uint32_t index)
{
	atomic_fetch_or_explicit(&s->control->dead[index / 64], UINT64_C(1) << (index % 64),
				 memory_order_release);
}

static void scan_entry(struct processes *p, struct session *s, uint32_t index)
{
	const struct table_process *entry = &s->table.process[index];
	uint32_t pid = atomic_load_explicit(&entry->pid, memory_order_relaxed);
	uint64_t boot_ns = entry->registered_boot_ns;

	if (is_known(p, index) && p->boot_ns[index] != boot_ns) { /* the entry has a new tenant */
		forget(p, index);
		p->changes++;
	}
	if (!is_known(p, index)) {
		p->known[index / 64] |= UINT64_C(1) << (index % 64);
		p->boot_ns[index] = boot_ns;
		p->changes++;
		watch(p, index, pid);
	}
	if (!watch_says_dead(p, index) && is_alive(pid, boot_ns)) {
		p->live++;
		return;
	}
	forget(p, index);
	p->changes++;
	mark_dead(s, index);
}

/* Killed between claiming and publishing its entry? One that lives may not have said since when. */
static void scan_claimed(struct session *s, uint32_t index)
{
	uint32_t pid = atomic_load_explicit(&s->table.process[index].pid, memory_order_relaxed);

	if (!pid || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		mark_dead(s, index);
}

void processes_scan(struct processes *p, struct session *s)
{
	p->changes = 0;
	p->live = 0;
	for (uint32_t index = 1; index < TABLE_PROCESSES; index++) {
		uint64_t bit = UINT64_C(1) << (index % 64);
		enum process_state state;

		if (atomic_load_explicit(&s->control->dead[index / 64], memory_order_acquire) & bit)
			continue; /* known to be dead; the worker has not yet cleared it away */
		/* after `dead`: else the worker could bury this one and somebody else move in, in between */
		state = table_process_state(&s->table, index);
		if (state == PROCESS_LIVE)
			scan_entry(p, s, index);
		else if (state == PROCESS_CLAIMED)
			scan_claimed(s, index);
		else if (is_known(p, index))
			forget(p, index);
	}
}

bool processes_any(const struct processes *p, const struct session *s,
		   bool (*test)(uint32_t pid, void *context), void *context)
{
	for (uint32_t index = 1; index < TABLE_PROCESSES; index++)
		if (is_known(p, index) &&
		    test(atomic_load_explicit(&s->table.process[index].pid, memory_order_relaxed), context))
			return true;
	return false;
}
