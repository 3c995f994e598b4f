/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/*
 * A load generator: keep-alive connections, one request at a time on each, from one thread.
 *
 *	load PORT CONNECTIONS REQUESTS RATE PATH [HEADER...]
 *
 * RATE 0: as fast as answers come (closed loop). Else so many requests a second in all, and
 * the time of each counts from when it was due, so that a server that stalls cannot hide it.
 * Prints one line of JSON: requests, errors, seconds, cpu (its own), p50_us, p99_us, max_us.
 * Answers must have a Content-Length. Exit status 1 if anything went wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 8192

struct connection {
	int fd, busy, closes;
	uint64_t due_ns;
	size_t have; /* bytes of the head that were read */
	long body;   /* bytes still to come, -1: the head is not complete */
	char in[BUFFER];
};

struct load {
	struct connection *connection;
	struct sockaddr_in server;
	int count, epoll;
	long wanted, sent, done, errors;
	double interval_ns;
	uint64_t start_ns;
	uint32_t *microseconds;
	char request[1 << 17];
	size_t request_bytes;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_request(struct load *l, char **argv)
{
	size_t n =
		(size_t)snprintf(l->request, sizeof(l->request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
				 argv[0], ntohs(l->server.sin_port));

	for (argv++; *argv && n < sizeof(l->request); argv++)
		n += (size_t)snprintf(l->request + n, sizeof(l->request) - n, "%s\r\n", *argv);
	if (n + 2 >= sizeof(l->request)) {
		errno = E2BIG;
		fail("request");
	}
	memcpy(l->request + n, "\r\n", 2);
	l->request_bytes = n + 2;
}

static void open_connection(struct load *l, struct connection *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&l->server, sizeof(l->server)))
		fail("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event))
		fail("epoll_ctl");
}

static void reopen(struct load *l, struct connection *c)
{
	close(c->fd);
	c->closes = 0;
	open_connection(l, c);
}

static void send_request(struct load *l, struct connection *c, uint64_t due)
{
	if (write(c->fd, l->request, l->request_bytes) != (ssize_t)l->request_bytes) {
		l->errors++; /* counted, and the request is over */
		l->done++;
		l->sent++;
		reopen(l, c);
		return;
	}
	c->due_ns = due;
	c->busy = 1;
	c->have = 0;
	c->body = -1;
	l->sent++;
}

static uint64_t due(const struct load *l, long number)
{
	return l->start_ns + (uint64_t)(l->interval_ns * (double)number);
}

static void finished(struct load *l, struct connection *c)
{
	uint64_t took = now_ns() - c->due_ns;

	l->microseconds[l->done++] = (uint32_t)(took / 100); /* tenths */
	c->busy = 0;
	if (c->closes)
		reopen(l, c);
	if (l->interval_ns <= 0 && l->sent < l->wanted)
		send_request(l, c, now_ns());
}

/* Finds the end of the head; the rest of what was read belongs to the body. */
static void head(struct connection *c)
{
	char *end, *length;

	c->in[c->have] = 0;
	end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return;
	*end = 0;
	length = strcasestr(c->in, "\r\ncontent-length:");
	c->body = length ? strtol(length + 17, NULL, 10) : 0;
	c->closes = strcasestr(c->in, "\r\nconnection: close") != NULL;
	c->body -= (long)(c->have - (size_t)(end + 4 - c->in));
}

static void receive(struct load *l, struct connection *c)
{
	static char rest[1 << 16];
	ssize_t n;

	if (c->body < 0)
		n = read(c->fd, c->in + c->have, BUFFER - 1 - c->have);
	else
		n = read(c->fd, rest, sizeof(rest));
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) { /* closed: an error only in the middle of an answer */
		if (c->busy) {
			l->errors++;
			l->done++;
			c->busy = 0;
		}
		reopen(l, c);
		return;
	}
	if (c->body < 0) {
		c->have += (size_t)n;
		head(c);
	} else {
		c->body -= n;
	}
	if (c->busy && c->body == 0)
		finished(l, c);
}

static struct connection *find_idle(struct load *l)
{
	static int last;

	for (int i = 0; i < l->count; i++) {
		last = (last + 1) % l->count;
		if (!l->connection[last].busy)
			return &l->connection[last];
	}
	return NULL;
}

/* Sends what is due; milliseconds to wait for the next. */
static int send_due(struct load *l)
{
	struct connection *c;
	uint64_t now = now_ns();

	if (l->interval_ns <= 0)
		return 10000;
	while (l->sent < l->wanted && due(l, l->sent) <= now && (c = find_idle(l)))
		send_request(l, c, due(l, l->sent));
	return l->sent < l->wanted ? 0 : 10000;
}

static void run(struct load *l)
{
	struct epoll_event event[256];

	l->start_ns = now_ns();
	for (int i = 0; l->interval_ns <= 0 && i < l->count && l->sent < l->wanted; i++)
		send_request(l, &l->connection[i], now_ns());
	while (l->done < l->wanted) {
		int wait = send_due(l), n = epoll_wait(l->epoll, event, 256, wait);

		if (n == 0 && wait) {
			errno = ETIMEDOUT;
			fail("no answer");
		}
		for (int i = 0; i < n; i++)
			receive(l, event[i].data.ptr);
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void tell(struct load *l)
{
	double seconds = (double)(now_ns() - l->start_ns) / 1e9;
	struct rusage used;
	size_t n = (size_t)l->done;

	getrusage(RUSAGE_SELF, &used);
	qsort(l->microseconds, n, sizeof(*l->microseconds), by_value);
	printf("{\"requests\": %ld, \"errors\": %ld, \"seconds\": %.6f, \"cpu\": %.6f, \"p50_us\": %.1f, "
	       "\"p99_us\": %.1f, \"max_us\": %.1f}\n",
	       l->done, l->errors, seconds,
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
	       l->microseconds[n / 2] / 10.0, l->microseconds[n * 99 / 100] / 10.0,
	       l->microseconds[n - 1] / 10.0);
}

int main(int argc, char **argv)
{
	static struct load l;
	struct rlimit files;
	double rate;

	if (argc < 6) {
		fprintf(stderr, "usage: load PORT CONNECTIONS REQUESTS RATE PATH [HEADER...]\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	l.server = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_port = htons((uint16_t)strtol(argv[1], NULL, 10)),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	l.count = (int)strtol(argv[2], NULL, 10);
	l.wanted = strtol(argv[3], NULL, 10);
	rate = strtod(argv[4], NULL);
	l.interval_ns = rate > 0 ? 1e9 / rate : 0;
	make_request(&l, argv + 5);
	l.epoll = epoll_create1(0);
	l.connection = l.count > 0 ? calloc((size_t)l.count, sizeof(*l.connection)) : NULL;
	l.microseconds = l.wanted > 0 ? calloc((size_t)l.wanted, sizeof(*l.microseconds)) : NULL;
	if (!l.connection || !l.microseconds || l.epoll < 0)
		fail("start");
	for (int i = 0; i < l.count; i++)
		open_connection(&l, &l.connection[i]);
	run(&l);
	tell(&l);
	return l.errors != 0;
}
