/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/outgoing.h"

#include <errno.h>
#include <string.h>

#include "shim/carry.h"
#include "shim/exchange.h"
#include "shim/fds.h"
#include "shim/unreached.h"

struct pool rewrite_pool = { .size = (sizeof(struct conn_rewrite) + 15) & ~15u, .per_slab = 8 };

/* Lines to be replaced, by the formats that are written. */
static unsigned names_of(const struct policy *policy)
{
	static const uint8_t name[] = {
		[POLICY_PROPAGATOR_TRACECONTEXT] = REWRITE_TRACEPARENT,
		[POLICY_PROPAGATOR_B3] = REWRITE_B3,
		[POLICY_PROPAGATOR_B3MULTI] = REWRITE_B3,
		[POLICY_PROPAGATOR_JAEGER] = REWRITE_UBER_TRACE_ID,
	};
	unsigned names = 0;

	for (size_t i = 0; i < sizeof(policy->propagators); i++)
		if (policy->propagators[i] < sizeof(name))
			names |= name[policy->propagators[i]];
	return names;
}

/* Looks ahead on a copy of the parser: does a request line begin in what it has not seen yet? */
static bool begins(const struct conn *c, const struct iovec *iov, size_t count, uint64_t used)
{
	char carry[HTTP1_NAME_MAX];
	const struct http1_options options = { .carry = carry };
	struct http1 parser = c->in;
	uint64_t skip = used + c->ahead;
	struct http1_data d;
	enum http1_event event;

	if (http1_idle(&parser))
		return true;
	carry_load(c->in_carry, carry);
	for (size_t i = 0; i < count; i++) {
		size_t over = skip < iov[i].iov_len ? (size_t)skip : iov[i].iov_len;
		const char *in, *end;

		skip -= over;
		if (over == iov[i].iov_len) /* an empty one may be NULL */
			continue;
		in = (const char *)iov[i].iov_base + over;
		end = (const char *)iov[i].iov_base + iov[i].iov_len;
		while ((event = http1_next(&parser, &options, &in, end, &d)) != HTTP1_NEED_MORE)
			if (event == HTTP1_BEGIN || event == HTTP1_BROKEN)
				return event == HTTP1_BEGIN;
	}
	return false;
}

bool outgoing_wanted(struct conn *c, const struct iovec *iov, size_t count, uint64_t used)
{
	const struct policy *policy = table_policy(&shim.table);
	struct conn_rewrite *rw;
	unsigned names;

	if (c->rewrite)
		return true;
	if (!policy || policy->mode != POLICY_ON || !(policy->flags & POLICY_FLAG_INJECT) ||
	    !(names = names_of(policy)) || c->proxy || !begins(c, iov, count, used) ||
	    !(c->rewrite = pool_take(&rewrite_pool)))
		return false;
	rw = pool_at(&rewrite_pool, c->rewrite);
	rw->begun = false;
	rw->lead = 0;
	rewrite_begin(&rw->run, names);
	return true;
}

/* Who may touch the rewriting: the holder of the in side; on a connection that is followed no more, the
 * writer. */
static bool enter(const struct shim_send *s, bool *followed)
{
	struct conn *c = conn_at(s->conn);

	*followed = conn_try_enter(c, CONN_IN_BUSY);
	if (atomic_load_explicit(&c->generation, memory_order_relaxed) != s->generation || !c->rewrite) {
		if (*followed)
			exchange_leave_input(c);
		return false;
	}
	return *followed || atomic_load_explicit(&c->use, memory_order_relaxed) & CONN_OPAQUE;
}

static void leave(const struct shim_send *s, bool followed)
{
	if (followed)
		exchange_leave_input(conn_at(s->conn));
}

/* Parses on, but not beyond the message whose head is on its way out. */
static void parse(struct conn *c, struct conn_rewrite *rw, const struct shim_send *s)
{
	struct exchange_ahead ahead = {
		.bytes = s->used + c->ahead, .head_begin = UINT64_MAX, .head_end = UINT64_MAX, .stop = true
	};

	if (rw->begun && rw->run.head_end != UINT64_MAX && c->ahead)
		return; /* known so far, and not accepted yet */
	exchange_input_ahead(c, s->iov, s->count, &ahead);
	c->ahead = ahead.bytes - s->used;
	if (!rw->begun && ahead.head_begin != UINT64_MAX) {
		rw->begun = true;
		rw->lead = ahead.head_begin - s->used;
	}
	if (rw->begun && ahead.head_end != UINT64_MAX && rw->run.head_end == UINT64_MAX)
		rw->run.head_end = ahead.head_end - s->used - rw->lead + rw->run.at;
}

static void add_piece(struct shim_send *s, const char *p, size_t n)
{
	struct iovec *last = s->pieces ? &s->piece[s->pieces - 1] : NULL;

	if (last && (const char *)last->iov_base + last->iov_len == p)
		last->iov_len += n;
	else
		s->piece[s->pieces++] = (struct iovec){ (void *)(uintptr_t)p, n };
	s->planned += n;
}

/*
 * Goes through the input from s->used on, over `part` bytes, until `room` bytes of
 * output are through; with `plan` they are collected. How much of the input was used.
 */
static uint64_t walk(struct shim_send *s, struct rewrite *run, struct rewrite_memory *memory, uint64_t *lead,
		     uint64_t part, uint64_t room, bool plan)
{
	uint64_t skip = s->used, used = 0;

	for (size_t i = 0; i <= s->count; i++) {
		size_t length = i < s->count ? s->iov[i].iov_len : 0;
		size_t over = skip < length ? (size_t)skip : length;
		const char *base = over < length ? (const char *)s->iov[i].iov_base + over : "";
		const char *in = base,
			   *end = base + (length - over < part - used ? length - over : part - used);
		struct rewrite_piece piece;

		skip -= over;
		while (room && s->pieces < SHIM_SEND_PIECES) {
			size_t n = *lead < (uint64_t)(end - in) ? (size_t)*lead : (size_t)(end - in);

			if (n && !(n = n < room ? n : (size_t)room))
				break;
			if (n) {
				piece = (struct rewrite_piece){ in, n, true };
				*lead -= n;
				in += n;
			} else if (*lead || !rewrite_next(run, memory, &in, end, &piece)) {
				break;
			} else {
				n = piece.n < room ? piece.n : (size_t)room;
				rewrite_take(run, &piece, n, &in);
			}
			if (plan)
				add_piece(s, piece.p, n);
			room -= n;
		}
		used += (uint64_t)(in - base);
		if (in < end || !room || s->pieces == SHIM_SEND_PIECES)
			break;
	}
	return used;
}

/* What went out, or was held back, is behind us. */
static void commit(struct shim_send *s, struct conn *c, struct conn_rewrite *rw, uint64_t sent)
{
	uint64_t used;

	s->pieces = 0;
	used = walk(s, &rw->run, &rw->memory, &rw->lead, s->part, s->planned ? sent : UINT64_MAX, false);
	s->used += used;
	c->ahead -= c->ahead < used ? c->ahead : used;
	if (!rw->lead && rewrite_done(&rw->run)) {
		uint32_t index = c->rewrite;

		c->rewrite = 0;
		pool_give(&rewrite_pool, index);
	}
}

/* Nothing to rewrite, or nobody who could: the rest as it is. */
static void plan_rest(struct shim_send *s)
{
	uint64_t skip = s->used;

	s->raw = true;
	for (size_t i = 0; i < s->count && s->pieces < SHIM_SEND_PIECES; i++) {
		size_t over = skip < s->iov[i].iov_len ? (size_t)skip : s->iov[i].iov_len;

		skip -= over;
		if (over < s->iov[i].iov_len)
			add_piece(s, (const char *)s->iov[i].iov_base + over, s->iov[i].iov_len - over);
	}
}

/* The head before is done with: does another one begin in the rest? */
static bool again(const struct shim_send *s)
{
	struct conn *c = conn_at(s->conn);
	struct exchange_ahead ahead = { .bytes = 0 };
	bool wanted = false;

	if (!conn_try_enter(c, CONN_IN_BUSY))
		return false;
	if (atomic_load_explicit(&c->generation, memory_order_relaxed) == s->generation) {
		wanted = outgoing_wanted(c, s->iov, s->count, s->used);
		ahead.bytes = s->used + c->ahead;
		if (!wanted) {
			exchange_input_ahead(c, s->iov, s->count, &ahead);
			c->ahead = ahead.bytes - s->used;
		}
	}
	exchange_leave_input(c);
	return wanted;
}

/* How far the plan may reach; what cannot be followed goes out as it is. */
static uint64_t part_of(struct shim_send *s, struct conn *c, struct conn_rewrite *rw, bool followed)
{
	uint64_t rest = s->total - s->used;

	if (followed)
		parse(c, rw, s);
	if (!followed || !c->ahead || atomic_load_explicit(&c->use, memory_order_relaxed) & CONN_OPAQUE) {
		rewrite_give_up(&rw->run);
		rw->lead = 0;
		return rest;
	}
	if (!rw->begun)
		rw->lead = c->ahead;
	return c->ahead < rest ? c->ahead : rest;
}

/* False: all that was to be done is done without a call. */
static bool plan(struct shim_send *s, bool followed)
{
	struct conn *c = conn_at(s->conn);
	struct conn_rewrite *rw = pool_at(&rewrite_pool, c->rewrite);
	struct rewrite run;
	uint64_t lead;

	s->part = part_of(s, c, rw, followed);
	run = rw->run;
	lead = rw->lead;
	walk(s, &run, &rw->memory, &lead, s->part, UINT64_MAX, true);
	if (!s->planned)
		commit(s, c, rw, 0);
	leave(s, followed);
	return s->planned > 0;
}

bool shim_send_next(struct shim_send *s)
{
	int error = errno;
	bool followed, ready = false;

	while (!ready && !s->over && s->used < s->total) {
		s->planned = s->pieces = 0;
		if (enter(s, &followed)) {
			ready = plan(s, followed);
		} else if (!again(s)) {
			plan_rest(s);
			ready = true;
		}
	}
	errno = error;
	return ready;
}

void shim_send_done(struct shim_send *s, ssize_t result)
{
	struct conn *c = conn_at(s->conn);
	uint64_t n = result > 0 ? (uint64_t)result : 0;
	int error = errno;
	bool followed;

	if (result < 0) {
		s->over = true;
		s->error = error;
		if (conn_lost(error)) {
			unreached_by_call(c, s->generation, error);
			exchange_output_failed(c, error);
		}
	} else if (s->raw) {
		s->used += n;
		s->over = n < s->planned;
		if (conn_try_enter(c, CONN_IN_BUSY)) {
			if (atomic_load_explicit(&c->generation, memory_order_relaxed) == s->generation) {
				c->ahead -= c->ahead < n ? c->ahead : n;
				unreached_not(c);
			}
			exchange_leave_input(c);
		}
	} else if (enter(s, &followed)) {
		commit(s, c, pool_at(&rewrite_pool, c->rewrite), n);
		if (followed)
			unreached_not(c);
		leave(s, followed);
		s->over = n < s->planned && s->used;
	} else {
		s->over = true; /* another thread has written in between: nothing can be right any more */
	}
	s->raw = false;
	errno = error;
}

ssize_t shim_send_result(const struct shim_send *s)
{
	if (s->used || !s->error)
		return (ssize_t)s->used;
	errno = s->error;
	return -1;
}
