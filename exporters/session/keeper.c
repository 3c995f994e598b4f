/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exporters/session/configure.h"
#include "exporters/session/join.h"
#include "exporters/session/ledger.h"
#include "exporters/session/log.h"
#include "exporters/session/orphans.h"
#include "exporters/session/outputs.h"
#include "exporters/session/poison.h"
#include "exporters/session/processes.h"
#include "exporters/session/stderr.h"
#include "exporters/session/trim.h"
#include "exporters/session/worker.h"
#include "exporters/transport/loop.h"

#define TICK_IDLE_MS    1000
#define TICK_LATER_MS   200 /* while nobody takes part yet */
#define TICK_BUSY_MS    100 /* for BUSY_MS after something changed */
#define BUSY_MS         2000
#define ANSWER_MS       3000 /* a worker that does not let go of the table in this time is replaced */
#define END_TRY_MAX_MS  4000 /* longest pause between two looks whether anybody still has the table */
#define RETIRE_MS       5000 /* for a worker to send what it has queued when the config has changed */
#define MAP_TRIES       50
#define STUCK_MS        60000 /* a worker that does nothing for so long is replaced */
#define STUCK_END_MS    15000 /* the same at the end, when nobody but it is waited for */
#define WORKER_PAUSE_MS 1000  /* before a worker that died at once is started again */

struct keeper {
	struct session *s;
	struct processes processes;
	struct stderr_watch standard_error;
	pid_t worker;
	uint64_t worker_started_ms, worker_not_before_ms;
	uint64_t busy_until_ms, retire_until_ms;
	uint64_t next_end_try_ms;
	struct orphans orphans;
	uint64_t beat_ms; /* when the worker was last seen to do something */
	uint32_t beat;
	uint32_t end_try_pause_ms;
	bool listening;
	bool over; /* before it has begun: nobody has the table any more */
};

static void poke_worker(struct keeper *k)
{
	uint64_t one = 1;

	(void)!write(k->s->poke, &one, sizeof(one)); /* if it waits for the network */
	if (k->s->mapped) {                          /* if it sleeps on the table's futex */
		atomic_store_explicit(&k->s->table.header->sleeping, 0, memory_order_release);
		syscall(SYS_futex, &k->s->table.header->sleeping, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static void command(struct keeper *k, enum control_command c)
{
	atomic_store_explicit(&k->s->control->command, c, memory_order_release);
	poke_worker(k);
}

static void start_worker(struct keeper *k, uint64_t now_ms)
{
	struct control *c = k->s->control;
	uint16_t epoch = (uint16_t)(atomic_fetch_add(&c->epoch, 1) + 1);
	pid_t parent = getpid(), pid;

	if (now_ms < k->worker_not_before_ms)
		return;
	atomic_store_explicit(&c->state, CONTROL_STARTING, memory_order_release);
	pid = fork();
	if (pid == 0) {
		if (k->listening)
			close(SESSION_FD_SOCKET);
		_exit(worker_run(k->s, epoch, parent));
	}
	k->worker = pid > 0 ? pid : 0;
	k->worker_started_ms = now_ms;
	k->worker_not_before_ms = now_ms + WORKER_PAUSE_MS;
}

/* True once it has ended. */
static bool reap_worker(struct keeper *k)
{
	int status = 0;

	if (!k->worker)
		return true;
	if (waitpid(k->worker, &status, WNOHANG) != k->worker)
		return false;
	k->worker = 0;
	if (WIFSIGNALED(status) && poison_is_crash(WTERMSIG(status)))
		poison_note_death(k->s->control);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		log_line("the exporter's worker ended (%s %d); another one takes over",
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return true;
}

static void kill_worker(struct keeper *k)
{
	if (!k->worker)
		return;
	kill(k->worker, SIGKILL);
	waitpid(k->worker, NULL, 0);
	k->worker = 0;
}

/* Stopped, or waiting for what never comes; nothing is lost with it (journal.h). */
static void replace_stuck(struct keeper *k, uint64_t now_ms, uint32_t patience_ms)
{
	uint32_t beat = atomic_load_explicit(&k->s->control->beat, memory_order_relaxed);

	if (beat != k->beat || now_ms < k->worker_started_ms + patience_ms) {
		k->beat = beat;
		k->beat_ms = now_ms;
	} else if (k->worker && now_ms - k->beat_ms >= patience_ms) {
		log_line("the exporter's worker is stuck; another one takes over");
		kill_worker(k);
		poison_note_death(k->s->control);
	}
}

static void pause_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* Waits for the worker to let go of the table; one that does not answer is ended, and its mapping with it. */
static void wait_unmapped(struct keeper *k)
{
	uint64_t until = loop_now_ms() + ANSWER_MS;

	while (!reap_worker(k) &&
	       atomic_load_explicit(&k->s->control->state, memory_order_acquire) != CONTROL_UNMAPPED) {
		if (loop_now_ms() > until)
			kill_worker(k);
		/* It may be waiting for us: to rotate a file. */
		outputs_serve(k->s);
		pause_ms(1);
	}
}

static bool map_again(struct session *s)
{
	int error = 0;

	for (int i = 0; i < MAP_TRIES; i++) {
		error = session_map(s);
		if (!error)
			return true;
		pause_ms(100);
	}
	log_line("cannot map the span table again, this session ends: %s", strerror(-error));
	return false;
}

/*
 * Is it over? Liveness is the mapping: with our own views gone, F_SEAL_WRITE
 * can be set only if nobody maps the table for writing any more. A process that
 * has the descriptor but has not mapped it yet finds the mapping refused and
 * starts a session of its own.
 */
static bool try_to_end(struct keeper *k)
{
	struct session *s = k->s;
	bool ended;

	command(k, CONTROL_UNMAP);
	wait_unmapped(k);
	session_unmap(s);
	ended = fcntl(SESSION_FD_TABLE, F_ADD_SEALS, F_SEAL_WRITE) == 0;
	if (ended)
		return true;
	if (!map_again(s))
		return true;
	command(k, CONTROL_RUN);
	return false;
}

static void print_ledger(struct keeper *k)
{
	struct buf text;

	buf_init(&text);
	ledger_text(k->s, &text);
	log_text((struct slice){ text.p, text.n });
	buf_release(&text);
}

/* It begins with the table mapped. With no room for a copy which all share, a private one is its own. */
static void start_last_worker(struct keeper *k)
{
	if (k->s->final) {
		start_worker(k, loop_now_ms());
		return;
	}
	if (session_map_final(k->s) < 0)
		return;
	start_worker(k, loop_now_ms());
	session_unmap(k->s);
}

/* The worker empties the table and sends; standard error is given back in time in any case. */
static void finish(struct keeper *k)
{
	uint64_t grace = loop_now_ms() + STDERR_GRACE_MS;
	int error;

	if (k->listening)
		close(SESSION_FD_SOCKET);
	k->listening = false;
	error = k->s->mapped ? 0 : session_copy_final(k->s);
	if (error)
		log_line("what is left in the span table is lost: %s", strerror(-error));
	atomic_store_explicit(&k->s->control->command, CONTROL_FINAL, memory_order_release);
	k->worker_not_before_ms = 0;
	poke_worker(k);
	while (atomic_load_explicit(&k->s->control->state, memory_order_acquire) != CONTROL_DONE) {
		replace_stuck(k, loop_now_ms(), STUCK_END_MS);
		if (reap_worker(k) &&
		    atomic_load_explicit(&k->s->control->state, memory_order_acquire) != CONTROL_DONE)
			start_last_worker(k);
		if (k->standard_error.open && loop_now_ms() >= grace) {
			orphans_tell(&k->orphans, UINT64_MAX);
			print_ledger(k);
			stderr_close(&k->standard_error, k->s->control);
		}
		outputs_serve(k->s);
		pause_ms(5);
	}
	if (k->worker)
		waitpid(k->worker, NULL, 0);
	orphans_tell(&k->orphans, UINT64_MAX);
	if (k->s->config.on) /* else what was wrong has been said, and there is nothing to account for */
		print_ledger(k);
	ledger_write(k->s);
}

static void wait_for_news(struct keeper *k, int timeout_ms)
{
	struct pollfd fds[PROCESSES_WATCHED + 2];
	uint32_t n = 2;

	fds[0] = (struct pollfd){ k->listening ? SESSION_FD_SOCKET : -1, POLLIN, 0 };
	fds[1] = (struct pollfd){ k->s->channel[0], POLLIN, 0 };
	memcpy(fds + n, k->processes.watch, k->processes.n_watched * sizeof(*fds));
	n += k->processes.n_watched;
	if (poll(fds, n, timeout_ms) <= 0)
		return;
	if (fds[0].revents)
		join_serve(SESSION_FD_SOCKET);
	if (fds[1].revents)
		outputs_serve(k->s);
}

static bool any_dead(const struct control *c)
{
	for (unsigned i = 0; i < TABLE_PROCESSES / 64; i++)
		if (atomic_load_explicit(&c->dead[i], memory_order_acquire))
			return true;
	return false;
}

/* A changed config: the worker sends what it has queued and leaves, the next one gets the new exporters. */
static void reload(struct keeper *k, uint64_t now_ms)
{
	if (configure_watch(k->s)) {
		k->retire_until_ms = now_ms + RETIRE_MS;
		command(k, CONTROL_RETIRE);
	}
	if (!k->s->next_waits)
		return;
	k->busy_until_ms = now_ms + BUSY_MS;
	if (!reap_worker(k) && now_ms < k->retire_until_ms)
		return;
	kill_worker(k);
	configure_next(k->s);
	atomic_store_explicit(&k->s->control->command, CONTROL_RUN, memory_order_release);
	k->worker_not_before_ms = 0;
	start_worker(k, now_ms);
}

/* True, as with tick(): the session is over. */
static bool nobody_is_left(struct keeper *k, uint64_t now_ms)
{
	if (k->processes.live || now_ms < k->next_end_try_ms)
		return false;
	if (try_to_end(k))
		return true;
	/* Held by one who takes no part, a daemon's master for instance: look again, ever more seldom. */
	k->end_try_pause_ms = k->end_try_pause_ms ? k->end_try_pause_ms * 2 : 50;
	if (k->end_try_pause_ms > END_TRY_MAX_MS)
		k->end_try_pause_ms = END_TRY_MAX_MS;
	k->next_end_try_ms = now_ms + k->end_try_pause_ms;
	return false;
}

static bool tick(struct keeper *k)
{
	uint64_t now_ms = loop_now_ms();

	processes_scan(&k->processes, k->s);
	if (k->processes.changes) {
		k->busy_until_ms = now_ms + BUSY_MS;
		k->end_try_pause_ms = 0;
		k->next_end_try_ms = 0;
	}
	if (any_dead(k->s->control))
		poke_worker(k);
	replace_stuck(k, now_ms, STUCK_MS);
	/* if nobody has our standard error any more it will soon be given back: then now */
	orphans_tell(&k->orphans, k->standard_error.unused_since_ms ? UINT64_MAX : now_ms);
	if (reap_worker(k) && !k->s->next_waits)
		start_worker(k, now_ms);
	reload(k, now_ms);
	stderr_check(&k->standard_error, &k->processes, k->s, now_ms);
	return !k->s->next_waits && nobody_is_left(k, now_ms);
}

/* Between our last look and the end, both of which we have seen? Then it is left as finish() wants it. */
static bool somebody_was_there(struct keeper *k)
{
	struct session *s = k->s;

	if (session_copy_final(s) < 0 || (!s->mapped && session_map_final(s) < 0))
		return false;
	processes_scan(&k->processes, s);
	return k->processes.changes;
}

/*
 * Started for a process that may never serve (activate_later()): nothing is opened and nothing said before
 * one takes part, so that a launcher of another user's server leaves no trace file. False: nobody ever did.
 */
static bool somebody_comes(struct keeper *k)
{
	do {
		wait_for_news(k, TICK_LATER_MS);
		processes_scan(&k->processes, k->s);
		if (k->processes.changes)
			return true;
		stderr_check(&k->standard_error, &k->processes, k->s, loop_now_ms());
	} while (!(k->over = nobody_is_left(k, loop_now_ms())));
	return somebody_was_there(k);
}

int keeper_run(struct session *s)
{
	static struct keeper k; /* large; one per process */

	k.s = s;
	k.listening = s->named;
	if (k.listening)
		fcntl(SESSION_FD_SOCKET, F_SETFL, fcntl(SESSION_FD_SOCKET, F_GETFL) | O_NONBLOCK);
	stderr_init(&k.standard_error);
	if (s->later && !somebody_comes(&k))
		return 0;
	configure(s);
	k.busy_until_ms = loop_now_ms() + BUSY_MS;
	if (!k.over)
		start_worker(&k, loop_now_ms());
	orphans_find(&k.orphans, loop_now_ms());
	trim_start();
	while (!k.over && !tick(&k)) {
		uint64_t now_ms = loop_now_ms();
		int timeout = now_ms < k.busy_until_ms ? TICK_BUSY_MS : TICK_IDLE_MS;

		if (!k.processes.live && k.next_end_try_ms > now_ms &&
		    k.next_end_try_ms - now_ms < (uint64_t)timeout)
			timeout = (int)(k.next_end_try_ms - now_ms);
		wait_for_news(&k, timeout);
	}
	finish(&k);
	return 0;
}
