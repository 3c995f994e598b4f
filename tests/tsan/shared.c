/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that are the work of several threads under ThreadSanitizer (make tsan): one
 * reads, two write (where they meet, the connection becomes opaque), one opens and closes,
 * by two descriptors and at any moment, and a worker takes the spans. The object of a closed
 * connection is used again while others still hold its old number. Exit status 0: each
 * request is accounted for, and nothing stays open.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>

#include "shim/exchange.h"
#include "tests/lib/traced.h"

#define ROUNDS  3000
#define SECONDS 12 /* or so long, on a busy machine */
#define PLACES  2

static const char get[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static _Atomic uint64_t place[PLACES]; /* index | generation << 32, as a descriptor table has it */
static _Atomic unsigned closers_done;
static uint64_t deadline_ns;

static struct conn *look(unsigned at, uint32_t *generation)
{
	uint64_t entry = atomic_load(&place[at]);

	*generation = (uint32_t)(entry >> 32);
	return entry ? conn_at((uint32_t)entry) : NULL;
}

static void *reader(void *arg)
{
	uint32_t generation;

	(void)arg;
	for (unsigned i = 0; atomic_load(&closers_done) < PLACES; i++) {
		struct conn *c = look(i % PLACES, &generation);
		size_t half = i % sizeof(get);
		struct iovec iov[2] = { { (void *)(uintptr_t)get, half },
					{ (void *)(uintptr_t)(get + half), sizeof(get) - 1 - half } };

		for (int k = 0; c && half < sizeof(get) - 1 && k < 2; k++)
			if (iov[k].iov_len && conn_enter(c, generation, CONN_IN_BUSY)) {
				exchange_input(c, &iov[k], 1, iov[k].iov_len);
				exchange_leave_input(c);
			}
		sched_yield();
	}
	return NULL;
}

static void *writer(void *arg)
{
	struct iovec iov = { (void *)(uintptr_t)ok, sizeof(ok) - 1 };
	uint32_t generation;

	(void)arg;
	for (unsigned i = 0; atomic_load(&closers_done) < PLACES; i++) {
		struct conn *c = look(i % PLACES, &generation);

		if (c && conn_enter(c, generation, CONN_OUT_BUSY)) {
			exchange_output_predict(c, &iov, 1, iov.iov_len);
			exchange_output(c, &iov, 1, iov.iov_len);
			conn_leave(c, CONN_OUT_BUSY);
		}
		sched_yield();
	}
	return NULL;
}

static void *closer(void *arg)
{
	_Atomic uint64_t *at = arg;

	for (unsigned i = 0; i < ROUNDS && clock_now_ns() < deadline_ns; i++) {
		uint32_t index = conn_new(CONN_SERVER);
		struct conn *c = conn_at(index);

		conn_hold(c); /* dup() */
		atomic_store(at, (uint64_t)atomic_load(&c->generation) << 32 | index);
		for (unsigned k = 0; k < i % 7; k++)
			sched_yield();
		conn_drop(index);
		if (i % 3)
			sched_yield();
		if (i % 2)
			atomic_store(at, 0); /* else it is closed under the others' hands */
		conn_drop(index);
	}
	atomic_store(at, 0);
	atomic_fetch_add(&closers_done, 1);
	return NULL;
}

static uint64_t take_all(void)
{
	static struct span_slot copy;
	uint32_t cursor = 0, slot;
	uint64_t n = 0;

	while ((slot = table_take(&shim.table, &cursor, 1, &copy)) != TABLE_NO_SLOT) {
		n += span_record_valid(&copy);
		table_release(&shim.table, slot, 1);
	}
	return n;
}

int main(void)
{
	static void *(*const parts[])(void *) = { reader, writer, writer };
	pthread_t thread[3 + PLACES];
	uint64_t taken = 0, requests, accounted;
	uint32_t count[4];

	traced_table(1024);
	self_get();
	deadline_ns = clock_now_ns() + SECONDS * UINT64_C(1000000000);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, parts[i], NULL);
	for (int i = 0; i < PLACES; i++)
		pthread_create(&thread[3 + i], NULL, closer, &place[i]);
	while (atomic_load(&closers_done) < PLACES)
		taken += take_all(), sched_yield();
	for (int i = 0; i < 3 + PLACES; i++)
		pthread_join(thread[i], NULL);
	table_repair(&shim.table);
	taken += take_all();
	table_census(&shim.table, count);
	requests = traced_counter(LEDGER_REQUESTS);
	accounted =
		taken + traced_counter(LEDGER_DROPPED_TABLE_FULL) + traced_counter(LEDGER_DROPPED_PIPELINE);
	printf("%llu connections, %llu requests, %llu taken, %llu opaque by contention, %u slots left open\n",
	       (unsigned long long)atomic_load(&shim.connections), (unsigned long long)requests,
	       (unsigned long long)taken, (unsigned long long)traced_counter(LEDGER_OPAQUE_CONTENDED),
	       count[SLOT_OPEN]);
	return requests && requests == accounted && count[SLOT_OPEN] == 0 ? 0 : 1;
}
