/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program sends over a connection that it made, with context headers written in:
 * however it cuts its calls and however little the kernel takes, the same bytes go out as
 * if it had sent all at once, but for the ids; and the program sees exactly its own bytes.
 * Input: a byte how many draws follow, the draws, then what is sent.
 * FUZZ_SOURCES: shim/?*.c shim/abi/?*.c shim/http/?*.c
 */
#include <stdint.h>
#include <stdio.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/lib/sender.h"
#include "tests/lib/traced.h"

#define LIMIT 2000u /* so that no connection has more unanswered requests than are told apart */

static void set_up(void)
{
	struct policy *policy = traced_begin(1024);

	policy->root = POLICY_ROOT_NEVER; /* no slot stays in use */
	policy->flags = POLICY_FLAG_CLIENT_SPANS | POLICY_FLAG_INJECT;
}

struct draws {
	const uint8_t *p;
	size_t n, at;
};

static unsigned draw(struct draws *d) { return d->n ? d->p[d->at++ % d->n] : 255; }

static long takes(struct sender *s, size_t asked)
{
	struct draws *d = s->context;
	unsigned what = draw(d);

	if (d->at > 4000) /* draws that never let anything through */
		return (long)asked;
	if (what < 40)
		return what < 20 ? 0 : -EINTR;
	return (long)(what < 200 ? what % 13 + 1 : asked);
}

static void fail(const char *what, const struct sender *a, const struct sender *b)
{
	fprintf(stderr, "%s\n--- cut:\n%.*s\n--- at once:\n%.*s\n", what, (int)a->n, a->out, (int)b->n,
		b->out);
	abort();
}

static void send_cut(struct sender *s, const char *p, size_t n, struct draws *d)
{
	size_t at = 0;

	while (at < n) {
		unsigned most = draw(d);
		size_t length = most < 200 ? most % 31 + 1 : n - at, cut;
		struct iovec iov[3];
		ssize_t result;

		if (length > n - at || d->at > 4000)
			length = n - at;
		cut = draw(d) % (length + 1);
		iov[0] = (struct iovec){ (void *)(uintptr_t)(p + at), cut };
		iov[1] = (struct iovec){ NULL, 0 };
		iov[2] = (struct iovec){ (void *)(uintptr_t)(p + at + cut), length - cut };
		errno = 0;
		result = sender_send(s, iov, 3);
		if (result == 0 || result > (ssize_t)length ||
		    (result < 0 && errno != EAGAIN && errno != EINTR))
			fail("not what a program expects of its call", s, s);
		if (result > 0)
			at += (size_t)result;
	}
}

struct line {
	const char *p;
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return order ? order : x->n < y->n ? -1 : x->n > y->n;
}

static const char name[] = "traceparent:";

/* What may be held back until the rest of the line is there, where the connection is followed. */
static bool is_held(const char *line, size_t n)
{
	return n < sizeof(name) && (!strncasecmp(line, name, n) || (n == 1 && *line == '\r'));
}

/* All but the context, what continues it, and what may be held back, sorted. */
static size_t other_lines(const struct sender *s, struct line *line)
{
	const char *at = s->out, *end = s->out + s->n;
	bool context = false;
	size_t n = 0;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t length = lf ? (size_t)(lf - at) + 1 : (size_t)(end - at);

		bool folded = *at == ' ' || *at == '\t'; /* may get behind another line */

		if (!folded)
			context = length >= sizeof(name) - 1 && !strncasecmp(at, name, sizeof(name) - 1);
		if (!context && !folded && (lf || !is_held(at, length)))
			line[n++] = (struct line){ at, length };
		at += length;
	}
	qsort(line, n, sizeof(*line), by_text);
	return n;
}

/*
 * A connection that is followed no more from somewhere on, which the cuts decide: a head before
 * that is rewritten or not, and one that is given up on its way has its held lines at its end.
 */
static void compare_loosely(const struct sender *a, const struct sender *b)
{
	static struct line x[LIMIT * 2], y[LIMIT * 2];
	size_t n = other_lines(a, x), m = other_lines(b, y);

	if (n != m)
		fail("other lines than at once", a, b);
	for (size_t i = 0; i < n; i++)
		if (by_text(&x[i], &y[i]))
			fail("another line than at once", a, b);
}

static bool is_followed(const struct sender *s)
{
	return !(atomic_load_explicit(&s->c->use, memory_order_relaxed) & CONN_OPAQUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draws d = { NULL, 0, 0 };
	struct sender cut, whole;
	struct iovec iov;
	bool followed;
	size_t n;

	if (!shim.self)
		set_up();
	if (size < 2 || size > LIMIT)
		return 0;
	d.p = data + 1;
	d.n = data[0] % (size - 1);
	n = size - 1 - d.n;
	/* of its own, so that reading beyond it is seen */
	iov = (struct iovec){ malloc(n), n };
	memcpy(iov.iov_base, data + 1 + d.n, n);
	sender_init(&whole);
	if (sender_send(&whole, &iov, 1) != (ssize_t)n)
		fail("not all was sent", &whole, &whole);
	followed = is_followed(&whole);
	fd_forget(SENDER_FD);
	sender_init(&cut);
	cut.takes = takes;
	cut.context = &d;
	send_cut(&cut, iov.iov_base, n, &d);
	sender_forget_ids(&cut);
	sender_forget_ids(&whole);
	if (!followed || !is_followed(&cut))
		compare_loosely(&cut, &whole);
	else if (cut.n != whole.n || memcmp(cut.out, whole.out, whole.n))
		fail("other bytes than at once", &cut, &whole);
	sender_release(&cut);
	free(whole.out);
	free(iov.iov_base);
	return 0;
}
