/* SPDX-License-Identifier: Apache-2.0 */
/* Workers killed between any two things they write, and what became of the spans. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#ifdef __x86_64__ /* its trap flag */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "exporters/session/ledger.h"
#include "exporters/session/outputs.h"
#include "exporters/session/policy_build.h"
#include "exporters/session/worker.c" /* its steps one by one */
#include "exporters/transport/queue.h"
#include "tests/lib/record.h"

enum { SLOTS = 128, DONE = 9, REQUESTS = DONE + 2, SPANS_EACH = 4, SPANS_MAX = 256, KILLS_IN_A_ROW = 3 };

#ifdef __SANITIZE_ADDRESS__
enum { POINTS = 40 };
#else
enum { POINTS = 80 };
#endif

static const uint8_t seed[32] = { 1 };

struct story {
	struct session s;
	struct config_exporter exporters[2];
	char config[64], path[2][64];
	uint16_t living, dead;
	uint16_t epoch;
};

static void write_file(char path[64], const char *text)
{
	int fd;

	strcpy(path, "/tmp/btrace-unit-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void load_config(struct story *y)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	char text[512];

	write_file(y->path[0], "");
	write_file(y->path[1], "");
	snprintf(text, sizeof(text),
		 "tracing:\n  exporter_type: file\n  sample_rate: 1.0\n  child_spans: true\n"
		 "  batch: {max_spans: 5}\n  file: {path: \"%s\"}\n",
		 y->path[0]);
	write_file(y->config, text);
	source.path = y->config;
	cr_assert_eq(config_load(&y->s.config, &source, &report), 0);
	config_report_release(&report);
	cr_assert_eq(y->s.config.n_exporters, 1);
	y->exporters[0] = y->exporters[1] = y->s.config.exporters[0];
	y->exporters[1].endpoint.path = y->path[1];
	y->s.config.exporters = y->exporters;
	y->s.config.n_exporters = 2;
}

static uint16_t add_process(struct table *t, uint32_t pid)
{
	uint16_t index = table_process_claim(t, pid);

	strcpy(t->process[index].executable, pid % 2 ? "odd" : "even");
	table_process_publish(t, index);
	return index;
}

static void add_request(struct table *t, uint16_t owner, unsigned number, bool done, enum span_end end)
{
	struct span_slot record = record_plain(SPAN_KIND_SERVER);
	uint64_t word;
	bool far;
	uint32_t slot = table_claim(t, number, owner, &word, &far);

	record.head.span_id[0] = (uint8_t)(number + 1);
	record.head.process = owner;
	record.head.end = (uint8_t)end;
	record.head.end_ns = done ? record.head.end_ns + number : 0;
	if (number % 3 == 0)
		record.head.flags |= SPAN_FLAG_UNDECIDED;
	t->slot[slot] = record;
	if (done)
		cr_assert(table_finish(t, slot, word));
	table_count(t, owner, number, LEDGER_REQUESTS, 1);
}

static void begin(struct story *y)
{
	size_t bytes = table_bytes(SLOTS);
	struct session *s = &y->s;

	memset(y, 0, sizeof(*y));
	load_config(y);
	s->table_size = bytes;
	cr_assert_eq(
		table_create(&s->table,
			     mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
			     bytes, SLOTS, seed),
		0);
	s->mapped = true;
	s->control = control_create();
	cr_assert_eq(outputs_open(s), 2);
	policy_build(&s->table, &s->config);
	y->living = add_process(&s->table, 1001);
	y->dead = add_process(&s->table, 1002);
	for (unsigned i = 0; i < DONE; i++)
		add_request(&s->table, i % 2 ? y->living : y->dead, i, true, SPAN_END_COMPLETE);
	add_request(&s->table, y->dead, DONE, false,
		    SPAN_END_COMPLETE); /* foretold: it was handing it over */
	add_request(&s->table, y->dead, DONE + 1, false, SPAN_END_OPEN);
	s->control->dead[y->dead / 64] |= UINT64_C(1) << (y->dead % 64);
}

static void finish(struct story *y)
{
	outputs_close(&y->s);
	session_unmap(&y->s);
	munmap(y->s.control, sizeof(struct control));
	config_release(&y->s.config);
	unlink(y->config);
	unlink(y->path[0]);
	unlink(y->path[1]);
}

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

/* The ids of all spans in a file; their number. */
static size_t read_ids(const char *path, char ids[SPANS_MAX][17])
{
	static const char key[] = "\"spanId\":\"";
	static char text[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n = 0;

	cr_assert(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	for (char *p = text; (p = strstr(p, key)) && n < SPANS_MAX; n++) {
		p += sizeof(key) - 1;
		snprintf(ids[n], 17, "%.16s", p);
	}
	return n;
}

static void check_file(const char *path, const char *when)
{
	char ids[SPANS_MAX][17];
	size_t n = read_ids(path, ids);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(ids[i], ids[k], "%s: span %zu of %zu came twice", when, i, n);
	for (unsigned r = 0; r < REQUESTS; r++) {
		char id[17];
		bool found = false;

		snprintf(id, sizeof(id), "%02x000000000000b7", r + 1);
		for (size_t i = 0; i < n; i++)
			found |= !strcmp(id, ids[i]);
		cr_assert(found, "%s: span %s of %zu is missing", when, id, n);
	}
}

static void check(struct story *y, const char *when)
{
	struct control *c = y->s.control;
	struct ledger_sums l;
	uint32_t census[4];
	uint64_t children;

	check_file(y->path[0], when);
	check_file(y->path[1], when);
	ledger_sum(&y->s, &l);
	children = control_account(c)->counts.children;
	cr_assert_eq(l.requests, REQUESTS, "%s: %lu requests", when, (unsigned long)l.requests);
	cr_assert_eq(l.unbalanced, 0, "%s: unbalanced by %ld", when, (long)l.unbalanced);
	cr_assert_eq(l.taken, REQUESTS, "%s: %lu taken", when, (unsigned long)l.taken);
	cr_assert_eq(l.aborted, 1, "%s: %lu aborted", when, (unsigned long)l.aborted);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(c->sink[i].sent, l.taken + children, "%s: exporter %u sent %lu of %lu", when, i,
			     (unsigned long)c->sink[i].sent, (unsigned long)(l.taken + children));
	table_census(&y->s.table, census);
	cr_assert_eq(census[SLOT_FREE], SLOTS, "%s: %u slots are not free", when, SLOTS - census[SLOT_FREE]);
	cr_assert_eq(y->s.table.process[y->dead].state, PROCESS_FREE, "%s", when);
	cr_assert_eq(y->s.table.process[y->living].state, PROCESS_LIVE, "%s", when);
	cr_assert_eq(c->dead[y->dead / 64], 0, "%s", when);
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
