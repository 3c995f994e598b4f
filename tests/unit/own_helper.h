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

#include "shim/own.h"
#include "shim/shim.h"
#include "tests/unit/two_sides.h"

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
