/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/exchange.h"
#include "shim/foresight.h"
#include "tests/unit/exchange_helper.h"

/* What was foreseen of a write, against what parsing it says. */

/* A write as the hooks report it: foreseen, then made, all of it or only `went` bytes. */
static void write_out(struct conn *to, const char *text, size_t n, size_t went)
{
	struct iovec iov = { (void *)(uintptr_t)text, n };
	uint32_t generation = atomic_load(&to->generation);

	if (!conn_enter(to, generation, CONN_OUT_BUSY))
		return;
	exchange_output_predict(to, &iov, 1, n);
	conn_leave(to, CONN_OUT_BUSY);
	if (!conn_enter(to, generation, CONN_OUT_BUSY))
		return;
	exchange_output(to, &iov, 1, went);
	conn_leave(to, CONN_OUT_BUSY);
}

static void expect_same(const struct span_slot *a, const struct span_slot *b, const char *text, size_t piece)
{
	cr_expect_eq(a->head.status, b->head.status, "%s by %zu", text, piece);
	cr_expect_eq(a->head.end, b->head.end, "%s by %zu", text, piece);
	cr_expect_eq(a->head.response_head_bytes, b->head.response_head_bytes, "%s by %zu", text, piece);
	cr_expect_eq(a->head.response_body_bytes, b->head.response_body_bytes, "%s by %zu", text, piece);
	cr_expect_eq(a->head.response_start_ns != 0, b->head.response_start_ns != 0);
	cr_expect_eq(a->head.end_ns != 0, b->head.end_ns != 0);
}

#define CHUNKS \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x\r\nok!\r\n0\r\nA: b\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

Test(foresight, a_write_that_was_foreseen_is_recorded_as_one_that_was_not, .init = begin)
{
	static const char *const answers[] = {
		OK2,
		NONE,
		CHUNKS,
		CONTINUE OK2,
		OK2 OK2 NONE,
		CHUNKS OK2,
		NONE CHUNKS,
		"\r\n" OK2,
		OK2 "junk",
		"no response",
		CHUNKS "junk",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n\1\2",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok",
		"HTTP/1.1 200 OK\r\n\r\nto the end",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		for (size_t piece = 1, n = strlen(answers[i]); piece <= n; piece++)
			for (unsigned spans = 0; spans < 3; spans++) {
				struct span_slot slot[2][3];

				for (unsigned foreseen = 0; foreseen < 2; foreseen++) {
					c = conn_at(conn_new(CONN_SERVER));
					request(GET GET GET);
					for (size_t at = 0; foreseen && at < n; at += piece)
						write_out(c, answers[i] + at, n - at < piece ? n - at : piece,
							  n - at < piece ? n - at : piece);
					if (!foreseen)
						feed(false, answers[i], piece);
					conn_drop(c->index);
					for (unsigned k = 0; k < 3; k++)
						slot[foreseen][k] = next();
				}
				expect_same(&slot[0][spans], &slot[1][spans], answers[i], piece);
			}
}

Test(foresight, of_a_write_that_was_foreseen_whole_only_what_went_out_counts, .init = begin)
{
	for (size_t went = 1, n = strlen(CHUNKS); went < n; went++) {
		c = conn_at(conn_new(CONN_SERVER));
		request(GET);
		write_out(c, CHUNKS, n, went);
		cr_assert_eq(finished(), 0, "%zu bytes", went);
		write_out(c, CHUNKS + went, n - went, n - went);
		expect(200, SPAN_END_COMPLETE, 0, 5);
		conn_drop(c->index);
	}
}

Test(foresight, what_was_foreseen_of_one_connection_is_not_taken_for_another, .init = begin)
{
	static const char other[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	struct iovec iov = { (void *)(uintptr_t)OK2, strlen(OK2) };
	struct conn *first = c;

	request(GET);
	exchange_output_predict(c, &iov, 1, iov.iov_len);
	c = conn_at(conn_new(CONN_SERVER)); /* as a signal handler that serves would */
	request(GET);
	write_out(c, other, sizeof(other) - 1, sizeof(other) - 1);
	expect(404, SPAN_END_COMPLETE, 0, 0);
	c = first;
	respond(OK2);
	expect(200, SPAN_END_COMPLETE, 0, 2);
	request(GET);
	respond(other); /* nothing was foreseen of this one */
	expect(404, SPAN_END_COMPLETE, 0, 0);
}

static int accepted_connection(int *client)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), server;

	cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&at, &length);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(*client, (struct sockaddr *)&at, sizeof(at)), 0);
	server = accept(listener, NULL, NULL);
	close(listener);
	return server;
}

Test(foresight, the_kernel_tells_whether_a_write_that_never_returned_went_out)
{
	static struct conn own;
	int client, server = accepted_connection(&client), pair[2];
	char got[16];

	own.sent = 3;
	own.announced = 4;
	cr_assert_eq(write(server, "abc", 3), 3);
	cr_expect_not(foresight_went_out(server, &own), "nothing of it");
	cr_assert_eq(write(server, "de", 2), 2);
	cr_expect_not(foresight_went_out(server, &own), "half of it");
	cr_assert_eq(write(server, "fg", 2), 2);
	cr_expect(foresight_went_out(server, &own), "in the socket's buffer");
	cr_assert_eq(recv(client, got, 7, MSG_WAITALL), 7);
	cr_expect(foresight_went_out(server, &own), "read by the client");
	shutdown(server, SHUT_WR);
	cr_expect(foresight_went_out(server, &own), "and the end of the stream behind it");
	cr_assert_eq(recv(client, got, 1, 0), 0);
	cr_expect(foresight_went_out(server, &own), "which has been read, too");
	atomic_store(&shim.locked, SHIM_FILTERED);
	cr_expect_not(foresight_went_out(server, &own), "it must not be asked under seccomp");
	atomic_store(&shim.locked, SHIM_FREE);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(write(pair[0], "abcdefg", 7), 7);
	cr_expect_not(foresight_went_out(pair[0], &own), "a UNIX socket does not tell");
}
