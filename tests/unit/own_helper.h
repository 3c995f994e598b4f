/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_OWN_HELPER_H
#define BTRACE_TESTS_OWN_HELPER_H

/* Spans that a program begins itself, in a process of its own and without sockets. */

#define BTRACE_LIBRARY
#define BTRACE_API extern
#include "shim/btrace.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/connect.h"
#include "shim/exchange.h"
#include "shim/own.h"
#include "shim/shim.h"
#include "tests/lib/traced.h"

#define GET           "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK2           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CONTEXT       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define UNSAMPLED     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
#define WITH(context) "GET /a HTTP/1.1\r\nHost: h\r\ntraceparent: " context "\r\n\r\n"

static struct policy *policy;

static inline void begin_early(void)
{
	traced_table(256);
	atomic_store(&shim_mode, SHIM_ACTIVE);
	policy = traced_policy();
	policy->flags = POLICY_FLAG_CLIENT_SPANS;
}

static inline void begin(void)
{
	begin_early();
	traced_publish(policy);
}

static inline struct conn *connection(enum conn_role role) { return conn_at(conn_new(role)); }

static inline void feed(struct conn *c, bool request, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };

	cr_assert(conn_enter(c, atomic_load(&c->generation), request ? CONN_IN_BUSY : CONN_OUT_BUSY));
	if (!request) {
		exchange_output(c, &iov, 1, iov.iov_len);
		conn_leave(c, CONN_OUT_BUSY);
	} else if (c->role == CONN_CLIENT) {
		connect_sending(c, &iov, 1);
		connect_sent(c, &iov, 1, (ssize_t)iov.iov_len, 0);
	} else {
		exchange_input(c, &iov, 1, iov.iov_len);
		exchange_leave_input(c);
	}
}

static inline uint64_t counter(enum ledger what) { return traced_counter(what); }

static inline struct span_slot next(void) { return traced_next(); }

static inline struct span_slot ended(btrace_span span)
{
	struct span_slot s;

	btrace_end(span);
	s = next();
	cr_expect(span_record_valid(&s));
	cr_expect_eq(s.head.kind, SPAN_KIND_INTERNAL);
	cr_expect_eq(s.head.end, SPAN_END_COMPLETE);
	return s;
}

static inline struct span_slot call(void)
{
	struct conn *c = connection(CONN_CLIENT);

	feed(c, true, GET);
	feed(c, false, OK2);
	return next();
}

/* The n-th string of that tag; *bytes 0: none. */
static inline const char *string(const struct span_slot *s, enum span_tag wanted, unsigned which,
				 size_t *bytes)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;

	*bytes = 0;
	while (span_next_string(s, &pos, &tag, &value, &n)) {
		if (tag != wanted || which--)
			continue;
		*bytes = n;
		return (const char *)value;
	}
	return "";
}

static inline unsigned strings(const struct span_slot *s, enum span_tag tag)
{
	unsigned count = 0;
	size_t n;

	for (string(s, tag, 0, &n); n; string(s, tag, ++count, &n))
		;
	return count;
}

static inline bool says(const struct span_slot *s, enum span_tag tag, unsigned which, const void *text,
			size_t bytes)
{
	size_t n;
	const char *p = string(s, tag, which, &n);

	return n == bytes && !memcmp(p, text, n);
}
#define SAYS(s, tag, which, text) says(s, tag, which, text, sizeof(text) - 1)

static inline bool is_child(const struct span_slot *child, const struct span_slot *parent)
{
	return !memcmp(child->head.trace_id, parent->head.trace_id, 16) &&
	       !memcmp(child->head.parent_span_id, parent->head.span_id, 8);
}

static inline bool is_root(const struct span_slot *s)
{
	static const uint8_t zero[8];

	return span_record_valid(s) && !memcmp(s->head.parent_span_id, zero, 8);
}

static inline bool is_ambiguous(const struct span_slot *s)
{
	return s->head.flags & SPAN_FLAG_AMBIGUOUS_PARENT;
}

static inline void expect_balance(uint64_t begun, uint64_t sampled_out, uint64_t dropped)
{
	cr_expect_eq(counter(LEDGER_OWN_SPANS), begun);
	cr_expect_eq(counter(LEDGER_OWN_SAMPLED_OUT), sampled_out);
	cr_expect_eq(counter(LEDGER_OWN_DROPPED), dropped);
}

#endif
