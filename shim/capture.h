/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CAPTURE_H
#define BTRACE_CAPTURE_H

/*
 * The header names that the policy wants captured, in the form the parser wants
 * them. A private copy per policy version: in shared memory a name could lose
 * its end while it is read. Lock-free: while one thread copies, the others
 * capture nothing. Async-signal-safe.
 */

#include "shim/abi/policy.h"
#include "shim/http/http1.h"

enum capture_side { CAPTURE_REQUEST, CAPTURE_RESPONSE };

struct capture {
	struct http1_captured list;
	uint32_t secret; /* mask over the list: their values are not to be recorded */
};

/* The names of that side; none if the policy has none or is just being copied. policy may be NULL. */
struct capture capture_names(const struct policy *policy, enum capture_side side);

static inline bool capture_is_secret(const struct capture *c, unsigned index)
{
	return c->secret >> index & 1;
}

#endif
