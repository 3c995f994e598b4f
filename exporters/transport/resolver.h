/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_RESOLVER_H
#define BTRACE_RESOLVER_H

/*
 * Host names to addresses without waiting: getaddrinfo knows no other way than a
 * thread. One that hangs on its name server is left behind, not waited for. Names
 * that need no name server (numbers, localhost) need no thread either.
 */

#include <stdint.h>
#include <sys/socket.h>

struct resolver;

enum { RESOLVER_ADDRESSES = 8 };

struct address {
	struct sockaddr_storage at;
	socklen_t length;
};

struct addresses {
	struct address item[RESOLVER_ADDRESSES];
	unsigned n;
};

/* Numbers and localhost (127.0.0.1, then ::1). 0, or -EAGAIN: it takes a resolver. */
int resolver_direct(struct addresses *out, const char *host, uint16_t port);

/* *fd becomes readable when it is done; it belongs to the resolver. 0 or -errno. */
int resolver_start(struct resolver **resolver, const char *host, uint16_t port, int *fd);
/* Once *fd is readable: 0 with at least one address, or an EAI_* code for gai_strerror. */
int resolver_result(struct resolver *resolver, struct addresses *out);
void resolver_free(struct resolver *resolver); /* at any time; closes *fd */

#endif
