/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Own spans that several threads work at, at the same time and after their end, under
 * ThreadSanitizer (make tsan): any thread begins, puts, ends and reads spans that others
 * have begun, by numbers that grow old meanwhile, and a worker takes them. Exit status 0:
 * each is accounted for, nothing stays open, and what was dropped was counted.
 */
#define BTRACE_LIBRARY
#define BTRACE_API extern
#include "shim/btrace.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "shim/engine.h"
#include "shim/shim.h"
#include "tests/lib/traced.h"

#define THREADS 4
#define ROUNDS  30000
#define PLACES  3

static _Atomic uint64_t place[PLACES];
static _Atomic unsigned done;
static _Atomic uint64_t put;

static void put_into(btrace_span span)
{
	struct btrace_context context;

	btrace_set_int(span, "n", (int64_t)span);
	btrace_set_string(btrace_event(span, "event"), "k", "v");
	btrace_status(span, BTRACE_ERROR, "message");
	if (btrace_context_of(span, &context))
		btrace_end(btrace_begin_in("child", &context, 0));
	atomic_fetch_add(&put, 1);
}

static void *work(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		_Atomic uint64_t *at = &place[(i + me) % PLACES];

		if (i % 3 == 0)
			btrace_end(atomic_exchange(
				at, btrace_begin_in("shared", NULL, i % 2 ? BTRACE_DETACHED : 0)));
		else
			put_into(atomic_load(at));
		if (i % 7 == 0)
			btrace_end(atomic_load(at)); /* which is left there: its number grows old */
	}
	atomic_fetch_add(&done, 1);
	return NULL;
}

static uint64_t take_all(void)
{
	struct span_slot copy;
	uint32_t cursor = 0, slot;
	uint64_t n = 0;

	while ((slot = table_take(&shim.table, &cursor, 1, &copy)) != TABLE_NO_SLOT) {
		n += span_record_valid(&copy) && copy.head.kind == SPAN_KIND_INTERNAL &&
		     copy.head.end == SPAN_END_COMPLETE;
		table_release(&shim.table, slot, 1);
	}
	return n;
}

int main(void)
{
	pthread_t thread[THREADS];
	uint64_t taken = 0, begun, dropped;
	uint32_t count[4];

	traced_begin(1024);
	atomic_store(&shim_mode, SHIM_ACTIVE);
	self_get();
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	while (atomic_load(&done) < THREADS) {
		taken += take_all();
		sched_yield();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < PLACES; i++)
		btrace_end(atomic_load(&place[i]));
	table_repair(&shim.table);
	taken += take_all();
	table_census(&shim.table, count);
	begun = traced_counter(LEDGER_OWN_SPANS);
	dropped = traced_counter(LEDGER_OWN_DROPPED);
	printf("%llu own spans, %llu taken, %llu dropped, %u open; %llu times put into\n",
	       (unsigned long long)begun, (unsigned long long)taken, (unsigned long long)dropped,
	       count[SLOT_OPEN], (unsigned long long)atomic_load(&put));
	return begun == taken + dropped && begun > ROUNDS && !count[SLOT_OPEN] ? 0 : 1;
}
