/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CLIENT_H
#define BTRACE_CLIENT_H

/*
 * Requests that this process sends: who is the parent, is it recorded, what
 * context goes on. The rules stand in ARCHITECTURE.md, "Parents of outgoing
 * requests": a header of the request itself, else the one open request of the
 * thread, else nobody.
 */

#include "shim/conn.h"

/* The head of an outgoing request is complete and in the slot (in side, CONN_CLIENT): judge and count it. */
void client_judge(struct conn *c, struct pending *p, const struct policy *policy);

/* It ended so, at end_ns; slot: its own. By the thread that sent it, the next request may be the same once
 * more. */
void client_ended(const struct span_slot *slot, enum span_end end, uint64_t end_ns);

#endif
