/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that asks another: relay PORT BACKEND. Each request's target is asked of the backend on 127.0.0.1,
 * the answer's body is all that the backend sent. A thread and a connection for each request.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, ANSWER_MAX = 65536 };

static struct sockaddr_in backend = { .sin_family = AF_INET };

static void send_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n && (done = send(fd, p, n, MSG_NOSIGNAL)) > 0; n -= (size_t)done)
		p += done;
}

/* Everything until the close, in two reads of each kind. */
static size_t read_all(int fd, char *to, size_t room)
{
	struct iovec iov[2];
	size_t n = 0;
	ssize_t got;

	do {
		iov[0] = (struct iovec){ to + n, (room - n) / 2 };
		iov[1] = (struct iovec){ to + n + (room - n) / 2, room - n - (room - n) / 2 };
		got = n % 2 ? recv(fd, to + n, room - n, 0) : readv(fd, iov, 2);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && n < room);
	return n;
}

static size_t ask(const char *target, char *answer)
{
	char head[HEAD_MAX + 128];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int n = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: backend\r\nConnection: close\r\n\r\n",
			 target);
	struct iovec iov[3] = { { head, 2 },
				{ head + 2, (size_t)n / 2 },
				{ head + 2 + n / 2, (size_t)(n - 2 - n / 2) } };
	size_t got = 0;

	if (!connect(fd, (struct sockaddr *)&backend, sizeof(backend)) && writev(fd, iov, 3) == n)
		got = read_all(fd, answer, ANSWER_MAX);
	close(fd);
	return got;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char *in = calloc(1, HEAD_MAX), *answer = malloc(ANSWER_MAX), head[128], *target, *end;
	size_t have = 0, size;
	ssize_t got;

	while (!strstr(in, "\r\n\r\n") && (got = recv(fd, in + have, HEAD_MAX - 1 - have, 0)) > 0)
		have += (size_t)got;
	target = strchr(in, ' ');
	end = target ? strchr(target + 1, ' ') : NULL;
	if (end) {
		*end = 0;
		size = ask(target + 1, answer);
		snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", size);
		send_all(fd, head, strlen(head));
		send_all(fd, answer, size);
	}
	close(fd);
	free(in);
	free(answer);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0), c;
	pthread_t thread;

	if (argc < 3)
		return 2;
	backend.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	backend.sin_port = htons((unsigned short)atoi(argv[2]));
	address.sin_port = htons((unsigned short)atoi(argv[1]));
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&address, sizeof(address)) || listen(s, 64))
		return 1;
	while ((c = accept(s, NULL, NULL)) >= 0)
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)c) || pthread_detach(thread))
			close(c);
	return 0;
}
