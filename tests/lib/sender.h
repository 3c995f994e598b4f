/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_SENDER_H
#define BTRACE_TESTS_SENDER_H

/*
 * A host that sends over a connection which it made, and its kernel, which takes what
 * it likes: the library between them, without sockets. Needs shim.self and shim.table.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "shim/conn.h"
#include "shim/fds.h"
#include "shim/shim.h"

#define SENDER_FD   7
#define SENDER_ROOM (1u << 14)

struct sender {
	char *out; /* what the kernel took */
	size_t n;
	struct conn *c;
	/* How many bytes of the next call it takes: 0 is EAGAIN, < 0 an errno. */
	long (*takes)(struct sender *s, size_t asked);
	void *context;
};

static inline void sender_init(struct sender *s)
{
	uint32_t index = conn_new(CONN_CLIENT);

	memset(s, 0, sizeof(*s));
	s->out = calloc(1, SENDER_ROOM + 1);
	s->c = conn_at(index);
	if (!s->out || !index || !fd_set_entry(SENDER_FD, fd_entry_of_conn(index)))
		abort();
}

static inline void sender_release(struct sender *s)
{
	fd_forget(SENDER_FD);
	free(s->out);
}

static inline ssize_t sender_kernel(struct sender *s, const struct iovec *iov, size_t count)
{
	size_t asked = 0, room;
	long takes;

	for (size_t i = 0; i < count; i++)
		asked += iov[i].iov_len;
	takes = s->takes ? s->takes(s, asked) : (long)asked;
	if (takes <= 0) {
		errno = takes ? (int)-takes : EAGAIN;
		return -1;
	}
	room = (size_t)takes < asked ? (size_t)takes : asked;
	takes = (long)room;
	for (size_t i = 0; i < count && room; i++) {
		size_t n = iov[i].iov_len < room ? iov[i].iov_len : room;

		if (n > SENDER_ROOM - s->n)
			abort();
		if (n)
			memcpy(s->out + s->n, iov[i].iov_base, n);
		s->n += n;
		room -= n;
	}
	return takes;
}

/* One call of the host, as hooks/send.c makes it. */
static inline ssize_t sender_send(struct sender *s, const struct iovec *iov, size_t count)
{
	struct shim_send send;
	ssize_t result;

	if (shim_sending(SENDER_FD, iov, count, &send)) {
		while (shim_send_next(&send))
			shim_send_done(&send, sender_kernel(s, send.piece, send.pieces));
		return shim_send_result(&send);
	}
	result = sender_kernel(s, iov, count);
	shim_moved(SENDER_FD, SHIM_OUT, iov, count, result);
	return result;
}

/* Contexts look alike: new ones differ in their ids alone. */
static inline void sender_forget_ids(struct sender *s)
{
	static const char head[] = "traceparent: 00-", hex[] = "0123456789abcdef-";
	const size_t before = sizeof(head) - 1, ids = 49;

	for (size_t at = 0; at + before + ids < s->n; at++) {
		char *p = s->out + at;

		if (!memcmp(p, head, before) && strspn(p + before, hex) > ids)
			memset(p + before, 'x', ids); /* but for the flags */
	}
}

#endif
