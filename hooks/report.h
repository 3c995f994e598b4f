/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REPORT_H
#define BTRACE_REPORT_H

/* From the shape of a call to the one call into the shim; for tracked descriptors, after the real call. */

#include "hooks/real.h"
#include "shim/shim.h"

/*
 * What follows on a tracked descriptor stands in a function of its own, so that a call on
 * any other saves no registers: it looks and jumps on, a dozen instructions.
 */
#define UNCOMMON __attribute__((noinline))

/* These move no bytes of the stream, or not to the end of it. */
#define RECEIVE_LOOKS_ONLY (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)

static inline ssize_t report_buffer(int fd, enum shim_direction direction, const void *p, size_t n,
				    ssize_t result)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	if (n) /* nothing asked for: a 0 is not the end of the stream */
		shim_moved(fd, direction, &iov, 1, result);
	return result;
}

/* The call is made in pieces, with the head of a request rewritten. */
ssize_t report_rewritten(int fd, struct shim_send *send, int flags);

static inline ssize_t report_vector(int fd, enum shim_direction direction, const struct iovec *iov,
				    size_t count, ssize_t result)
{
	size_t asked = 0;

	for (size_t i = 0; i < count && !asked && result == 0; i++)
		asked = iov[i].iov_len;
	if (asked || result)
		shim_moved(fd, direction, iov, count, result);
	return result;
}

static inline ssize_t report_received(int fd, const void *p, size_t n, int flags, ssize_t result)
{
	if (flags & RECEIVE_LOOKS_ONLY)
		return result;
	if (!(flags & MSG_TRUNC))
		return report_buffer(fd, SHIM_IN, p, n, result);
	shim_moved(fd, SHIM_IN, NULL, 0, result); /* tcp(7): the bytes are thrown away unseen */
	return result;
}

ssize_t report_received_message(int fd, const struct msghdr *message, int flags, ssize_t result);
ssize_t report_sent_message(int fd, const struct msghdr *message, ssize_t result);
int report_accepted(int listener, int fd, const struct sockaddr *addr, socklen_t length);
int report_duplicate(int from, int to);

/* Before the real call; one that marks, or that fails for its arguments, closes nothing. */
void report_closing_range(unsigned first, unsigned last, unsigned flags);

#endif
