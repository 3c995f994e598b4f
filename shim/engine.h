/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ENGINE_H
#define BTRACE_ENGINE_H

/*
 * What the files of shim/ share: the one struct shim, who this process is, ids
 * and the clock. Not for hooks.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shim/abi/table.h"
#include "shim/hidden.h"

/*
 * Who this process is to the exporter. Lies in a MADV_WIPEONFORK page: a child
 * made by any kind of fork finds zeroes and registers anew; a vfork child
 * shares our memory and finds us, which is why closes ask the kernel for the pid.
 */
struct shim_self {
	_Atomic uint32_t state; /* 0 not registered, 1 being registered, 2 registered */
	uint32_t pid;
	uint16_t index; /* into the process registry; TABLE_NO_PROCESS: the shared entry */
	uint16_t epoch; /* differs between parent and child */
};

/* The host has locked itself in by seccomp(2): a call that it does not make itself may be its death. */
enum shim_locks {
	SHIM_FREE = 0,
	SHIM_FILTERED, /* of calls beside the host's own there is only mmap, which malloc makes as well */
	SHIM_STRICT,   /* none at all: read, write, _exit and sigreturn are allowed */
};

struct shim {
	struct table table; /* valid while shim_mode is SHIM_ACTIVE */
	struct shim_self *self;
	int (*clock_gettime)(clockid_t, struct timespec *); /* libc's own, whatever else is preloaded */
	_Atomic uint64_t connections;                       /* numbers them */
	_Atomic uint32_t epochs;
	_Atomic uint32_t persons;         /* numbers threads, see self_person() */
	_Atomic uint32_t serves;          /* it has listened or accepted, or was forked by one that has */
	_Atomic uint32_t client_unwanted; /* a connect() has asked; the configuration has no client_only */
	_Atomic uint32_t forks;           /* calls of fork() that made a child of this process */
	_Atomic uint32_t locked;          /* enum shim_locks */
	uint32_t uid;                     /* when it was locked */
	_Atomic uint32_t early;           /* activated before it was known whether it will serve */
	char executable[128]; /* by what name it was started; from the activation on /proc/self/exe, if that
				 is to be had */
	char command[192];
	char service[80];
};

extern HIDDEN struct shim shim;

struct shim_self *self_register(void);

/* The path of the program that runs: its end, where it is longer than there is room for. */
void self_executable(const char *path, size_t n);

/* This process's entry; registers on first use. Never NULL. */
static inline struct shim_self *self_get(void)
{
	struct shim_self *self = shim.self;

	return __builtin_expect(atomic_load_explicit(&self->state, memory_order_acquire) == 2, 1)
		       ? self
		       : self_register();
}

/* May we make a system call (but mmap) that the host does not make itself? */
static inline bool calls_allowed(void)
{
	return __builtin_expect(!atomic_load_explicit(&shim.locked, memory_order_relaxed), 1);
}

/* A number of the calling thread: which ledger shard. */
uint32_t self_thread(void);
/* Where it looks for slots; after ids_random(). */
struct table_place *self_place(void);

/* Who the calling thread is for as long as it lives, in a forked child too; never 0. Private to the process
 * and its children. */
uint32_t self_person(void);

/* n random 64-bit numbers, none of them zero. */
void ids_random(uint64_t *out, unsigned n);

static inline uint64_t clock_now_ns(void)
{
	/* The vDSO: no system call. In strict mode the CPU's counter is forbidden as well (x86), which the
	 * coarse clock does not need. */
	bool strict = atomic_load_explicit(&shim.locked, memory_order_relaxed) == SHIM_STRICT;
	struct timespec t;

	shim.clock_gettime(strict ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static inline void ledger_count(enum ledger what)
{
	table_count(&shim.table, self_get()->index, self_thread(), what, 1);
}

#endif
