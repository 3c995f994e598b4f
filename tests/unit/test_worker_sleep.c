/* SPDX-License-Identifier: Apache-2.0 */
/* What ends the sleep of a worker that has nothing to do. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "exporters/session/worker.c" /* its steps one by one */

enum { SLOTS = 1024, FOR_EVER_MS = 3600 * 1000 };

static struct session session;
static struct worker worker;

static void begin(void)
{
	static const uint8_t seed[32] = { 1 };
	size_t bytes = table_bytes(SLOTS);
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_eq(table_create(&session.table, base, bytes, SLOTS, seed), 0);
	session.control = control_create();
	atomic_store(&session.control->command, CONTROL_RUN);
	worker.s = worker.take.session = &session;
	worker.free = SLOTS;
}

/* As shim/request.c does it: who claims beyond half of the table wakes the worker if it sleeps. */
static pid_t fill_once_it_sleeps(void)
{
	_Atomic uint32_t *word = &session.table.header->sleeping;
	pid_t child = fork();
	uint32_t asleep = 1;
	struct table_place place = table_place(&session.table, 0);
	uint64_t claimed;
	bool far = false;

	if (child)
		return child;
	while (!atomic_load(word))
		usleep(1000);
	for (int i = 0; i < SLOTS && !far; i++) {
		table_claim(&session.table, &place, 1, &claimed);
		far = table_place_far(&session.table, &place);
	}
	if (far && atomic_compare_exchange_strong(word, &asleep, 0))
		syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	_exit(!far);
}

static void reap(pid_t child)
{
	int status;

	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

Test(worker_sleep, host_that_fills_the_table_ends_it, .timeout = 60)
{
	pid_t child;

	begin();
	child = fill_once_it_sleeps();
	sleep_on_table(&worker, FOR_EVER_MS);
	reap(child);
}

/* Else each claim would wake it, and there would be nothing to do. */
Test(worker_sleep, table_full_of_requests_in_flight_is_looked_at_and_wakes_nobody, .timeout = 60)
{
	struct table_place place;
	uint64_t word;

	begin();
	place = table_place(&session.table, 0);
	for (int i = 0; i < SLOTS / 2; i++)
		table_claim(&session.table, &place, 1, &word);
	worker.free = take_free(&worker.take);
	cr_assert_eq(worker.free, SLOTS / 2);
	atomic_store(&session.table.header->sleeping, 1); /* as a wait before has left it */
	sleep_on_table(&worker, FOR_EVER_MS);
	cr_assert_eq(atomic_load(&session.table.header->sleeping), 0);
}

Test(worker_sleep, does_not_begin_when_spans_have_come_or_the_keeper_wants_something, .timeout = 60)
{
	struct table_place place;
	uint64_t word;
	uint32_t slot;

	begin();
	place = table_place(&session.table, 0);
	slot = table_claim(&session.table, &place, 1, &word);
	cr_assert(table_finish(&session.table, slot, word));
	sleep_on_table(&worker, FOR_EVER_MS);
	worker.last_waiting = 1;
	atomic_store(&session.control->command, CONTROL_FINAL);
	sleep_on_table(&worker, FOR_EVER_MS);
	atomic_store(&session.control->command, CONTROL_RUN);
	atomic_store(&session.control->dead[0], 2);
	sleep_on_table(&worker, FOR_EVER_MS);
}

Test(worker_sleep, next_look_comes_before_a_quarter_of_what_is_free_is_used)
{
	begin();
	worker.free = 16384;
	worker.take.max_spans = 4096;
	worker.last_look_ms = 1000;
	cr_assert_eq(until_next_look(&worker, 1010, 0), POLL_MAX_MS);
	cr_assert_eq(until_next_look(&worker, 1020, 1024), 40, "102 a ms, 4,096 slots");
	cr_assert_eq(until_next_look(&worker, 1020, 1024), 4, "in less than a ms");
	cr_assert_eq(until_next_look(&worker, 1030, 1), POLL_MAX_MS);
	worker.free = 3;
	cr_assert_eq(until_next_look(&worker, 1040, 1), POLL_MIN_MS);
}

Test(worker_sleep, next_look_comes_when_a_batch_is_there)
{
	begin();
	worker.free = 16384;
	worker.take.max_spans = 512;
	worker.last_look_ms = 1000;
	cr_assert_eq(until_next_look(&worker, 1020, 1024), 10, "51 a ms, 512 spans");
	worker.take.max_spans = 1; /* not for each single one */
	cr_assert_eq(until_next_look(&worker, 1040, 1024), 5, "256 spans");
}
