/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_TWO_SIDES_H
#define BTRACE_TESTS_TWO_SIDES_H

/* Connections of servers and of clients in a process without sockets, and what goes by on them. */

#include <criterion/criterion.h>
#include <string.h>
#include <sys/uio.h>

#include "shim/connect.h"
#include "shim/exchange.h"
#include "tests/lib/traced.h"

#define GET           "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK2           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CONTEXT       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define UNSAMPLED     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
#define WITH(context) "GET /a HTTP/1.1\r\nHost: h\r\ntraceparent: " context "\r\n\r\n"

static inline struct conn *connection(enum conn_role role) { return conn_at(conn_new(role)); }

/* On either kind of connection: a request goes by, or a response. */
static inline void feed(struct conn *c, bool request, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };

	cr_assert(conn_enter(c, atomic_load(&c->generation), request ? CONN_IN_BUSY : CONN_OUT_BUSY));
	if (!request && c->role == CONN_CLIENT) {
		connect_received(c, &iov, 1, (ssize_t)iov.iov_len, 0);
	} else if (!request) {
		exchange_output(c, &iov, 1, iov.iov_len);
		conn_leave(c, CONN_OUT_BUSY);
	} else if (c->role == CONN_CLIENT) {
		connect_sending(c, &iov, 1);
		connect_sent(c, &iov, 1, (ssize_t)iov.iov_len, 0);
	} else {
		exchange_input(c, &iov, 1, iov.iov_len);
		exchange_leave_input(c);
	}
}

static inline uint64_t counter(enum ledger what) { return traced_counter(what); }

static inline struct span_slot next(void) { return traced_next(); }

#endif
