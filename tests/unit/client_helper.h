/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_CLIENT_HELPER_H
#define BTRACE_TESTS_CLIENT_HELPER_H

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/decide.h"
#include "tests/unit/two_sides.h"

/* Requests that a process makes while it answers others: whose children they are. Without sockets. */

static struct policy *policy;

static inline void begin(void)
{
	policy = traced_begin(256);
	policy->flags = POLICY_FLAG_CLIENT_SPANS;
}

static inline void *read_elsewhere(void *text)
{
	struct conn *c = connection(CONN_SERVER);

	feed(c, true, text);
	return c;
}

/* A request that another thread has read and not yet answered. */
static inline struct conn *other_thread(const char *text)
{
	pthread_t thread;
	void *c;

	cr_assert_eq(pthread_create(&thread, NULL, read_elsewhere, (void *)(uintptr_t)text), 0);
	cr_assert_eq(pthread_join(thread, &c), 0);
	return c;
}

static inline struct span_slot call(const char *text)
{
	struct conn *c = connection(CONN_CLIENT);

	feed(c, true, text);
	feed(c, false, OK2);
	return next();
}

static inline unsigned links(const struct span_slot *s)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;
	unsigned found = 0;

	while (span_next_string(s, &pos, &tag, &value, &n))
		found += tag == TAG_LINK;
	return found;
}

static inline bool is_child(const struct span_slot *child, const struct span_slot *parent)
{
	return !memcmp(child->head.trace_id, parent->head.trace_id, 16) &&
	       !memcmp(child->head.parent_span_id, parent->head.span_id, 8);
}

static inline bool is_root(const struct span_slot *s)
{
	static const uint8_t zero[8];

	return span_record_valid(s) && s->head.kind == SPAN_KIND_CLIENT &&
	       !memcmp(s->head.parent_span_id, zero, 8);
}

static inline bool is_ambiguous(const struct span_slot *s)
{
	return s->head.flags & SPAN_FLAG_AMBIGUOUS_PARENT;
}

#endif
