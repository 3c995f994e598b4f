/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONNECT_H
#define BTRACE_CONNECT_H

/*
 * The part of the facade (shim.h) that is of connections which this process
 * made. The caller holds the side: CONN_IN_BUSY where it sends requests,
 * CONN_OUT_BUSY where it receives responses.
 */

#include <sys/types.h>
#include <sys/uio.h>

#include "shim/conn.h"
#include "shim/fds.h"

/*
 * Before the real write. What is about to go out is parsed now, so that the
 * span begins before its first byte, and a request that is never accepted has
 * one as well. How far the parser is ahead of the kernel stands in c->ahead.
 */
void connect_sending(struct conn *c, const struct iovec *iov, size_t count);

/* After the real call; iov NULL: unseen. Both give the side back. */
void connect_sent(struct conn *c, const struct iovec *iov, size_t count, ssize_t result, int error);
void connect_received(struct conn *c, const struct iovec *iov, size_t count, ssize_t result, int error);

#endif
