/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock-free parts under ThreadSanitizer (make tsan): a reader and a writer on
 * each of a few connections, more connections than threads, and a worker that
 * takes the spans. A program of its own: criterion's sandbox does not start
 * under ThreadSanitizer. Exit status 0: every request was taken or counted.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>

#include "shim/exchange.h"
#include "tests/lib/traced.h"

#define CONNECTIONS 4
#define REQUESTS    3000
#define PIPELINED   50

static const char get[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static struct side {
	struct conn *c;
	_Atomic unsigned asked;    /* requests that the reader has handed on */
	_Atomic unsigned answered; /* a client does not run ahead for ever */
} side[CONNECTIONS];
static _Atomic unsigned writers_done;

static void *reader(void *p)
{
	struct side *s = p;

	for (unsigned i = 0; i < REQUESTS; i++) {
		struct iovec iov = { (void *)(uintptr_t)get, sizeof(get) - 1 };

		while (i - atomic_load(&s->answered) > PIPELINED)
			sched_yield();
		if (conn_enter(s->c, atomic_load(&s->c->generation), CONN_IN_BUSY)) {
			exchange_input(s->c, &iov, 1, iov.iov_len);
			exchange_leave_input(s->c);
		}
		atomic_store(&s->asked, i + 1);
	}
	return NULL;
}

static void *writer(void *p)
{
	struct side *s = p;

	for (unsigned i = 0; i < REQUESTS; i++) {
		struct iovec iov = { (void *)(uintptr_t)ok, sizeof(ok) - 1 };

		while (atomic_load(&s->asked) <= i)
			sched_yield();
		atomic_store(&s->answered,
			     i); /* also where the connection has been given up: nobody waits for ever */
		if (!conn_enter(s->c, atomic_load(&s->c->generation), CONN_OUT_BUSY))
			continue;
		exchange_output_predict(s->c, &iov, 1, iov.iov_len);
		exchange_output(s->c, &iov, 1, iov.iov_len);
		conn_leave(s->c, CONN_OUT_BUSY);
		atomic_store(&s->answered, i + 1);
	}
	conn_drop(s->c->index);
	atomic_fetch_add(&writers_done, 1);
	return NULL;
}

/* What an outgoing request does meanwhile. */
static void *searcher(void *p)
{
	struct serving_found found;

	(void)p;
	while (atomic_load(&writers_done) < CONNECTIONS) {
		serving_search(NULL, &found);
		sched_yield();
	}
	return NULL;
}

static uint64_t take_all(void)
{
	struct span_slot copy;
	uint32_t cursor = 0, slot;
	uint64_t n = 0;

	while ((slot = table_take(&shim.table, &cursor, 1, &copy)) != TABLE_NO_SLOT) {
		n += span_record_valid(&copy) && copy.head.status == 200;
		table_release(&shim.table, slot, 1);
	}
	return n;
}

int main(void)
{
	pthread_t thread[2 * CONNECTIONS + 1];
	uint64_t taken = 0, requests, full;

	traced_table(1024);
	self_get();
	for (int i = 0; i < CONNECTIONS; i++) {
		side[i].c = conn_at(conn_new(CONN_SERVER));
		pthread_create(&thread[2 * i], NULL, reader, &side[i]);
		pthread_create(&thread[2 * i + 1], NULL, writer, &side[i]);
	}
	pthread_create(&thread[2 * CONNECTIONS], NULL, searcher, NULL);
	while (atomic_load(&writers_done) < CONNECTIONS)
		taken += take_all();
	for (int i = 0; i <= 2 * CONNECTIONS; i++)
		pthread_join(thread[i], NULL);
	table_repair(&shim.table);
	taken += take_all();
	requests = traced_counter(LEDGER_REQUESTS);
	full = traced_counter(LEDGER_DROPPED_TABLE_FULL);
	printf("%llu requests, %llu taken, %llu not recorded (table full)\n", (unsigned long long)requests,
	       (unsigned long long)taken, (unsigned long long)full);
	return requests == CONNECTIONS * REQUESTS && requests == taken + full ? 0 : 1;
}
