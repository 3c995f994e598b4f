/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/transport/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK_BYTES = 512 * 1024 };

struct resolver { /* owned by two, the thread and the caller; the last one frees it */
	_Atomic int owners;
	int fd; /* eventfd */
	int result;
	struct addresses found;
	char port[8];
	char host[];
};

static void add(struct addresses *out, const struct sockaddr *at, socklen_t length)
{
	if (out->n == RESOLVER_ADDRESSES || length > sizeof(out->item[0].at))
		return;
	memcpy(&out->item[out->n].at, at, length);
	out->item[out->n++].length = length;
}

static int look_up(struct addresses *out, const char *host, const char *port, int flags)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = flags | AI_NUMERICSERV },
			*list = NULL;
	int rc = getaddrinfo(host, port, &hints, &list);

	out->n = 0;
	if (rc != 0)
		return rc;
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			add(out, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return out->n ? 0 : EAI_NONAME;
}

int resolver_direct(struct addresses *out, const char *host, uint16_t port)
{
	char text[8];

	out->n = 0;
	if (strcasecmp(host, "localhost") == 0) {
		struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

		v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		v6.sin6_addr = in6addr_loopback;
		add(out, (const struct sockaddr *)&v4, sizeof(v4));
		add(out, (const struct sockaddr *)&v6, sizeof(v6));
		return 0;
	}
	snprintf(text, sizeof(text), "%u", port);
	return look_up(out, host, text, AI_NUMERICHOST) == 0 ? 0 : -EAGAIN;
}

static void let_go(struct resolver *r)
{
	if (atomic_fetch_sub_explicit(&r->owners, 1, memory_order_acq_rel) > 1)
		return;
	close(r->fd);
	free(r);
}

static void *resolve(void *context)
{
	struct resolver *r = context;

	r->result = look_up(&r->found, r->host, r->port, 0);
	/* The eventfd's counter publishes the result. */
	(void)!write(r->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	let_go(r);
	return NULL;
}

/* No signal of the process is for this thread. */
static int start_thread(struct resolver *r)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attributes, resolve, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -rc;
}

int resolver_start(struct resolver **out, const char *host, uint16_t port, int *fd)
{
	struct resolver *r = calloc(1, sizeof(*r) + strlen(host) + 1);
	int rc;

	if (!r)
		return -ENOMEM;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0) {
		rc = -errno;
		free(r);
		return rc;
	}
	memcpy(r->host, host, strlen(host) + 1);
	snprintf(r->port, sizeof(r->port), "%u", port);
	atomic_init(&r->owners, 2);
	*fd = r->fd;
	rc = start_thread(r);
	if (rc < 0) {
		close(r->fd);
		free(r);
		return rc;
	}
	*out = r;
	return 0;
}

int resolver_result(struct resolver *r, struct addresses *out)
{
	uint64_t done;

	if (read(r->fd, &done, sizeof(done)) != sizeof(done))
		return EAI_AGAIN;
	*out = r->found;
	return r->result;
}

void resolver_free(struct resolver *r)
{
	if (r)
		let_go(r);
}
