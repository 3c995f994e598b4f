/* SPDX-License-Identifier: Apache-2.0 */
/* CLIENT spans of connections that do not come about. */
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "shim/shim.h"
#include "shim/unreached.h"
#include "tests/unit/client_helper.h"

static struct sockaddr_in address = { .sin_family = AF_INET };

static void begin_serving(void)
{
	begin();
	atomic_store(&shim_mode, SHIM_ACTIVE);
	atomic_store(&shim.serves, 1);
	address.sin_port = htons(8001);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}
TestSuite(unreached, .init = begin_serving);

static int stream(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_geq(fd, 0);
	return fd;
}

/* What the hook reports of a call of connect(); the error, 0: it succeeded. */
static void connects(int fd, int error)
{
	uint64_t begun_ns = shim_connecting();

	errno = error ? error : 77;
	shim_connected(fd, (struct sockaddr *)&address, sizeof(address), error ? -1 : 0, begun_ns);
	cr_expect_eq(errno, error ? error : 77);
}

static void moves(int fd, enum shim_direction direction, const char *text, ssize_t result, int error)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };

	if (direction == SHIM_OUT)
		cr_assert_not(shim_sending(fd, &iov, 1, NULL));
	errno = error;
	shim_moved(fd, direction, &iov, 1, result);
}

static void asks(int fd)
{
	connects(fd, 0);
	moves(fd, SHIM_OUT, GET, sizeof(GET) - 1, 0);
	moves(fd, SHIM_IN, OK2, sizeof(OK2) - 1, 0);
	shim_closing(fd);
	close(fd);
	next();
}

static void expect_failure(const struct span_slot *s, enum span_end end)
{
	cr_assert(span_record_valid(s));
	cr_expect_eq(s->head.kind, SPAN_KIND_CLIENT);
	cr_expect_eq(s->head.end, end);
	cr_expect_eq(s->head.method, SPAN_METHOD_OTHER);
	cr_expect_eq(s->head.peer.port, 8001);
	cr_expect_eq(s->head.status, 0);
	cr_expect(s->head.start_ns && s->head.end_ns >= s->head.start_ns);
	cr_expect_not(s->head.flags & SPAN_FLAG_REQUEST_BODY_CUT);
}

static bool nothing(void) { return next().head.kind == 0; }

Test(unreached, at_an_address_never_spoken_to_it_has_no_span)
{
	connects(stream(), ECONNREFUSED);
	asks(stream());
	address.sin_port = htons(8002);
	connects(stream(), ECONNREFUSED);
	cr_expect(nothing());
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 1);
}

Test(unreached, refused_at_once_it_is_a_child_of_the_threads_request)
{
	static const int errors[] = { ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET };
	static const enum span_end ends[] = { SPAN_END_REFUSED, SPAN_END_TIMEOUT, SPAN_END_CONNECT_FAILED,
					      SPAN_END_CONNECT_FAILED, SPAN_END_CONNECT_FAILED };
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	asks(stream());
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		feed(c, true, GET);
		connects(stream(), errors[i]);
		child = next();
		expect_failure(&child, ends[i]);
		feed(c, false, OK2);
		parent = next();
		cr_expect(is_child(&child, &parent));
		cr_expect_not(is_ambiguous(&child));
	}
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 6);
	cr_expect_eq(counter(LEDGER_CLIENT_CLAIMED), 6);
}

Test(unreached, at_an_unknown_address_it_does_not_make_the_thread_one_that_works_at_many)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	asks(stream());
	feed(c, true, GET);
	feed(c, false, OK2);
	next();
	address.sin_port = htons(8002);
	connects(stream(), ECONNREFUSED); /* of a log or database perhaps, with nothing open */
	address.sin_port = htons(8001);
	feed(c, true, GET);
	connects(stream(), ECONNREFUSED);
	child = next();
	feed(c, false, OK2);
	parent = next();
	cr_expect(is_child(&child, &parent));
}

Test(unreached, what_is_no_failure_of_the_address_has_no_span)
{
	static const int errors[] = { EADDRNOTAVAIL, EACCES, EBADF, EAFNOSUPPORT, EALREADY, EISCONN, EMFILE };

	asks(stream());
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		connects(stream(), errors[i]);
	cr_expect(nothing());
}

Test(unreached, the_error_that_is_asked_for_is_told_once)
{
	int fd = stream(), error = ECONNREFUSED, none = 0;
	uint64_t before;
	struct span_slot s;

	asks(stream());
	before = clock_now_ns();
	connects(fd, EINPROGRESS);
	cr_expect(nothing());
	shim_socket_error(fd, &error);
	s = next();
	expect_failure(&s, SPAN_END_REFUSED);
	cr_expect(s.head.start_ns >= before);
	shim_socket_error(fd, &error);
	shim_closing(fd);
	cr_expect(nothing());
	connects(fd, EINPROGRESS);
	shim_socket_error(fd, &none); /* it is there, what comes later is another matter */
	shim_socket_error(fd, &error);
	cr_expect(nothing());
}

Test(unreached, a_second_connect_tells_of_the_first)
{
	int fd = stream();
	uint64_t first_ns;
	struct span_slot s;

	asks(stream());
	connects(fd, EINPROGRESS);
	first_ns = clock_now_ns();
	connects(fd, EALREADY);
	connects(fd, ECONNREFUSED);
	s = next();
	expect_failure(&s, SPAN_END_REFUSED);
	cr_expect(s.head.start_ns <= first_ns);
	cr_expect(nothing());
}

Test(unreached, a_read_tells_of_it_but_not_of_a_connection_that_was_made)
{
	int fd = stream();
	struct span_slot s;

	asks(stream());
	connects(fd, EINPROGRESS);
	moves(fd, SHIM_IN, "", -1, EAGAIN);
	cr_expect(nothing());
	moves(fd, SHIM_IN, "", -1, ECONNREFUSED);
	s = next();
	expect_failure(&s, SPAN_END_REFUSED);
	connects(fd, EINPROGRESS);
	moves(fd, SHIM_IN, "", -1, ECONNRESET);
	cr_expect(nothing());
	connects(fd, 0);
	moves(fd, SHIM_IN, "", -1, ETIMEDOUT);
	cr_expect(nothing());
}

Test(unreached, a_request_sent_too_early_ends_so_and_is_the_only_one)
{
	int fd = stream();
	struct span_slot s;

	connects(fd, EINPROGRESS);
	moves(fd, SHIM_OUT, GET, -1, EAGAIN);
	moves(fd, SHIM_OUT, GET, -1, ECONNREFUSED);
	shim_closing(fd);
	s = next();
	cr_assert(span_record_valid(&s));
	cr_expect_eq(s.head.end, SPAN_END_REFUSED);
	cr_expect_eq(s.head.method, SPAN_METHOD_GET);
	cr_expect(nothing());
	connects(stream(), ECONNREFUSED); /* nor was anything sent */
	cr_expect(nothing());
}

Test(unreached, it_is_decided_as_its_parent_and_counted)
{
	struct conn *c = connection(CONN_SERVER);

	asks(stream());
	feed(c, true, WITH(UNSAMPLED));
	connects(stream(), ECONNREFUSED);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 2);
	cr_expect_eq(counter(LEDGER_CLIENT_CLAIMED), 1);
	cr_expect_eq(counter(LEDGER_CLIENT_SAMPLED_OUT), 1);
	cr_expect(nothing());
}

Test(unreached, without_client_spans_it_has_none)
{
	asks(stream());
	policy->flags = 0;
	connects(stream(), ECONNREFUSED);
	cr_expect(nothing());
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 1);
}

Test(unreached, many_addresses_are_remembered_and_the_last_always)
{
	struct span_slot s;

	for (int i = 0; i < 200; i++) {
		address.sin_port = htons((uint16_t)(8001 + i));
		asks(stream());
		connects(stream(), ECONNREFUSED);
		s = next();
		cr_assert_eq(s.head.end, SPAN_END_REFUSED);
		cr_assert_eq(s.head.peer.port, 8001 + i);
	}
}
