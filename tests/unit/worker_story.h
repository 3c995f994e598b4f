/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_WORKER_STORY_H
#define BTRACE_WORKER_STORY_H

/* A table with a few requests of a living and a dead process, two trace files, and what must be true when a
 * worker, or many of them one after the other, has come to its end. Included once, behind worker.c. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "exporters/session/ledger.h"
#include "exporters/session/outputs.h"
#include "exporters/session/policy_build.h"
#include "tests/lib/record.h"

enum { SLOTS = 128, DONE = 9, REQUESTS = DONE + 2, SPANS_MAX = 256 };

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
	struct table_place place = table_place(t, number);
	uint32_t slot = table_claim(t, &place, owner, &word);

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

/* No span came twice. Which requests came, a bit each; *n: all spans, children too. */
static unsigned check_once(const char *path, const char *when, size_t *n)
{
	char ids[SPANS_MAX][17], id[17];
	unsigned found = 0;

	*n = read_ids(path, ids);
	for (size_t i = 0; i < *n; i++)
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(ids[i], ids[k], "%s: span %zu of %zu came twice", when, i, *n);
	for (unsigned r = 0; r < REQUESTS; r++) {
		snprintf(id, sizeof(id), "%02x000000000000b7", r + 1);
		for (size_t i = 0; i < *n; i++)
			if (!strcmp(id, ids[i]))
				found |= 1u << r;
	}
	return found;
}

/* No slot and no registry entry has been left behind. */
static void check_table(struct story *y, const char *when)
{
	uint32_t census[4];

	table_census(&y->s.table, census);
	cr_assert_eq(census[SLOT_FREE], SLOTS, "%s: %u slots are not free", when, SLOTS - census[SLOT_FREE]);
	cr_assert_eq(y->s.table.process[y->dead].state, PROCESS_FREE, "%s", when);
	cr_assert_eq(y->s.table.process[y->living].state, PROCESS_LIVE, "%s", when);
	cr_assert_eq(y->s.control->dead[y->dead / 64], 0, "%s", when);
}

static void check(struct story *y, const char *when)
{
	struct control *c = y->s.control;
	struct ledger_sums l;
	uint64_t children;
	size_t n;

	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(check_once(y->path[i], when, &n), (1u << REQUESTS) - 1, "%s: a span is missing",
			     when);
	ledger_sum(&y->s, &l);
	children = control_account(c)->counts.children;
	cr_assert_eq(l.requests, REQUESTS, "%s: %lu requests", when, (unsigned long)l.requests);
	cr_assert_eq(l.unbalanced, 0, "%s: unbalanced by %ld", when, (long)l.unbalanced);
	cr_assert_eq(l.taken, REQUESTS, "%s: %lu taken", when, (unsigned long)l.taken);
	cr_assert_eq(l.aborted, 1, "%s: %lu aborted", when, (unsigned long)l.aborted);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(c->sink[i].sent, l.taken + children, "%s: exporter %u sent %lu of %lu", when, i,
			     (unsigned long)c->sink[i].sent, (unsigned long)(l.taken + children));
	check_table(y, when);
}

#endif
