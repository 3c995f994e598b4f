/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that does nothing but answer, one connection after the other: what it
 * executes is the same in every run, so what a preloaded library adds can be counted.
 *
 *	host serve N		answers N requests, then ends; prints its port first
 *	host among N IDLE	the same, with IDLE connections that are there before
 *	host calls N		N reads and N writes on descriptors that are no sockets, behind a listen()
 *	host spans N		N spans of its own with an attribute, behind a listen()
 *	host idle N		accepts N connections, prints "ready", ends at the end of its standard input
 *	host hold N		reads a request from each of N connections, prints "held"; then answers all
 *	host burst N RATE	answers N requests of a child that sends them a hundred at a time, at
 *				RATE; prints the seconds
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/btrace.h" /* nothing to link */

#define BODY_BYTES 1024

static char answer[2048];
static size_t answer_bytes;

static void make_answer(void)
{
	int n = snprintf(answer, sizeof(answer),
			 "HTTP/1.1 200 OK\r\nServer: host\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			 "Content-Type: text/plain\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n",
			 BODY_BYTES);

	memset(answer + n, 'x', BODY_BYTES);
	answer_bytes = (size_t)n + BODY_BYTES;
}

static int listen_anywhere(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&any, &length)) {
		perror("host");
		exit(1);
	}
	printf("%d\n", ntohs(any.sin_port));
	fflush(stdout);
	return fd;
}

/* One whole request; false at the end of the stream. */
static int receive(int fd)
{
	static char in[1 << 20];
	size_t have = 0;
	ssize_t n;

	do {
		n = read(fd, in + have, sizeof(in) - have);
		if (n <= 0)
			return 0;
		have += (size_t)n;
	} while (have < 4 || memcmp(in + have - 4, "\r\n\r\n", 4) != 0);
	return 1;
}

static int reply(int fd) { return write(fd, answer, answer_bytes) == (ssize_t)answer_bytes; }

static int take(int listener)
{
	int one = 1, fd = accept(listener, NULL, NULL);

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void answer_all(int listener, long requests)
{
	int fd;

	while (requests > 0 && (fd = take(listener)) >= 0) {
		while (requests > 0 && receive(fd) && reply(fd))
			requests--;
		close(fd);
	}
}

static void serve(long requests) { answer_all(listen_anywhere(), requests); }

static void calls(long n)
{
	int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
	char c;

	close(listen_anywhere());
	for (; n > 0; n--)
		if (read(in, &c, 1) != 1 || write(out, &c, 1) != 1)
			exit(1);
}

static void spans(long n)
{
	close(listen_anywhere());
	for (; n > 0; n--) {
		btrace_span span = btrace_begin("a span");

		btrace_set_int(span, "number", n);
		btrace_end(span);
	}
}

static int *take_all(int listener, long n)
{
	int *fd = calloc((size_t)n, sizeof(*fd));

	for (long i = 0; fd && i < n; i++) {
		fd[i] = take(listener);
		if (fd[i] < 0) {
			perror("host: accept");
			exit(1);
		}
	}
	return fd;
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static void idle(long n)
{
	take_all(listen_anywhere(), n);
	say("ready");
	(void)!getchar();
}

static void hold(long n)
{
	int *fd = take_all(listen_anywhere(), n);

	for (long i = 0; i < n; i++)
		if (!receive(fd[i]))
			exit(1);
	say("held");
	for (long i = 0; i < n; i++)
		reply(fd[i]);
	(void)!getchar();
}

static double option; /* the third argument */

static void among(long requests)
{
	int listener = listen_anywhere();
	int *idle = take_all(listener, (long)option);

	say("ready");
	answer_all(listener, requests);
	free(idle);
}

#define BURST 100

static char *repeat(const char *text, size_t times)
{
	size_t n = strlen(text);
	char *all = malloc(n * times);

	for (size_t i = 0; all && i < times; i++)
		memcpy(all + i * n, text, n);
	return all;
}

static const char burst_request[] = "GET /burst HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: host\r\n\r\n";
static const char burst_answer[] = "HTTP/1.1 204 No Content\r\n\r\n";

static int read_all(int fd, char *in, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = read(fd, in + have, n - have);

		if (got <= 0)
			return 0;
		have += (size_t)got;
	}
	return 1;
}

/* A child of its own, so that its cost is not the host's. */
static void ask_in_bursts(int listener, long requests)
{
	struct timespec due;
	long pause_ns = option > 0 ? (long)(1e9 * BURST / option) : 0; /* 0: as fast as it goes */
	size_t ask = BURST * (sizeof(burst_request) - 1), answers = BURST * (sizeof(burst_answer) - 1);
	char *all = repeat(burst_request, BURST), *in = malloc(answers);
	struct sockaddr_in server;
	socklen_t length = sizeof(server);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!all || !in || getsockname(listener, (struct sockaddr *)&server, &length) ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)))
		_exit(1);
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (; requests > 0; requests -= BURST) {
		if (write(fd, all, ask) != (ssize_t)ask || !read_all(fd, in, answers))
			_exit(1);
		due.tv_nsec += pause_ns;
		due.tv_sec += due.tv_nsec / 1000000000;
		due.tv_nsec %= 1000000000;
		while (pause_ns && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
			;
	}
	_exit(0);
}

static void burst(long requests)
{
	size_t ask = BURST * (sizeof(burst_request) - 1), answers = BURST * (sizeof(burst_answer) - 1);
	char *all = repeat(burst_answer, BURST), *in = malloc(ask);
	int listener = listen_anywhere(), fd, status = 0;
	struct timespec begin, end;
	pid_t child = fork();

	if (child == 0)
		ask_in_bursts(listener, requests);
	fd = take(listener);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (; requests > 0; requests -= BURST)
		if (!all || !in || !read_all(fd, in, ask) || write(fd, all, answers) != (ssize_t)answers)
			exit(1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.6f\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	if (waitpid(child, &status, 0) != child || status)
		exit(1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(long n);
	} modes[] = {
		{ "serve", serve }, { "among", among }, { "calls", calls }, { "spans", spans },
		{ "idle", idle },   { "hold", hold },   { "burst", burst },
	};
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	make_answer();
	option = argc == 4 ? strtod(argv[3], NULL) : 0;
	for (size_t i = 0; argc >= 3 && i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run(strtol(argv[2], NULL, 10));
			return 0;
		}
	fprintf(stderr, "usage: host serve|among|calls|spans|idle|hold|burst N [IDLE|RATE]\n");
	return 2;
}
