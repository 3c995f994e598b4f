/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "exporters/session/confine.h"
#include "exporters/session/log.h"
#include "exporters/session/sinks.h"
#include "exporters/session/take.h"
#include "exporters/session/trim.h"
#include "exporters/transport/loop.h"

#define POLL_MIN_MS    1
#define POLL_MAX_MS    100  /* between two looks at the table while there is traffic */
#define LOOK_SPANS     256  /* smaller batches are not looked for one by one */
#define POLL_BUSY_MS   20   /* likewise while hosts cannot wake us */
#define QUIET_AFTER_MS 2000 /* without a span: sleep long, hosts wake us at half full */
#define QUIET_MS       1000
#define FINAL_MS       30000 /* at the end: how long a collector may take before the rest is counted as lost */
#define OWN_WATCHES    1     /* of the loop: the keeper's poke */
#define RETIRE_MS      4000  /* likewise when a worker with a new config waits to take over */

struct worker {
	struct session *s;
	struct transport_loop loop;
	struct sinks sinks;
	struct take take;
	uint64_t last_span_ms;   /* when one was last seen */
	uint64_t first_wait_ms;  /* since when spans wait for their batch to fill; 0: none */
	uint64_t final_until_ms; /* 0: not yet */
	uint64_t last_look_ms;
	uint32_t last_waiting, free; /* slots at the last look */
	uint32_t repair_countdown;
	bool silent;
	int null; /* /dev/null, open: later it cannot be */
};

static void log_from_loop(void *context, const char *line)
{
	(void)context;
	log_line("%s", line);
}

static void drain_poke(void *context, short revents)
{
	struct session *s = context;
	uint64_t n;

	(void)revents;
	(void)!read(s->poke, &n, sizeof(n));
}

static enum control_command command_of(const struct worker *w)
{
	return (enum control_command)atomic_load_explicit(&w->s->control->command, memory_order_acquire);
}

static void say_state(struct worker *w, enum control_state state)
{
	atomic_store_explicit(&w->s->control->state, state, memory_order_release);
}

/* The keeper has given standard error back; whoever reads it to its end waits for our copy as well. */
static void follow_silence(struct worker *w)
{
	if (w->silent || !atomic_load_explicit(&w->s->control->silent, memory_order_acquire))
		return;
	w->silent = true;
	if (w->null < 0 || dup2(w->null, 2) < 0)
		close(2);
}

static void put(struct worker *w)
{
	struct batch batch = { w->take.spans, w->take.n };

	if (w->take.lost)
		sinks_fail(&w->sinks, w->take.lost, w->take.number);
	else
		sinks_put(&w->sinks, &batch, w->take.number);
	take_done(&w->take);
}

static void hand_over(struct worker *w)
{
	if (!take_seal(&w->take))
		return;
	put(w);
}

static void take_everything(struct worker *w)
{
	while (take_fill(&w->take) || w->take.cursor)
		hand_over(w);
	hand_over(w);
}

static void bury_the_dead(struct worker *w, bool everybody)
{
	if (!take_note_dead(&w->take, everybody))
		return;
	/* who dies between finishing a span and saying so leaves it without its hint */
	table_repair(&w->s->table);
	take_everything(w); /* finished spans first: they need their process's entry */
	while (take_dead(&w->take))
		hand_over(w);
	hand_over(w);
}

static bool somebody_died(const struct control *c)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < TABLE_PROCESSES / 64; i++)
		any |= atomic_load_explicit(&c->dead[i], memory_order_acquire);
	return any;
}

/* What waits now, but not what comes meanwhile: what is taken has to get out, too. */
static void take_waiting_spans(struct worker *w)
{
	do {
		take_fill(&w->take);
		hand_over(w);
		loop_wait(&w->loop, 0);
	} while (w->take.cursor);
}

/*
 * At the present rate neither a quarter of what is free must fill up while we sleep, nor more than a batch:
 * the fewer slots are in use in turn, the more of them are in the caches of the hosts' processors.
 */
static uint32_t until_next_look(struct worker *w, uint64_t now_ms, uint32_t fresh)
{
	uint64_t elapsed_ms = now_ms > w->last_look_ms ? now_ms - w->last_look_ms : 1;
	uint64_t batch = w->take.max_spans > LOOK_SPANS ? w->take.max_spans : LOOK_SPANS;
	uint64_t most = w->free / 4 < batch ? w->free / 4 : batch;
	uint64_t ms = fresh ? most * elapsed_ms / fresh : POLL_MAX_MS;

	w->last_look_ms = now_ms;
	return ms < POLL_MIN_MS ? POLL_MIN_MS : ms > POLL_MAX_MS ? POLL_MAX_MS : (uint32_t)ms;
}

/* Batches of batch_spans, or what has come within batch_delay. How long until the next look. */
static uint32_t look(struct worker *w, uint64_t now_ms)
{
	uint32_t waiting = take_waiting(&w->take);
	uint64_t delay_ms = w->s->config.batch_delay_ns / 1000000;
	uint32_t fresh = waiting > w->last_waiting ? waiting - w->last_waiting : 0;

	unix_time_read(&w->take.time); /* so that a suspend after this is known to be after it */
	if (waiting)
		w->last_span_ms = now_ms;
	if (waiting && !w->first_wait_ms)
		w->first_wait_ms = now_ms;
	if (somebody_died(w->s->control)) {
		bury_the_dead(w, false);
		waiting = 0;
	} else if (waiting >= w->take.max_spans || (waiting && now_ms - w->first_wait_ms >= delay_ms)) {
		take_waiting_spans(w);
		waiting = 0;
	}
	if (!waiting)
		w->first_wait_ms = 0;
	w->last_waiting = waiting;
	w->free = take_free(&w->take);
	return until_next_look(w, now_ms, fresh);
}

/*
 * Only the table and the keeper can have news: sleep on the futex, which hosts wake when the table is half
 * full. Not when requests in flight hold half of it: then each claim would wake us, and cost its host a
 * system call, for nothing.
 */
static void sleep_on_table(struct worker *w, uint32_t ms)
{
	_Atomic uint32_t *word = &w->s->table.header->sleeping;
	uint32_t wakeable = w->free > w->s->table.slots / 2;
	struct timespec timeout = { ms / 1000, ms % 1000 * 1000000 };

	if (!wakeable && ms > POLL_BUSY_MS)
		timeout = (struct timespec){ 0, POLL_BUSY_MS * 1000000 };
	atomic_store_explicit(word, wakeable, memory_order_seq_cst);
	/* what came between our look and the store would not wake us */
	if (take_waiting(&w->take) <= w->last_waiting && command_of(w) == CONTROL_RUN &&
	    !somebody_died(w->s->control))
		syscall(SYS_futex, word, FUTEX_WAIT, wakeable, &timeout, NULL, 0);
	atomic_store_explicit(word, 0, memory_order_relaxed);
}

static void run_once(struct worker *w)
{
	uint64_t now_ms = loop_now_ms();
	uint32_t next_ms = look(w, now_ms);
	bool idle;

	sinks_pump(&w->sinks, now_ms);
	sinks_report(&w->sinks, w->s->control);
	idle = sinks_idle(&w->sinks) && !w->first_wait_ms && now_ms - w->last_span_ms > QUIET_AFTER_MS;
	if (idle && ++w->repair_countdown % 16 == 0)
		table_repair(&w->s->table);
	if (loop_is_quiet(&w->loop, OWN_WATCHES)) {
		sleep_on_table(w, (uint32_t)loop_until_timer(&w->loop, idle ? QUIET_MS : (int)next_ms));
		next_ms = 0;
	}
	loop_wait(&w->loop, next_ms < POLL_BUSY_MS ? (int)next_ms : POLL_BUSY_MS);
}

static void unmapped_once(struct worker *w)
{
	sinks_pump(&w->sinks, loop_now_ms());
	sinks_report(&w->sinks, w->s->control);
	loop_wait(&w->loop, 20);
}

/* True when all is sent or given up. */
static bool final_once(struct worker *w)
{
	uint64_t now_ms = loop_now_ms();

	if (!w->final_until_ms) {
		if (w->s->mapped && command_of(w) == CONTROL_FINAL)
			bury_the_dead(w, true);
		w->final_until_ms = now_ms + (command_of(w) == CONTROL_RETIRE ? RETIRE_MS : FINAL_MS);
		sinks_stop(&w->sinks, w->final_until_ms);
		say_state(w, CONTROL_SENDING);
	}
	sinks_pump(&w->sinks, now_ms);
	sinks_report(&w->sinks, w->s->control);
	if (sinks_idle(&w->sinks))
		return true;
	loop_wait(&w->loop, 50);
	return false;
}

static int worker_open(struct worker *w, uint16_t epoch)
{
	struct session *s = w->s;
	int error = take_init(&w->take, s, epoch);

	if (!error)
		error = loop_init(&w->loop, log_from_loop, NULL);
	if (!error)
		error = loop_add_fd(&w->loop, s->poke, drain_poke, s);
	if (!error)
		error = sinks_open(&w->sinks, s, &w->loop);
	if (!error)
		error = confine_privileges();
	if (error)
		return error;
	w->last_span_ms = loop_now_ms();
	return 0;
}

int worker_run(struct session *s, uint16_t epoch, pid_t keeper)
{
	static struct worker w; /* large; one per process */
	int error;

	w.s = s;
	error = worker_open(&w, epoch);
	if (error) {
		log_line("the exporter's worker cannot start: %s", strerrordesc_np(-error));
		return 1;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of uid, which clears it */
	if (getppid() != keeper)
		return 1;
	trim_start();
	w.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	error = confine_calls();
	if (error && error != -EINVAL) /* -EINVAL: a kernel without */
		log_line("the exporter's worker is not confined: %s", strerrordesc_np(-error));
	if (s->mapped && take_resume(&w.take))
		put(&w);
	say_state(&w, CONTROL_RUNNING);
	for (;;) {
		enum control_command command = command_of(&w);

		follow_silence(&w);
		atomic_fetch_add_explicit(&s->control->beat, 1, memory_order_relaxed);
		if (command == CONTROL_RUN && !s->mapped && session_map(s) < 0)
			return 1;
		if (command == CONTROL_FINAL && !s->mapped)
			session_map_final(s); /* without it there is still what is queued */
		if (command == CONTROL_UNMAP) {
			session_unmap(s);
			say_state(&w, CONTROL_UNMAPPED);
			unmapped_once(&w);
		} else if (command == CONTROL_RUN) {
			say_state(&w, CONTROL_RUNNING);
			run_once(&w);
		} else if (final_once(&w)) {
			break;
		}
	}
	sinks_close(&w.sinks);
	say_state(&w, CONTROL_DONE);
	return 0;
}
