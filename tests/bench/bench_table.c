/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cost of a span in the table: claim and finish, as two threads of a server do it, with a
 * third one that takes and releases as the worker does. build/bench/bench_table
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/abi/table.h"

#define SPANS  200000u
#define ROUNDS 9

static struct table table;
static pthread_barrier_t barrier;

static double now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Each thread gives its own slots back, so that no third one is in the way of the two. */
static void *work(void *p)
{
	uint32_t home = *(uint32_t *)p;
	struct table_place place = table_place(&table, home);
	double begin;

	pthread_barrier_wait(&barrier);
	begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < SPANS; i++) {
		uint64_t word = 0;
		uint32_t slot = table_claim(&table, &place, (uint16_t)home, &word);

		if (slot == TABLE_NO_SLOT || !table_drop(&table, slot, word))
			abort();
	}
	*(double *)p = (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / SPANS;
	return NULL;
}

static double run(unsigned threads)
{
	union {
		uint32_t home;
		double ns;
	} of[2];
	pthread_t thread[2];
	double sum = 0;

	pthread_barrier_init(&barrier, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		of[i].home = i + 1;
		if (pthread_create(&thread[i], NULL, work, &of[i]))
			abort();
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		sum += of[i].ns;
	}
	pthread_barrier_destroy(&barrier);
	return sum / threads;
}

static double median(unsigned threads)
{
	double ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double value = run(threads);
		int k = i;

		for (; k > 0 && ns[k - 1] > value; k--)
			ns[k] = ns[k - 1];
		ns[k] = value;
	}
	return ns[ROUNDS / 2];
}

/* The whole round of a slot in one thread: claim, finish, take, release. */
static double whole(void)
{
	static struct span_slot copy;
	struct table_place place = table_place(&table, 1);
	double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);

	for (unsigned i = 0; i < SPANS; i++) {
		uint64_t word = 0;
		uint32_t cursor = 0, slot;

		slot = table_claim(&table, &place, 1, &word);
		if (!table_finish(&table, slot, word) || table_take(&table, &cursor, 9, &copy) != slot ||
		    !table_release(&table, slot, 9))
			abort();
	}
	return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / SPANS;
}

int main(void)
{
	static const uint8_t seed[32] = { 1 };
	size_t bytes = table_bytes(TABLE_SLOTS_DEFAULT);
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double one, two;

	if (base == MAP_FAILED || table_create(&table, base, bytes, TABLE_SLOTS_DEFAULT, seed))
		return 1;
	one = median(1);
	two = median(2);
	printf("claim and give back, one thread: %.1f ns\n", one);
	printf("claim and give back, two threads: %.1f ns %.3f\n", two, two / one);
	printf("claim, finish, take, release: %.1f ns\n", whole());
	return 0;
}
