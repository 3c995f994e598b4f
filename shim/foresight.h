/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FORESIGHT_H
#define BTRACE_FORESIGHT_H

/*
 * What a write will do if all of it goes out: exchange_output_predict() parses it on a
 * copy of the parser before the real call, and the report of the call takes the copy over
 * in place of parsing the same bytes again. One a thread. A signal handler that writes in
 * between to another connection leaves its own behind, or none.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "shim/conn.h"

struct foresight {
	const struct conn *c; /* NULL: none */
	const void *first;    /* byte of the write */
	uint64_t bytes;
	uint32_t pending; /* index of the request that it answers */
	uint32_t turn;    /* conn.turn: nobody has changed the parser since */
	bool began, status, ended, interim;
	struct http1 after;
	struct response response;
};

/* What was foreseen of this very write, once; NULL: parse it. The caller holds CONN_OUT_BUSY. */
const struct foresight *foresight_take(struct conn *c, const void *first, uint64_t n);

/*
 * A thread was cancelled in a write, or what it unwinds by left it otherwise: of `c`, whose
 * descriptor is about to be closed, a write has begun that never returned. Has the kernel
 * taken all of it? The kernel is asked how much of the connection it has in all. False if
 * not, or if nobody can know (a UNIX socket; bytes written by another process). Three system
 * calls, for such a connection alone.
 */
bool foresight_went_out(int fd, const struct conn *c);
/* And if so, the response that it was to complete is complete. Before the real close. */
void foresight_settle(int fd, struct conn *c, uint32_t generation);

/* After a contradiction: the first bytes of a write may begin a response again. */
bool foresight_begins_again(const struct http1 *parser, const struct iovec *iov, uint64_t n);

#endif
