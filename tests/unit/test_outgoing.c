/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <strings.h>

#include "tests/lib/sender.h"
#include "tests/unit/exchange_helper.h"

/* What goes out when a program sends requests: the context is written in, and the program sees its own bytes.
 */

#define POST "POST /b HTTP/1.1\r\nTRACEPARENT: old\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"
#define BOTH GET POST GET

static void begin_sending(void)
{
	struct policy *policy;

	begin();
	policy = (struct policy *)(uintptr_t)table_policy(&shim.table);
	policy->flags = POLICY_FLAG_CLIENT_SPANS | POLICY_FLAG_INJECT;
	policy->root = POLICY_ROOT_NEVER; /* so that no slot stays in use */
}

/* The same text with a context in each head and none of the program's. */
static char *expected(const char *in)
{
	static char out[4096];
	const char *at = in;
	size_t n = 0;

	while (*at) {
		const char *end = strstr(at, "\r\n");
		size_t length = end ? (size_t)(end - at) + 2 : strlen(at);

		if (length == 2)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "traceparent: 00-%049d-00\r\n", 0);
		if (strncasecmp(at, "traceparent:", 12) != 0) {
			memcpy(out + n, at, length);
			n += length;
		}
		at += length;
	}
	out[n] = 0;
	for (char *p = out; (p = strstr(p, "traceparent: 00-")); p += 65)
		memset(p + 16, 'x', 49);
	return out;
}

static void expect_sent(struct sender *s, const char *in)
{
	sender_forget_ids(s);
	cr_assert_str_eq(s->out, expected(in));
}

/* All of it by calls of at most `most` bytes, from where the calls before have come to. */
static void send_all(struct sender *s, const char *in, size_t most)
{
	size_t n = strlen(in), at = 0;

	for (unsigned tries = 0; at < n; tries++) {
		struct iovec iov = { (void *)(uintptr_t)(in + at), n - at < most ? n - at : most };
		ssize_t result = sender_send(s, &iov, 1);

		cr_assert(result <= (ssize_t)iov.iov_len && result != 0);
		cr_assert(result > 0 || errno == EAGAIN || errno == EINTR);
		cr_assert(tries < 100000, "nothing goes on");
		at += result > 0 ? (size_t)result : 0;
	}
}

Test(outgoing, each_request_has_one_context, .init = begin_sending)
{
	struct sender s;

	sender_init(&s);
	send_all(&s, BOTH, SIZE_MAX);
	expect_sent(&s, BOTH);
	cr_expect_eq(counter(LEDGER_INJECTED), 3);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 3);
	sender_release(&s);
}

Test(outgoing, calls_of_every_length_send_the_same, .init = begin_sending)
{
	for (size_t most = 1; most <= sizeof(BOTH); most++) {
		struct sender s;

		sender_init(&s);
		send_all(&s, BOTH, most);
		expect_sent(&s, BOTH);
		sender_release(&s);
	}
}

struct point { /* so many bytes go through, then the kernel is full once */
	size_t at;
	long error;
};

static long full_once(struct sender *s, size_t asked)
{
	struct point *p = s->context;
	size_t room = s->n < p->at ? p->at - s->n : 0;

	if (s->n > p->at || p->error == 1)
		return (long)asked;
	if (room)
		return (long)(room < asked ? room : asked);
	asked = (size_t)p->error;
	p->error = 1;
	return -(long)asked;
}

Test(outgoing, a_kernel_that_is_full_at_any_point_changes_nothing, .init = begin_sending)
{
	static const long errors[] = { EAGAIN, EINTR };

	for (size_t at = 0; at < sizeof(BOTH) + 150; at++)
		for (unsigned e = 0; e < 2; e++) {
			struct point point = { at, errors[e] };
			struct sender s;

			sender_init(&s);
			s.takes = full_once;
			s.context = &point;
			send_all(&s, BOTH, SIZE_MAX);
			expect_sent(&s, BOTH);
			sender_release(&s);
		}
}

static long one_byte(struct sender *s, size_t asked)
{
	unsigned *calls = s->context;

	(void)asked;
	return ++*calls % 2 ? 0 : 1;
}

Test(outgoing, one_byte_at_a_time_and_never_at_once, .init = begin_sending)
{
	unsigned calls = 0;
	struct sender s;

	sender_init(&s);
	s.takes = one_byte;
	s.context = &calls;
	send_all(&s, BOTH, SIZE_MAX);
	expect_sent(&s, BOTH);
	sender_release(&s);
}

static long refuses(struct sender *s, size_t asked)
{
	(void)s;
	(void)asked;
	return -EPIPE;
}

Test(outgoing, an_error_is_the_programs, .init = begin_sending)
{
	struct iovec iov = { (void *)(uintptr_t)GET, sizeof(GET) - 1 };
	struct sender s;

	sender_init(&s);
	s.takes = refuses;
	cr_assert_eq(sender_send(&s, &iov, 1), -1);
	cr_assert_eq(errno, EPIPE);
	cr_assert_eq(s.n, 0);
	sender_release(&s);
}

Test(outgoing, what_is_no_http_goes_by, .init = begin_sending)
{
	static const char *const other[] = { "\x16\x03\x01\x02 hello traceparent: x\r\n\r\n",
					     "*1\r\n$4\r\nPING\r\n", "SSH-2.0-x\r\n" };

	for (unsigned i = 0; i < 3; i++)
		for (size_t most = 1; most < 20; most++) {
			struct sender s;

			sender_init(&s);
			send_all(&s, other[i], most);
			cr_assert_str_eq(s.out, other[i]);
			sender_release(&s);
		}
}

/* Another thread writes into it, or the like: followed no more in the middle of a head. */
Test(outgoing, a_connection_that_is_given_up_sends_all_lines_whole, .init = begin_sending)
{
	static const char in[] = "GET /a HTTP/1.1\r\ntraceparent: old\r\nHost: h\r\nX-Other: 1\r\n\r\n";
	static const char *const whole[] = { "traceparent: old\r\n", "Host: h\r\n", "X-Other: 1\r\n",
					     "GET /a HTTP/1.1\r\n" };
	size_t n = sizeof(in) - 1;

	for (size_t cut = 1; cut < n; cut++) {
		struct iovec iov[2] = { { (void *)(uintptr_t)in, cut },
					{ (void *)(uintptr_t)(in + cut), n - cut } };
		struct sender s;

		sender_init(&s);
		cr_assert_eq(sender_send(&s, &iov[0], 1), (ssize_t)cut);
		conn_give_up(s.c, LEDGER_OPAQUE_CONTENDED);
		cr_assert_eq(sender_send(&s, &iov[1], 1), (ssize_t)(n - cut));
		cr_assert_eq(s.n, n, "%zu: %s", cut, s.out);
		for (unsigned i = 0; i < 4; i++) {
			const char *line = strstr(s.out, whole[i]);

			cr_assert(line && (line == s.out || line[-1] == '\n'), "%zu: %s", cut, s.out);
		}
		sender_release(&s);
	}
}
