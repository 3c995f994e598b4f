/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that die of what they work on, one after the other; and one that is killed for a new config
 * meanwhile. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <signal.h>

#include "exporters/session/poison.h"
#include "exporters/session/sink_private.h"
#include "exporters/session/worker.c" /* its steps one by one */
#include "tests/unit/worker_story.h"

enum { BAD = 4, UNDECIDED = 1 << 0 | 1 << 3 | 1 << 6 | 1 << 9, ALL = (1 << REQUESTS) - 1 };

enum trouble {
	HEALTHY,
	DIES_OF_UNDECIDED, /* the policy cannot be read */
	DIES_OF_BATCH,     /* with the span BAD in it, in the second exporter */
	KILLED_IN_BATCH,
};

static const struct format *real_format;
static int deadly;

static size_t encode(const struct batch *batch, size_t from, size_t n, const struct encode_options *options,
		     struct buf *out)
{
	for (size_t i = 0; i < batch->n; i++)
		if (batch->spans[i].span_id[0] == BAD + 1 && batch->spans[i].span_id[7] == 0xb7)
			raise(deadly);
	return real_format->encode(batch, from, n, options, out);
}

static void make_trouble(struct worker *w, enum trouble trouble)
{
	static struct format format;
	struct table *t = &w->s->table;

	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	deadly = trouble == KILLED_IN_BATCH ? SIGKILL : SIGILL;
	if (trouble == DIES_OF_UNDECIDED &&
	    mprotect(t->policy, (size_t)POLICY_BUFFERS * POLICY_BYTES, PROT_NONE))
		_exit(4);
	if (trouble != DIES_OF_BATCH && trouble != KILLED_IN_BATCH)
		return;
	real_format = w->sinks.sink[1]->format;
	format = *real_format;
	format.encode = encode;
	w->sinks.sink[1]->format = &format;
}

static void work(struct story *y, enum trouble trouble)
{
	static struct worker w;

	w.s = &y->s;
	if (take_init(&w.take, w.s, y->epoch) || loop_init(&w.loop, log_from_loop, NULL) ||
	    sinks_open(&w.sinks, w.s, &w.loop))
		_exit(2);
	make_trouble(&w, trouble);
	if (take_resume(&w.take))
		put(&w);
	take_everything(&w);
	bury_the_dead(&w, false);
	sinks_pump(&w.sinks, loop_now_ms());
	sinks_report(&w.sinks, w.s->control);
	_exit(sinks_idle(&w.sinks) ? 0 : 3);
}

/* The signal it died of, 0: it came to its end. */
static int run_worker(struct story *y, enum trouble trouble)
{
	int status;
	pid_t pid;

	y->epoch++;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		work(y, trouble);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	cr_assert_eq(WEXITSTATUS(status), 0);
	return 0;
}

/* Workers as the keeper starts them, until one comes to its end: how many did not. */
static unsigned run_workers(struct story *y, enum trouble trouble)
{
	unsigned deaths = 0;
	int signal;

	while ((signal = run_worker(y, trouble))) {
		cr_assert(poison_is_crash(signal));
		poison_note_death(y->s.control);
		cr_assert_leq(++deaths, 100, "they never stop dying");
	}
	return deaths;
}

Test(poison, spans_that_kill_workers_are_left_out_and_counted_one_by_one, .timeout = 60)
{
	static struct story y;
	struct ledger_sums l;
	size_t n;

	begin(&y);
	cr_assert_eq(run_workers(&y, DIES_OF_UNDECIDED), 4 * POISON_DEATHS);
	ledger_sum(&y.s, &l);
	cr_assert_eq(l.invalid, 4);
	cr_assert_eq(l.taken, REQUESTS - 4);
	cr_assert_eq(l.requests, REQUESTS);
	cr_assert_eq(l.unbalanced, 0);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(check_once(y.path[i], "poisoned", &n), ALL & ~UNDECIDED);
	check_table(&y, "poisoned");
	finish(&y);
}

Test(poison, a_batch_that_kills_workers_is_given_up_where_it_was_not_put_yet, .timeout = 60)
{
	static struct story y;
	struct ledger_sums l;
	size_t n[2];
	uint64_t failed, all;

	begin(&y);
	cr_assert_eq(run_workers(&y, DIES_OF_BATCH), POISON_DEATHS);
	ledger_sum(&y.s, &l);
	all = l.taken + control_account(y.s.control)->counts.children;
	cr_assert_eq(l.taken, REQUESTS);
	cr_assert_eq(l.unbalanced, 0);
	cr_assert_eq(check_once(y.path[0], "first exporter", &n[0]), ALL);
	cr_assert_neq(check_once(y.path[1], "second exporter", &n[1]) | 1 << BAD,
		      check_once(y.path[1], "", &n[1]));
	failed = y.s.control->sink[1].failed;
	cr_assert_gt(failed, 0);
	cr_assert_leq(failed, 5 * 4, "more than one batch");
	cr_assert_eq(n[0], all);
	cr_assert_eq(n[1] + failed, all);
	cr_assert_eq(y.s.control->sink[0].sent, all);
	cr_assert_eq(y.s.control->sink[1].sent + failed, all);
	check_table(&y, "poisoned");
	finish(&y);
}

Test(poison, workers_that_others_kill_lose_nothing_however_often, .timeout = 60)
{
	static struct story y;

	begin(&y);
	for (int i = 0; i < 3 * POISON_DEATHS; i++)
		cr_assert_eq(run_worker(&y, KILLED_IN_BATCH), SIGKILL);
	cr_assert_not(poison_is_crash(SIGKILL));
	cr_assert_eq(run_worker(&y, HEALTHY), 0);
	check(&y, "killed");
	finish(&y);
}

Test(poison, deaths_at_different_things_do_not_add_up)
{
	struct control *c = control_create();
	uint32_t slot;
	uint64_t generation;

	for (unsigned i = 0; i < 3 * POISON_DEATHS; i++) {
		c->journal.making = 1 + i % 2;
		c->journal.making_generation = i / 2 * 64;
		poison_note_death(c);
		cr_assert_not(poison_in_slot(c, &slot, &generation));
	}
	for (unsigned i = 0; i < POISON_DEATHS; i++) {
		cr_assert_not(poison_in_slot(c, &slot, &generation));
		c->journal.making = 9;
		poison_note_death(c);
	}
	cr_assert(poison_in_slot(c, &slot, &generation));
	cr_assert_eq(slot, 8);
	munmap(c, sizeof(*c));
}

Test(poison, a_worker_killed_within_a_batch_for_a_new_config_has_nothing_sent_twice, .timeout = 60)
{
	static struct story y;

	begin(&y);
	cr_assert_eq(run_worker(&y, KILLED_IN_BATCH), SIGKILL);
	outputs_close(&y.s); /* as configure_next() does it */
	cr_assert_eq(outputs_open(&y.s), 2);
	cr_assert_eq(run_worker(&y, HEALTHY), 0);
	check(&y, "reloaded");
	finish(&y);
}
