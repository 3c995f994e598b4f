/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server that does its socket calls in every way there is, chosen by a seed; for
 * the chaos tests. A thread for each connection.
 *
 *	many_ways PORT SEED
 *
 * The target says what the answer is: /any?s=STATUS&f=FRAMING&n=BYTES&i=INTERIM&...
 * f: l (Content-Length), c (chunked), e (until the close). i: so many interim responses.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD_MAX   (128 * 1024)
#define FILE_BYTES (1 << 20)

struct peer {
	int fd, twin; /* two numbers for one socket, or the same twice */
	unsigned seed;
	size_t have; /* bytes of in */
	char in[HEAD_MAX];
};

struct request {
	char method[40], target[8192];
	unsigned long long length;
	bool chunked, expect, close;
	unsigned status, interim;
	unsigned long bytes;
	char framing;
};

static int file = -1; /* what sendfile() sends from */
static unsigned seed;

static unsigned roll(struct peer *p, unsigned n) { return (unsigned)rand_r(&p->seed) % n; }

static int either(struct peer *p) { return roll(p, 2) ? p->fd : p->twin; }

static bool again(struct peer *p, short what)
{
	struct pollfd poll_fd = { p->fd, what, 0 };

	return (errno == EAGAIN || errno == EINTR) && poll(&poll_fd, 1, 30000) == 1;
}

/* --- reading --- */

static ssize_t receive_once(struct peer *p, char *to, size_t n)
{
	size_t half = n / 2;
	struct iovec iov[2] = { { to, half }, { to + half, n - half } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	int fd = either(p);

	switch (roll(p, 6)) {
	case 0: return recv(fd, to, n, 0);
	case 1: return recvfrom(fd, to, n, 0, NULL, NULL);
	case 2: return readv(fd, iov, 2);
	case 3: return recvmsg(fd, &message, 0);
	case 4: {
		ssize_t seen = recv(fd, to, n, MSG_PEEK);

		return seen > 0 ? read(fd, to, (size_t)seen) : seen;
	}
	default: return read(fd, to, n);
	}
}

static bool receive(struct peer *p)
{
	static const size_t sizes[] = { 1, 3, 100, 4096, 4096, 65536 };
	size_t room = sizeof(p->in) - p->have, n = sizes[roll(p, 6)];
	ssize_t got;

	if (!room)
		return false;
	do
		got = receive_once(p, p->in + p->have, n < room ? n : room);
	while (got < 0 && again(p, POLLIN));
	if (got <= 0)
		return false;
	p->have += (size_t)got;
	return true;
}

static void consume(struct peer *p, size_t n)
{
	memmove(p->in, p->in + n, p->have - n);
	p->have -= n;
}

static bool pass(struct peer *p, unsigned long long n)
{
	while (n) {
		size_t now = p->have < n ? p->have : (size_t)n;

		consume(p, now);
		n -= now;
		if (n && !receive(p))
			return false;
	}
	return true;
}

/* The next line without its end, NUL-terminated in p->in; *n: what to consume. */
static char *line(struct peer *p, size_t *n)
{
	char *lf;

	while (!(lf = memchr(p->in, '\n', p->have)))
		if (!receive(p))
			return NULL;
	*n = (size_t)(lf - p->in) + 1;
	*lf = '\0';
	if (lf > p->in && lf[-1] == '\r')
		lf[-1] = '\0';
	return p->in;
}

static bool pass_body(struct peer *p, const struct request *r)
{
	unsigned long long size;
	size_t n;
	char *l;

	if (!r->chunked)
		return pass(p, r->length);
	do {
		if (!(l = line(p, &n)))
			return false;
		size = strtoull(l, NULL, 16);
		consume(p, n);
		if (size && (!pass(p, size) || !(l = line(p, &n)) || (consume(p, n), false)))
			return false;
	} while (size);
	do {
		if (!(l = line(p, &n)))
			return false;
		size = strlen(l);
		consume(p, n);
	} while (size);
	return true;
}

/* --- writing --- */

static ssize_t send_once(struct peer *p, const char *from, size_t n, int flags)
{
	size_t half = n / 2;
	struct iovec iov[2] = { { (void *)from, half }, { (void *)(from + half), n - half } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	int fd = either(p);

	switch (roll(p, 6)) {
	case 0: return send(fd, from, n, MSG_NOSIGNAL);
	case 1: return send(fd, from, n, MSG_NOSIGNAL | flags);
	case 2: return writev(fd, iov, 2);
	case 3: return sendmsg(fd, &message, MSG_NOSIGNAL);
	case 4: return sendto(fd, from, n, MSG_NOSIGNAL, NULL, 0);
	default: return write(fd, from, n);
	}
}

static bool put(struct peer *p, const char *from, size_t n)
{
	bool whole = roll(p, 2);

	while (n) {
		size_t now = whole ? n : 1 + roll(p, n < 300 ? (unsigned)n : 70000);
		ssize_t sent = send_once(p, from, now < n ? now : n, now < n ? MSG_MORE : 0);

		if (sent < 0 && !again(p, POLLOUT))
			return false;
		from += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

static __attribute__((format(printf, 2, 3))) bool say(struct peer *p, const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return put(p, text, (size_t)n);
}

static bool put_file(struct peer *p, size_t n)
{
	off_t at = 0;

	while (n) {
		ssize_t sent = sendfile(either(p), file, &at, n);

		if (sent < 0 && !again(p, POLLOUT))
			return false;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

static bool put_spliced(struct peer *p, size_t n)
{
	bool good = true;
	loff_t at = 0;
	int pipes[2];

	if (pipe(pipes))
		return put_file(p, n);
	while (good && n) {
		ssize_t in = splice(file, &at, pipes[1], NULL, n < 32768 ? n : 32768, 0), out;

		for (n -= (size_t)in; good && in > 0; in -= out > 0 ? out : 0) {
			out = splice(pipes[0], NULL, either(p), NULL, (size_t)in, 0);
			good = out > 0 || again(p, POLLOUT);
		}
	}
	close(pipes[0]);
	close(pipes[1]);
	return good;
}

/* Bytes that would be messages if anybody looked for such in a body. */
static bool put_bytes(struct peer *p, size_t n)
{
	static char bytes[65536];
	static const char text[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";

	for (size_t i = 0; !bytes[sizeof(bytes) - 1] && i < sizeof(bytes); i++)
		bytes[i] = text[i % (sizeof(text) - 1)];
	for (size_t now; n; n -= now) {
		now = n < sizeof(bytes) ? n : sizeof(bytes);
		if (!put(p, bytes, now))
			return false;
	}
	return true;
}

static bool put_body(struct peer *p, size_t n)
{
	switch (n <= FILE_BYTES ? roll(p, 3) : 0) {
	case 1: return put_file(p, n);
	case 2: return put_spliced(p, n);
	default: return put_bytes(p, n);
	}
}

static bool put_chunks(struct peer *p, size_t n)
{
	for (size_t now; n; n -= now) {
		now = 1 + roll(p, 20000);
		now = now < n ? now : n;
		if (!say(p, roll(p, 4) ? "%zx\r\n" : "%zX;a=\"b\"\r\n", now) || !put_body(p, now) ||
		    !say(p, "\r\n"))
			return false;
	}
	return say(p, roll(p, 3) ? "0\r\n\r\n" : "000\r\nContent-Length: 7\r\nT: v\r\n\r\n");
}

static bool bodiless(const struct request *r)
{
	return strcmp(r->method, "HEAD") == 0 || r->status == 204 || r->status == 304;
}

static bool answer(struct peer *p, const struct request *r)
{
	for (unsigned i = 0; i < r->interim; i++)
		if (!say(p, i % 2 ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
				  : "HTTP/1.1 100 Continue\r\n\r\n"))
			return false;
	if (!say(p, "HTTP/1.1 %u %s\r\n", r->status, roll(p, 2) ? "As asked" : "") ||
	    !say(p, "Server: many ways\r\nContent-Type: text/plain\r\n"))
		return false;
	if (r->framing == 'c'
		    ? !say(p, "Transfer-Encoding: chunked\r\n")
		    : r->framing == 'l' && r->status != 204 && !say(p, "Content-Length: %lu\r\n", r->bytes))
		return false;
	if (!say(p, r->close ? "Connection: close\r\n\r\n" : "\r\n"))
		return false;
	if (bodiless(r))
		return true;
	return r->framing == 'c' ? put_chunks(p, r->bytes) : put_body(p, r->bytes);
}

/* --- serving --- */

static unsigned long option(const char *target, const char *name, unsigned long otherwise)
{
	const char *at = strstr(target, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : otherwise;
}

static void read_options(struct request *r)
{
	const char *framing = strstr(r->target, "&f=");

	r->status = (unsigned)option(r->target, "?s=", 200);
	r->bytes = option(r->target, "&n=", 0);
	r->interim = (unsigned)option(r->target, "&i=", 0);
	r->framing = framing ? framing[3] : 'l';
	if (r->framing == 'e')
		r->close = true;
}

static bool read_head(struct peer *p, struct request *r)
{
	char *l, version[16];
	size_t n;

	memset(r, 0, sizeof(*r));
	do {
		if (!(l = line(p, &n)))
			return false;
		if (*l && sscanf(l, "%39s %8191s %15s", r->method, r->target, version) != 3)
			return false;
		consume(p, n);
	} while (!*r->method);
	r->close = strcmp(version, "HTTP/1.0") == 0;
	while ((l = line(p, &n)) && *l) {
		if (strncasecmp(l, "Content-Length:", 15) == 0)
			r->length = strtoull(l + 15, NULL, 10);
		r->chunked |= strncasecmp(l, "Transfer-Encoding:", 18) == 0;
		r->expect |= strncasecmp(l, "Expect:", 7) == 0;
		r->close |= strcasecmp(l, "Connection: close") == 0;
		consume(p, n);
	}
	if (!l)
		return false;
	consume(p, n);
	read_options(r);
	return true;
}

static void *serve(void *arg)
{
	struct peer *p = arg;
	struct request *r = malloc(sizeof(*r));

	while (r && read_head(p, r)) {
		if (r->expect && !say(p, "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"))
			break;
		if (!pass_body(p, r) || !answer(p, r) || r->close)
			break;
	}
	shutdown(p->fd, SHUT_WR);
	while (p->have = 0, r && receive(p)) /* drain, so that the client gets all */
		;
	if (p->twin != p->fd)
		close(p->twin);
	close(p->fd);
	free(r);
	free(p);
	return NULL;
}

static void start(int fd, unsigned number)
{
	struct peer *p = malloc(sizeof(*p));
	pthread_attr_t attr;
	pthread_t thread;
	int on = 1;

	if (!p)
		abort();
	p->have = 0;
	p->seed = seed * 2654435761u + number;
	p->fd = fd;
	p->twin = roll(p, 3) ? fd : dup(fd);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (roll(p, 2))
		fcntl(fd, F_SETFL, O_NONBLOCK);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	if (pthread_create(&thread, &attr, serve, p))
		abort();
	pthread_attr_destroy(&attr);
}

/* The kernel writes four bytes of the address, and nobody else may write more. */
static int accept_with_little_room(int listener)
{
	char room[32];
	socklen_t n = 4;
	int fd;

	memset(room, 'Z', sizeof(room));
	fd = accept(listener, (struct sockaddr *)room, &n);
	for (size_t i = 4; i < sizeof(room); i++)
		if (room[i] != 'Z')
			abort();
	if (fd >= 0 && n != sizeof(struct sockaddr_in))
		abort();
	return fd;
}

static void leave(int number)
{
	(void)number;
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;

	if (argc < 3)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	seed = (unsigned)atoi(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, leave);
	file = memfd_create("body", MFD_CLOEXEC);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (file < 0 || ftruncate(file, FILE_BYTES) ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 4096))
		return 1;
	for (unsigned i = 0;; i++) {
		fd = i % 3 == 0   ? accept(listener, NULL, NULL)
		     : i % 3 == 1 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC)
				  : accept_with_little_room(listener);
		if (fd >= 0)
			start(fd, i);
	}
}
