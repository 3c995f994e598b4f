/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_EXCHANGE_HELPER_H
#define BTRACE_TESTS_EXCHANGE_HELPER_H

/* One connection `c` of a server, and what is read and written on it: in a process of its own and without
 * sockets. */

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "shim/exchange.h"
#include "tests/lib/traced.h"

static struct conn *c;

static inline void begin(void)
{
	traced_begin(256);
	c = conn_at(conn_new(CONN_SERVER));
}

static inline void feed(bool in, const char *text, size_t piece)
{
	size_t n = strlen(text);

	for (size_t at = 0; at < n; at += piece) {
		struct iovec iov = { (void *)(uintptr_t)(text + at), n - at < piece ? n - at : piece };
		unsigned side = in ? CONN_IN_BUSY : CONN_OUT_BUSY;

		if (!conn_enter(c, atomic_load(&c->generation), side))
			return;
		if (in) {
			exchange_input(c, &iov, 1, iov.iov_len);
			exchange_leave_input(c);
		} else {
			exchange_output(c, &iov, 1, iov.iov_len);
			conn_leave(c, side);
		}
	}
}

static inline void request(const char *text) { feed(true, text, SIZE_MAX / 2); }
static inline void respond(const char *text) { feed(false, text, SIZE_MAX / 2); }

static inline uint64_t counter(enum ledger what) { return traced_counter(what); }

static inline struct span_slot next(void) { return traced_next(); }

static inline unsigned finished(void)
{
	uint32_t count[4];

	table_census(&shim.table, count);
	return count[SLOT_DONE];
}

static inline void expect(unsigned status, enum span_end end, uint64_t request_body, uint64_t response_body)
{
	struct span_slot s = next();

	cr_assert(span_record_valid(&s));
	cr_expect_eq(s.head.status, status);
	cr_expect_eq(s.head.end, end);
	cr_expect_eq(s.head.request_body_bytes, request_body);
	cr_expect_eq(s.head.response_body_bytes, response_body);
	cr_expect(s.head.end_ns >= s.head.start_ns);
}

#define GET  "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK2  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define NONE "HTTP/1.1 204 No Content\r\n\r\n"

#endif
