/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_OUTGOING_H
#define BTRACE_OUTGOING_H

/*
 * Writing context headers into requests that are being sent (CONN_CLIENT): the
 * one named exception to "the host's bytes stay as they are", a switch of its own
 * (inject). The bytes go through shim/http/rewrite.h; shim_send_*() in shim.h
 * is what the hooks see of it.
 */

#include "shim/conn.h"
#include "shim/hidden.h"
#include "shim/http/rewrite.h"
#include "shim/shim.h"

struct conn_rewrite { /* a connection has one while a head is on its way out */
	_Atomic uint32_t next_free;
	bool begun;    /* the head's first byte is known */
	uint64_t lead; /* bytes to go by before it */
	struct rewrite run;
	struct rewrite_memory memory;
};

extern HIDDEN struct pool rewrite_pool;

/* In side held. Does a head begin in these bytes, or is one under way, so that they must be rewritten? */
/* used: bytes of them that are behind us already. */
bool outgoing_wanted(struct conn *c, const struct iovec *iov, size_t count, uint64_t used);

struct outgoing_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	bool sampled, random, debug;
	const struct serving_carried *carried; /* by the parent, or NULL */
};

/* The head is judged: the context to put in. slot: of the request. */
void outgoing_context(struct conn *c, const struct policy *policy, const struct span_slot *slot,
		      const struct outgoing_context *context);

#endif
