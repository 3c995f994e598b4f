/* SPDX-License-Identifier: Apache-2.0 */
/* Workers killed between any two things they write, and what became of the spans. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#ifdef __x86_64__ /* its trap flag */
#include <fcntl.h>
#include <signal.h>
#include <ucontext.h>

#include "exporters/session/worker.c" /* its steps one by one */
#include "exporters/transport/queue.h"
#include "tests/unit/worker_story.h"

enum { KILLS_IN_A_ROW = 3 };

#ifdef __SANITIZE_ADDRESS__
enum { POINTS = 40 };
#else
enum { POINTS = 80 };
#endif

/* --- a worker that is killed before a certain write --- */

/*
 * What outlives a worker is read-only for it: each write faults, is let through alone (the trap flag stops
 * after one instruction) and counted. So it can be killed between any two states that a successor could find.
 */
#define TRAP_FLAG 0x100

static struct watch {
	struct {
		char *p;
		size_t n;
	} range[4];
	char *open[2]; /* pages that are writable for one instruction */
	unsigned long writes, limit;
} watch;

static void add_range(unsigned at, void *p, size_t n)
{
	watch.range[at].p = p;
	watch.range[at].n = (n + 4095) & ~(size_t)4095;
	mprotect(p, watch.range[at].n, PROT_READ);
}

static bool is_watched(const char *p)
{
	for (unsigned i = 0; i < 4; i++)
		if (p >= watch.range[i].p && p < watch.range[i].p + watch.range[i].n)
			return true;
	return false;
}

static void after_write(int number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)number, (void)info;
	for (unsigned i = 0; i < 2; i++)
		if (watch.open[i])
			mprotect(watch.open[i], 4096, PROT_READ);
	watch.open[0] = watch.open[1] = NULL;
	u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

/* `rep movs` and `rep stos` would trap at each byte: done here, as far as the page goes. */
static bool do_repeated(greg_t *r, const char *end)
{
	const uint8_t *code = (const uint8_t *)r[REG_RIP];
	size_t length = code[1] == 0x48 ? 3 : 2, size, n;
	uint8_t op = code[length - 1];

	if (code[0] != 0xf3 || (op != 0xa4 && op != 0xa5 && op != 0xaa && op != 0xab))
		return false;
	size = !(op & 1) ? 1 : length == 3 ? 8 : 4;
	n = (size_t)(end - (char *)r[REG_RDI]) / size;
	n = n < (size_t)r[REG_RCX] ? n : (size_t)r[REG_RCX];
	if (op < 0xa8)
		memmove((char *)r[REG_RDI], (char *)r[REG_RSI], n * size);
	for (size_t i = 0; op >= 0xa8 && i < n; i++)
		memcpy((char *)r[REG_RDI] + i * size, &r[REG_RAX], size);
	r[REG_RDI] += (greg_t)(n * size);
	r[REG_RSI] += op < 0xa8 ? (greg_t)(n * size) : 0;
	r[REG_RCX] -= (greg_t)n;
	if (r[REG_RCX] == 0)
		r[REG_RIP] += (greg_t)length;
	return n > 0;
}

static void before_write(int number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	char *page = (char *)((uintptr_t)info->si_addr & ~(uintptr_t)4095);

	(void)number;
	if (!is_watched(page))
		_exit(9);
	if (!watch.open[0] && watch.writes++ == watch.limit)
		kill(getpid(), SIGKILL);
	watch.open[watch.open[0] ? 1 : 0] = page;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	if (do_repeated(u->uc_mcontext.gregs, page + 4096)) {
		after_write(0, NULL, u);
		return;
	}
	u->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void watch_writes(struct story *y, unsigned long limit)
{
	struct sigaction fault = { .sa_sigaction = before_write, .sa_flags = SA_SIGINFO };
	struct sigaction trap = { .sa_sigaction = after_write, .sa_flags = SA_SIGINFO };
	struct session *s = &y->s;

	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGTRAP, &trap, NULL);
	watch = (struct watch){ .limit = limit };
	add_range(0, s->control, sizeof(*s->control));
	add_range(1, s->output[0].region, sizeof(struct queue_region)); /* its head, not the payloads */
	add_range(2, s->output[1].region, sizeof(struct queue_region));
	add_range(3, s->table.header, (size_t)((char *)s->table.slot - (char *)s->table.header));
}

/* All a worker does, without its waiting. */
static void work(struct story *y, uint16_t epoch, unsigned long limit, unsigned long *writes)
{
	static struct worker w;

	w.s = &y->s;
	if (take_init(&w.take, w.s, epoch) || loop_init(&w.loop, log_from_loop, NULL) ||
	    sinks_open(&w.sinks, w.s, &w.loop))
		_exit(2);
	watch_writes(y, limit);
	if (take_resume(&w.take))
		put(&w);
	bury_the_dead(&w, false);
	sinks_pump(&w.sinks, loop_now_ms());
	sinks_report(&w.sinks, w.s->control);
	*writes = watch.writes;
	_exit(sinks_idle(&w.sinks) ? 0 : 3);
}

/* It is killed before so many writes are done; or the number of all of them if it came to its end. */
static unsigned long run_worker(struct story *y, unsigned long limit)
{
	unsigned long *writes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
		      n;
	int status;
	pid_t pid = fork();

	y->epoch++;
	if (pid == 0)
		work(y, y->epoch, limit, writes);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	n = *writes;
	munmap(writes, 4096);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return 0;
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
	return n;
}

Test(worker, killed_before_any_write_loses_nothing_and_sends_nothing_twice, .timeout = 300)
{
	static struct story y;
	unsigned long all;
	char when[64];

	begin(&y);
	all = run_worker(&y, ~0ul);
	check(&y, "not killed");
	finish(&y);
	cr_assert_gt(all, 100);
	for (unsigned long i = 0; i < POINTS; i++) {
		unsigned long writes = all * i / POINTS + i * i * 7919 % (all / POINTS + 1);

		snprintf(when, sizeof(when), "killed after %lu of %lu writes", writes, all);
		begin(&y);
		run_worker(&y, writes);
		/* now and then its successors as well */
		for (unsigned k = 0; i % 4 == 0 && k < KILLS_IN_A_ROW; k++)
			run_worker(&y, all * (k + 1) / (KILLS_IN_A_ROW + 7));
		run_worker(&y, ~0ul);
		check(&y, when);
		finish(&y);
	}
}
#endif
