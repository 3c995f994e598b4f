/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FRONT_H
#define BTRACE_FRONT_H

/*
 * Bytes in front of a connection's first request that are not HTTP: a PROXY protocol
 * header, in any pieces. For the in side, which holds CONN_IN_BUSY.
 */

#include "shim/conn.h"

#define FRONT_DECIDED 0xffu /* conn.front: what comes is HTTP, or a PROXY header that has begun */

struct front_held { /* bytes of earlier calls that turned out to be HTTP; they come before *in */
	const char *p;
	size_t n;
};

/* Advances *in behind what is no HTTP. False: not to be followed any more. */
bool front_pass(struct conn *c, const char **in, const char *end, struct front_held *held);

#endif
