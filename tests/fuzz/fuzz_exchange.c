/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole connection: two directions interleaved, unseen bytes, failures, ends. Whatever
 * comes: each request is accounted for once, no slot stays open, and the spans are the same
 * if each call is cut into calls of one byte (unless it was resynchronised: that looks at
 * where calls begin).
 * Input, again and again: what (see step()), a length, so many bytes.
 * FUZZ_SOURCES: shim/?*.c shim/abi/?*.c shim/http/?*.c
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/exchange.h"
#include "tests/lib/traced.h"

#define SLOTS 1024u
#define SPANS 512u

struct told {
	uint64_t request_body, response_body;
	uint32_t request_head, response_head;
	uint16_t status;
	uint8_t method, end;
	uint32_t flags, strings;  /* a sum of them */
	uint8_t version, zero[7]; /* compared byte by byte */
};

struct run {
	struct told span[SPANS];
	unsigned n;
	uint64_t counter[LEDGER_MAX];
};

static struct conn *c;

static void set_up(void)
{
	struct policy *policy = traced_begin(SLOTS);

	policy->flags = POLICY_FLAG_FULL_TIMING;
}

static void in(const char *p, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	if (!conn_enter(c, atomic_load(&c->generation), CONN_IN_BUSY))
		return;
	if (p)
		exchange_input(c, &iov, 1, n);
	else
		exchange_input_unseen(c, n);
	exchange_leave_input(c);
}

/* taken: of n bytes the kernel took so many. */
static void out(const char *p, size_t n, size_t taken)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	if (!conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY))
		return;
	exchange_output_predict(c, p ? &iov : NULL, 1, n);
	if (!taken)
		exchange_output_unpredict(c);
	else if (p)
		exchange_output(c, &iov, 1, taken);
	else
		exchange_output_unseen(c, taken);
	conn_leave(c, CONN_OUT_BUSY);
}

static void ended(unsigned what)
{
	static const int errors[] = { 0, ECONNRESET, ETIMEDOUT, EPIPE };
	unsigned side = what & 1 ? CONN_IN_BUSY : CONN_OUT_BUSY;

	if (!conn_enter(c, atomic_load(&c->generation), side))
		return;
	if (side == CONN_IN_BUSY) {
		exchange_input_ended(c, errors[what >> 1 & 3]);
		exchange_leave_input(c);
		return;
	}
	if (what >> 1 & 3)
		exchange_output_failed(c, errors[what >> 1 & 3]);
	else
		exchange_output_ended(c);
	conn_leave(c, side);
}

/* In a buffer of its own, so that the sanitizer sees a read beyond it. */
static void feed(bool inward, const uint8_t *p, size_t n, bool bytes)
{
	size_t piece = bytes ? 1 : n;

	for (size_t at = 0; at < n; at += piece) {
		char *copy = malloc(piece);

		memcpy(copy, p + at, piece);
		if (inward)
			in(copy, piece);
		else
			out(copy, piece, piece);
		free(copy);
	}
}

static void step(unsigned what, const uint8_t *p, size_t n, bool bytes)
{
	switch (what % 8) {
	case 0:
	case 1:
	case 2: feed(true, p, n, bytes); break;
	case 3:
	case 4:
	case 5: feed(false, p, n, bytes); break;
	case 6:
		if (what & 64)
			in(NULL, what >> 3);
		else
			out(NULL, 1 + (what >> 3), 1 + (what >> 3));
		break;
	default:
		if (what & 64)
			ended(what >> 3);
		else
			out("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38, 0); /* EAGAIN */
	}
}

/* Of much white space the parser keeps less if it comes in pieces (piece() in http1_fields.c). */
static bool much_blank;

static bool has_much_blank(const uint8_t *p, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < n && run < 40; i++)
		run = p[i] == ' ' || p[i] == '\t' || p[i] == '\r' ? run + 1 : 0;
	return run == 40;
}

/* Of the strings; where one is cut depends on how it came. */
static uint32_t sum_of(const struct span_slot *copy)
{
	uint32_t sum = 0;
	enum span_tag tag;
	const uint8_t *p;
	size_t n;

	if (much_blank || copy->head.flags & SPAN_FLAG_TRUNCATED)
		return 0;
	for (size_t pos = 0; span_next_string(copy, &pos, &tag, &p, &n);) {
		sum = sum * 31 + tag;
		for (size_t i = 0; i < n; i++)
			sum = sum * 31 + p[i];
	}
	return sum;
}

static void collect(struct run *r)
{
	static struct span_slot copy;
	uint32_t cursor = 0, slot, count[4];

	while ((slot = table_take(&shim.table, &cursor, 1, &copy)) != TABLE_NO_SLOT) {
		if (!span_record_valid(&copy))
			abort();
		if (r->n < SPANS)
			r->span[r->n++] = (struct told){ copy.head.request_body_bytes,
							 copy.head.response_body_bytes,
							 copy.head.request_head_bytes,
							 copy.head.response_head_bytes,
							 copy.head.status,
							 copy.head.method,
							 copy.head.end,
							 much_blank ? 0 : copy.head.flags,
							 sum_of(&copy),
							 copy.head.version,
							 { 0 } };
		table_release(&shim.table, slot, 1);
	}
	table_census(&shim.table, count);
	/* What was given back is used again: more was never needed at a time. */
	if (count[SLOT_FREE] == SLOTS && atomic_load(&pending_pool.fresh) < 512 &&
	    atomic_load(&conn_pool.fresh) < 64 && atomic_load(&proxy_pool.fresh) < 64)
		return;
	fprintf(stderr, "left: %u open, %u done\n", count[SLOT_OPEN], count[SLOT_DONE]);
	abort();
}

static void count(struct run *r)
{
	struct table_process *entry = &shim.table.process[self_get()->index];

	for (unsigned shard = 0; shard < TABLE_SHARDS; shard++)
		for (unsigned i = 0; i < LEDGER_MAX; i++)
			r->counter[i] += atomic_exchange(&entry->counter[shard][i], 0);
}

static void run(struct run *r, const uint8_t *data, size_t size, bool bytes)
{
	size_t n;

	memset(r, 0, sizeof(*r));
	c = conn_at(conn_new(CONN_SERVER));
	for (; size >= 2; data += 2 + n, size -= 2 + n) {
		n = data[1] < size - 2 ? data[1] : size - 2;
		step(data[0], data + 2, n, bytes);
	}
	conn_drop(c->index);
	collect(r);
	count(r);
}

static void show(const char *who, const struct run *r)
{
	fprintf(stderr, "%s: %llu requests, %llu claimed\n", who,
		(unsigned long long)r->counter[LEDGER_REQUESTS],
		(unsigned long long)r->counter[LEDGER_CLAIMED]);
	for (unsigned i = 0; i < r->n; i++)
		fprintf(stderr,
			"  method %u status %u end %u flags %x strings %x bodies %llu %llu heads %u %u\n",
			r->span[i].method, r->span[i].status, r->span[i].end, r->span[i].flags,
			r->span[i].strings, (unsigned long long)r->span[i].request_body,
			(unsigned long long)r->span[i].response_body, r->span[i].request_head,
			r->span[i].response_head);
}

static void check(const struct run *r)
{
	const uint64_t *k = r->counter;

	if (k[LEDGER_REQUESTS] == k[LEDGER_CLAIMED] + k[LEDGER_DROPPED_PIPELINE] &&
	    k[LEDGER_CLAIMED] == r->n && !k[LEDGER_SLOT_LOST] && !k[LEDGER_OPAQUE_CONTENDED])
		return;
	show("unbalanced", r);
	abort();
}

static int order(const void *a, const void *b) { return memcmp(a, b, sizeof(struct told)); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, bytes;

	if (!shim.self)
		set_up();
	if (size > 4096)
		return 0;
	much_blank = has_much_blank(data, size);
	run(&whole, data, size, false);
	check(&whole);
	run(&bytes, data, size, true);
	check(&bytes);
	if (whole.counter[LEDGER_RESYNC] || bytes.counter[LEDGER_RESYNC])
		return 0;
	qsort(whole.span, whole.n, sizeof(struct told), order); /* slots are taken in any order */
	qsort(bytes.span, bytes.n, sizeof(struct told), order);
	if (whole.n == bytes.n && !memcmp(whole.span, bytes.span, whole.n * sizeof(struct told)))
		return 0;
	show("whole", &whole);
	show("bytes", &bytes);
	abort();
}
