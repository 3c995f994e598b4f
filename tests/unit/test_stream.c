/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporters/transport/loop.h"
#include "exporters/transport/stream.h"
#include "exporters/transport/transport.h"

static struct transport_loop loop;
static struct send_report last;
static int reports;

static void take_report(void *context, const struct send_report *report)
{
	(void)context;
	last = *report;
	reports++;
}

static void *open_console(struct endpoint *endpoint, int fd)
{
	void *state = NULL;
	char error[256];

	loop_init(&loop, NULL, NULL);
	endpoint->fd = fd;
	cr_assert_eq(transport_console.open(&state, endpoint, NULL, &loop, error), 0);
	return state;
}

static char lines[200000];

/* n lines of 100 bytes */
static struct payload make_lines(uint32_t n)
{
	memset(lines, 'a', n * 100);
	for (uint32_t i = 0; i < n; i++)
		lines[i * 100 + 99] = '\n';
	return (struct payload){ { lines, n * 100 }, n, false };
}

static size_t fill(int fd)
{
	char bytes[4096];
	size_t filled = 0;
	ssize_t n;

	memset(bytes, 'f', sizeof(bytes));
	while ((n = stream_write(fd, bytes, sizeof(bytes))) > 0)
		filled += (size_t)n;
	return filled;
}

static void read_exactly(int fd, char *p, size_t n)
{
	while (n) {
		ssize_t got = read(fd, p, n);

		cr_assert_gt(got, 0);
		p += got;
		n -= (size_t)got;
	}
}

/* What it reports when nobody reads; how many lines were rejected. */
static uint64_t full(int fd, int reader)
{
	struct endpoint endpoint = { .timeout_ms = 30 };
	void *state = open_console(&endpoint, fd);
	struct payload payload = make_lines(2000);
	int flags = fcntl(fd, F_GETFL);

	cr_assert_gt(fill(fd), 0);
	transport_console.send(state, &payload, take_report, NULL);
	cr_assert_eq(reports, 0);
	while (reports == 0)
		cr_assert_eq(loop_wait(&loop, 10000), 0);
	cr_assert_eq(last.result, SEND_PARTIAL);
	cr_assert_str_eq(last.message, "cannot write: nobody reads");
	cr_assert_eq(fcntl(fd, F_GETFL), flags, "the host's open file description is left alone");
	transport_console.close(state);
	close(reader);
	return last.rejected;
}

Test(stream, full_pipe_is_never_waited_for, .timeout = 20)
{
	int p[2];

	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(full(p[1], p[0]), 2000);
}

Test(stream, full_socket_is_never_waited_for, .timeout = 20)
{
	int p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	cr_assert_eq(full(p[1], p[0]), 2000);
}

Test(stream, full_terminal_is_never_waited_for, .timeout = 20)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	cr_assert_geq(master, 0);
	cr_assert_eq(grantpt(master), 0);
	cr_assert_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	cr_assert_geq(slave, 0);
	cr_assert_gt(full(slave, master), 0, "the terminal may take some more, later");
}

Test(stream, late_reader_gets_every_line_whole, .timeout = 20)
{
	struct endpoint endpoint = { .timeout_ms = 10000 };
	struct payload payload;
	static char got[200000];
	size_t filled;
	void *state;
	int p[2];

	cr_assert_eq(pipe(p), 0);
	state = open_console(&endpoint, p[1]);
	filled = fill(p[1]);
	payload = make_lines(1500);
	transport_console.send(state, &payload, take_report, NULL);
	cr_assert_eq(reports, 0);
	read_exactly(p[0], got, filled);
	for (size_t at = 0; at < payload.bytes.n; at += 50000) {
		loop_wait(&loop, 1000);
		read_exactly(p[0], got + at, 50000);
	}
	while (reports == 0)
		loop_wait(&loop, 1000);
	cr_assert_eq(last.result, SEND_OK);
	cr_assert_eq(memcmp(got, payload.bytes.p, payload.bytes.n), 0);
	transport_console.close(state);
}

Test(stream, lines_that_were_written_count_as_sent_and_a_cut_one_is_ended, .timeout = 20)
{
	struct endpoint endpoint = { .timeout_ms = 30 };
	struct payload payload = make_lines(1000);
	static char got[200000];
	uint64_t written;
	void *state;
	int p[2];

	cr_assert_eq(pipe(p), 0);
	state = open_console(&endpoint, p[1]);
	transport_console.send(state, &payload, take_report, NULL);
	while (reports == 0)
		loop_wait(&loop, 1000);
	cr_assert_eq(last.result, SEND_PARTIAL);
	written = 1000 - last.rejected;
	cr_assert_eq(written, 65536 / 100);
	read_exactly(p[0], got, 65536);
	payload = (struct payload){ SLICE("next"), 1, false };
	transport_console.send(state, &payload, take_report, NULL);
	cr_assert_eq(last.result, SEND_OK);
	read_exactly(p[0], got, 6);
	cr_assert_eq(memcmp(got, "\nnext\n", 6), 0);
	transport_console.close(state);
}

Test(stream, reader_that_has_gone_is_a_counted_failure, .timeout = 20)
{
	struct endpoint endpoint = { 0 };
	struct payload payload = make_lines(3);
	void *state;
	int p[2];

	cr_assert_eq(pipe(p), 0);
	state = open_console(&endpoint, p[1]);
	close(p[0]);
	transport_console.send(state, &payload, take_report, NULL);
	cr_assert_eq(reports, 1);
	cr_assert_eq(last.rejected, 3);
	cr_assert_str_eq(last.message, "cannot write: Broken pipe");
	transport_console.close(state);
}
