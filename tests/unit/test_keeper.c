/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's waiting for its worker, with workers made for it. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "exporters/session/keeper.c" /* its steps one by one */

struct stage {
	struct session s;
	struct keeper k;
	struct config_exporter exporter;
	char path[64], old[80];
};

static void begin(struct stage *g)
{
	struct session *s = &g->s;
	int fd;

	memset(g, 0, sizeof(*g));
	strcpy(g->path, "/tmp/btrace-unit-XXXXXX");
	fd = mkstemp(g->path);
	cr_assert_eq(write(fd, "line\n", 5), 5);
	close(fd);
	snprintf(g->old, sizeof(g->old), "%s.1", g->path);
	g->exporter = (struct config_exporter){ .name = "file",
						.format = "otlp-json",
						.transport = "file",
						.what = "file",
						.endpoint.path = g->path };
	s->control = control_create();
	s->config.exporters = &g->exporter;
	s->config.n_exporters = 1;
	s->poke = eventfd(0, EFD_NONBLOCK);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s->channel), 0);
	cr_assert_eq(outputs_open(s), 1);
	g->k.s = s;
}

static void end(struct stage *g)
{
	unlink(g->path);
	unlink(g->old);
}

/* As the file transport does it, in the middle of a batch: rotates twice, then lets go of the table. */
static void rotating_worker(struct session *s)
{
	for (int i = 0; i < 2; i++)
		if (outputs_rotate(&s->output[0], "") < 0)
			_exit(1);
	atomic_store(&s->control->state, CONTROL_UNMAPPED);
	pause();
	_exit(0);
}

Test(keeper, serves_a_worker_that_waits_for_it_while_it_waits_for_the_worker, .timeout = 60)
{
	static struct stage g;
	struct stat st;

	begin(&g);
	g.k.worker = fork();
	if (g.k.worker == 0)
		rotating_worker(&g.s);
	wait_unmapped(&g.k);
	cr_assert_neq(g.k.worker, 0, "the worker was ended: it waited for the keeper, the keeper for it");
	cr_assert_eq(stat(g.old, &st), 0, "rotated");
	kill_worker(&g.k);
	end(&g);
}

Test(keeper, an_answer_that_nobody_waits_for_is_not_taken_for_the_next_one, .timeout = 60)
{
	static struct stage g;
	struct stat now, got;
	int fd, status;
	pid_t pid;

	begin(&g);
	/* a worker asked and was killed before the answer came */
	cr_assert_eq(send(g.s.channel[1], &(uint32_t[2]){ 0, 77 }, 8, 0), 8);
	outputs_serve(&g.s);
	pid = fork();
	if (pid == 0) { /* the keeper, while we are the next worker */
		struct pollfd question = { g.s.channel[0], POLLIN, 0 };

		poll(&question, 1, 30000);
		outputs_serve(&g.s);
		_exit(0);
	}
	fd = outputs_rotate(&g.s.output[0], "");
	cr_assert_geq(fd, 0, "%d", fd);
	cr_assert_eq(fstat(fd, &got), 0);
	cr_assert_eq(stat(g.path, &now), 0);
	cr_assert_eq(got.st_ino, now.st_ino, "an older file");
	waitpid(pid, &status, 0);
	end(&g);
}

Test(keeper, replaces_a_worker_that_is_stuck_and_no_other, .timeout = 60)
{
	static struct stage g;

	begin(&g);
	g.k.worker = fork();
	if (g.k.worker == 0)
		for (;;)
			pause();
	g.k.worker_started_ms = 99500;
	replace_stuck(&g.k, 100000, 1000);
	g.s.control->beat++;
	replace_stuck(&g.k, 101000, 1000);
	cr_assert_neq(g.k.worker, 0, "it did something meanwhile");
	replace_stuck(&g.k, 101999, 1000);
	cr_assert_neq(g.k.worker, 0, "not yet");
	g.s.control->journal.making = 1;
	replace_stuck(&g.k, 102000, 1000);
	cr_assert_eq(g.k.worker, 0);
	cr_assert_eq(g.s.control->suspect.deaths, 1, "what it was stuck in");
	end(&g);
}

Test(keeper, notes_what_a_crashed_worker_had_in_hand_but_not_what_a_killed_one_had, .timeout = 60)
{
	static const int deadly[] = { SIGSEGV, SIGKILL, SIGTERM, SIGABRT };
	static struct stage g;

	begin(&g);
	g.s.control->journal.making = 1;
	for (unsigned i = 0; i < 4; i++) {
		fflush(NULL);
		g.k.worker = fork();
		if (g.k.worker == 0) {
			signal(deadly[i], SIG_DFL);
			raise(deadly[i]);
		}
		while (!reap_worker(&g.k))
			pause_ms(1);
		cr_assert_eq(g.s.control->suspect.deaths, i < 3 ? 1u : 2u, "after signal %d", deadly[i]);
	}
	end(&g);
}

Test(keeper, an_entry_whose_process_died_before_it_was_published_is_freed)
{
	static struct processes p;
	static struct session s;
	static const uint8_t seed[32] = { 1 };
	size_t bytes = table_bytes(64);
	uint16_t living, dead;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	cr_assert_eq(
		table_create(&s.table,
			     mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			     bytes, 64, seed),
		0);
	s.control = control_create();
	living = table_process_claim(&s.table, (uint32_t)getpid());
	dead = table_process_claim(&s.table, (uint32_t)pid);
	processes_scan(&p, &s);
	cr_assert_eq(s.control->dead[dead / 64] >> (dead % 64) & 1, 1);
	cr_assert_eq(s.control->dead[living / 64] >> (living % 64) & 1, 0);
}

/* Of an exporter that nobody has taken part in: a process comes and goes just when the keeper gives up. */
static int end_with_nobody(bool comes)
{
	static struct stage g;
	static const uint8_t seed[32] = { 1 };
	uint32_t slots = TABLE_SLOTS_DEFAULT;
	struct table table;
	uint16_t index;
	int fd = memfd_create("btrace", MFD_ALLOW_SEALING);

	begin(&g);
	dup2(fd, SESSION_FD_TABLE);
	g.s.table_size = table_bytes(slots);
	if (ftruncate(SESSION_FD_TABLE, (off_t)g.s.table_size) ||
	    fcntl(SESSION_FD_TABLE, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	table_create(&table,
		     mmap(NULL, g.s.table_size, PROT_READ | PROT_WRITE, MAP_SHARED, SESSION_FD_TABLE, 0),
		     g.s.table_size, slots, seed);
	session_reserve_final(&g.s);
	if (session_map(&g.s))
		return -2;
	processes_scan(&g.k.processes, &g.s);
	if (comes) {
		index = table_process_claim(&table, 0x7ffffff0); /* no such process: it has gone */
		table_process_publish(&table, index);
	}
	munmap(table.header, g.s.table_size);
	if (!nobody_is_left(&g.k, loop_now_ms()))
		return -3;
	end(&g);
	return somebody_was_there(&g.k);
}

Test(keeper, that_waits_for_the_first_process_does_not_miss_one_that_comes_and_goes_at_the_end, .timeout = 60)
{
	for (int comes = 0; comes <= 1; comes++) {
		int status = -1;
		pid_t pid = fork(); /* descriptor 3 is not ours here */

		if (pid == 0)
			_exit(end_with_nobody(comes) & 0xff);
		waitpid(pid, &status, 0);
		cr_assert(WIFEXITED(status), "%x", status);
		cr_expect_eq(WEXITSTATUS(status), comes, "%d", WEXITSTATUS(status));
	}
}
