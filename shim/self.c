/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/engine.h"
#include "shim/sys.h"

struct shim shim;

/*
 * Per thread: its number and the state of its id generator. initial-exec TLS
 * (see the Makefile): a dynamic model could allocate on first use, inside a
 * signal handler.
 */
static __thread struct {
	uint32_t number;
	uint32_t person;
	uint32_t epoch; /* of the process that seeded it: a forked child must not repeat its parent's ids */
	uint64_t state[2];
	struct table_place place;
} thread;

static uint64_t mix(uint64_t z) /* the finaliser of splitmix64 (Steele, Lea, Flood 2014) */
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void seed_thread(uint32_t epoch)
{
	uint64_t seed[4];
	uint32_t n = atomic_fetch_add_explicit(&shim.table.header->fork_counter, 1, memory_order_relaxed) + 1;

	memcpy(seed, shim.table.header->seed, sizeof(seed));
	thread.state[0] = mix(seed[0] + n * UINT64_C(0x9e3779b97f4a7c15)) ^ seed[2];
	thread.state[1] = mix(seed[1] ^ mix(n)) + seed[3];
	if (!thread.state[0] && !thread.state[1])
		thread.state[0] = n;
	thread.number = n;
	thread.place = table_place(&shim.table, n);
	thread.epoch = epoch + 1; /* 0 means never seeded */
}

static void thread_ready(void)
{
	uint32_t epoch = self_get()->epoch;

	if (__builtin_expect(thread.epoch != epoch + 1, 0))
		seed_thread(epoch);
}

uint32_t self_thread(void) { return thread.number; }

struct table_place *self_place(void) { return &thread.place; }

uint32_t self_person(void)
{
	if (__builtin_expect(!thread.person, 0))
		thread.person = atomic_fetch_add_explicit(&shim.persons, 1, memory_order_relaxed) + 1;
	return thread.person;
}

void ids_random(uint64_t *out, unsigned n)
{
	uint64_t a, b, r;

	thread_ready();
	a = thread.state[0];
	b = thread.state[1];
	for (unsigned i = 0; i < n;) { /* xoroshiro128+ (Blackman, Vigna 2018) */
		r = a + b;
		b ^= a;
		a = (a << 24 | a >> 40) ^ b ^ (b << 16);
		b = b << 37 | b >> 27;
		out[i] = r;
		i += r != 0;
	}
	thread.state[0] = a;
	thread.state[1] = b;
}

void self_executable(const char *path, size_t n)
{
	size_t room = sizeof(shim.executable) - 1;

	if (n > room) { /* the end of it tells more */
		path += n - room;
		n = room;
	}
	memcpy(shim.executable, path, n);
	shim.executable[n] = 0;
}

static void fill_entry(struct table_process *entry)
{
	struct timespec boot = { 0, 0 };

	memcpy(entry->executable, shim.executable, sizeof(entry->executable));
	memcpy(entry->command, shim.command, sizeof(entry->command));
	memcpy(entry->service, shim.service, sizeof(entry->service));
	entry->uid = calls_allowed() ? (uint32_t)sys0(SYS_getuid) : shim.uid;
	shim.clock_gettime(CLOCK_BOOTTIME, &boot);
	entry->registered_boot_ns = (uint64_t)boot.tv_sec * UINT64_C(1000000000) + (uint64_t)boot.tv_nsec;
	entry->registered_mono_ns = clock_now_ns();
}

__attribute__((cold, noinline)) struct shim_self *self_register(void)
{
	struct shim_self *self = shim.self;
	uint32_t fresh = 0;

	/* A second thread that comes meanwhile works under the shared entry 0 until the first is done. */
	if (!atomic_compare_exchange_strong_explicit(&self->state, &fresh, 1, memory_order_acq_rel,
						     memory_order_relaxed))
		return self;
	self->epoch = (uint16_t)(atomic_fetch_add_explicit(&shim.epochs, 1, memory_order_relaxed) + 1);
	if (!self->pid) /* else it is known since the start; a vfork child may be the one who asks */
		self->pid = (uint32_t)sys0(SYS_getpid);
	self->index = table_process_claim(&shim.table, self->pid);
	if (self->index != TABLE_NO_PROCESS) {
		fill_entry(&shim.table.process[self->index]);
		table_process_publish(&shim.table, self->index);
	}
	atomic_store_explicit(&self->state, 2, memory_order_release);
	return self;
}
