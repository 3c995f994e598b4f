/* SPDX-License-Identifier: Apache-2.0 */
/* Part of witness.c: descriptors in every state that they may be in, and their other ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../shim/sys.h"

ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags, struct sockaddr *from,
		       socklen_t *length);

/* The number is that of the case, in what the other end asks. */
#define GET      "GET /0000 HTTP/1.1\r\nHost: here\r\nX-Filler: 0123456789\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* Fixed numbers, out of the way of those that the calls under test get. */
enum { LISTENER = 500, UNIX_LISTENER, PEER, SCRAP_LISTENER, BODY, PIPE_OUT, PIPE_IN, NOTHING, ALL_FIXED };

static struct sockaddr_in tcp, scrap; /* scrap: of a listener that never accepts */
static struct sockaddr_un unix_name = { .sun_family = AF_UNIX };
static size_t number;                    /* of the case */
static char in[4096], more[4096], *page; /* page: readable, behind it nothing is */
static char **headers;                   /* lower case, NULL at the end */
static volatile sig_atomic_t pipes, others;

static void on_signal(int number)
{
	if (number == SIGPIPE)
		pipes++;
	else
		others++;
}

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t hash(const void *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 16777619u;
	return h;
}

static void keep_at(int fd, int number)
{
	must(sys3(SYS_dup3, fd, number, O_CLOEXEC), "dup3");
	must(sys1(SYS_close, fd), "close");
}

static void peer_says(const char *text)
{
	char said[256];
	size_t n = strlen(text);

	memcpy(said, text, n + 1);
	for (char *at = said; (at = strstr(at, "/0000")); at++)
		for (size_t i = 4, rest = number; i; i--, rest /= 10)
			at[i] = (char)('0' + rest % 10);
	must(sys6(SYS_sendto, PEER, SYS_ARG(said), SYS_ARG(n), MSG_NOSIGNAL, 0, 0), "peer's send");
}

static int until(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, 20000) != 1)
		must(-1, "nothing comes");
	return fd;
}

static int accepted(const void *name, socklen_t length, int family, int listener)
{
	int fd = (int)sys3(SYS_socket, family, SOCK_STREAM, 0);

	must(fd, "peer's socket");
	keep_at(fd, PEER);
	must(sys3(SYS_connect, PEER, name, length), "peer's connect");
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	must(fd, "accept4");
	return fd;
}

static int connected(const void *name, socklen_t length, int family, int listener)
{
	int fd = socket(family, SOCK_STREAM, 0);

	must(fd, "socket");
	must(connect(fd, name, length), "connect");
	keep_at((int)sys4(SYS_accept4, listener, 0, 0, 0), PEER);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int tcp_server(void) { return accepted(&tcp, sizeof(tcp), AF_INET, LISTENER); }
static int tcp_client(void) { return connected(&tcp, sizeof(tcp), AF_INET, LISTENER); }
static int unix_server(void) { return accepted(&unix_name, sizeof(unix_name), AF_UNIX, UNIX_LISTENER); }
static int unix_client(void) { return connected(&unix_name, sizeof(unix_name), AF_UNIX, UNIX_LISTENER); }

static int with(int fd, const char *text)
{
	peer_says(text);
	return until(fd, POLLIN);
}

static int has_read(int fd)
{
	must(read(fd, in, sizeof(in)), "read");
	return fd;
}

static int asked(int fd)
{
	must(send(fd, GET, strlen(GET), 0), "send");
	return fd;
}

static int asked_and_answered(int fd) { return has_read(with(asked(fd), RESPONSE)); }

static int left(int fd)
{
	must(sys2(SYS_shutdown, PEER, SHUT_WR), "shutdown");
	return until(fd, POLLIN);
}

static int reset(int fd)
{
	struct linger at_once = { 1, 0 };

	must(sys5(SYS_setsockopt, PEER, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), "setsockopt");
	keep_at((int)sys2(SYS_dup, NOTHING, 0), PEER);
	return until(fd, POLLHUP);
}

/* Nothing more goes in. On a UNIX socket that is so when it says so; bytes on their way over TCP might make
 * room again. */
static int full(int fd)
{
	memset(more, 'f', sizeof(more));
	while (send(fd, more, sizeof(more), MSG_NOSIGNAL) > 0)
		;
	return fd;
}

static int full_server(void)
{
	int fd = has_read(with(unix_server(), GET));

	must(send(fd, "HTTP/1.1 200 OK\r\n\r\n", 19, 0), "send");
	return full(fd);
}

static int full_client(void)
{
	int fd = unix_client();

	must(send(fd, "PUT / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 44, 0), "send");
	return full(fd);
}

static int fresh_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	must(fd, "socket");
	must(listen(fd, 4), "listen");
	return fd;
}

static int listener_with_one(void)
{
	struct sockaddr_in name;
	socklen_t length = sizeof(name);
	int fd = fresh_listener(), peer = (int)sys3(SYS_socket, AF_INET, SOCK_STREAM, 0);

	must(getsockname(fd, (void *)&name, &length), "getsockname");
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(sys3(SYS_connect, peer, &name, length), "peer's connect");
	keep_at(peer, PEER);
	return until(fd, POLLIN);
}

static int refused(void)
{
	struct sockaddr_in nobody = tcp;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	nobody.sin_port = htons(1);
	errno = 0;
	connect(fd, (void *)&nobody, sizeof(nobody));
	printf("refused: %d\n", errno);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int socket_pair(void)
{
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), "socketpair");
	keep_at(fds[1], PEER);
	return with(fds[0], GET);
}

static int datagrams(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(any);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	must(bind(fd, (void *)&any, length) | getsockname(fd, (void *)&any, &length), "bind");
	must(connect(fd, (void *)&any, length), "connect");
	must(send(fd, GET, strlen(GET), 0), "send");
	return until(fd, POLLIN);
}

static int reading_pipe(void)
{
	must(write(PIPE_IN, GET, strlen(GET)), "write");
	return fcntl(PIPE_OUT, F_DUPFD, 3);
}

static int file(void)
{
	lseek(BODY, 0, SEEK_SET);
	return fcntl(BODY, F_DUPFD, 3);
}

static const struct {
	const char *name;
	int (*make)(void);
	int (*then)(int);
	const char *text; /* of the peer, before `then` */
} places[] = {
	{ "server", tcp_server, NULL, NULL },
	{ "server, request to read", tcp_server, NULL, GET },
	{ "server, two requests to read", tcp_server, NULL, GET GET },
	{ "server, request read", tcp_server, has_read, GET },
	{ "server, part of a head read", tcp_server, has_read, "POST / HTTP/1.1\r\nContent-Le" },
	{ "server, junk read", tcp_server, has_read, "\x16\x03\x01 no HTTP\r\n\r\n" },
	{ "server, peer has left", tcp_server, left, GET },
	{ "server, reset", tcp_server, reset, GET },
	{ "server, UNIX", unix_server, NULL, GET },
	{ "server, UNIX, request read", unix_server, has_read, GET },
	{ "server, UNIX, full", full_server, NULL, NULL },
	{ "client", tcp_client, NULL, NULL },
	{ "client, asked", tcp_client, asked, NULL },
	{ "client, answered", tcp_client, asked_and_answered, NULL },
	{ "client, junk to read", tcp_client, NULL, "220 no HTTP\r\n" },
	{ "client, peer has left", tcp_client, left, NULL },
	{ "client, reset", tcp_client, reset, NULL },
	{ "client, UNIX", unix_client, NULL, NULL },
	{ "client, UNIX, full", full_client, NULL, NULL },
	{ "client, refused", refused, NULL, NULL },
	{ "listener", fresh_listener, NULL, NULL },
	{ "listener, one waits", listener_with_one, NULL, NULL },
	{ "socketpair", socket_pair, NULL, NULL },
	{ "datagrams", datagrams, NULL, NULL },
	{ "pipe", reading_pipe, NULL, NULL },
	{ "file", file, NULL, NULL },
};
