/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PROXY_H
#define BTRACE_PROXY_H

/*
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): a header in front
 * of a connection's first byte that names the real client. Pure and incremental as
 * http1.h: no I/O, no allocation, no clock, never writes into the input. One struct, one
 * user at a time; thread and signal safe as such.
 *
 *	proxy_init(&proxy);		// once http1_sniff() has answered 2
 *	switch (proxy_next(&proxy, &in, end)) {
 *	case PROXY_MORE:	// in == end
 *	case PROXY_DONE:	// in is behind the header; the rest is HTTP
 *	case PROXY_BAD:		// no such header: leave the connection alone
 *	}
 */

#include <stddef.h>
#include <stdint.h>

#define PROXY_LINE_MAX 107u /* bytes of a version 1 header, CR LF included */

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_BAD };

enum proxy_client {
	PROXY_UNKNOWN, /* the proxy does not say, or it is a UNIX socket's client: use the peer's address */
	PROXY_LOCAL,   /* the proxy itself, e.g. a health check: use the peer's address */
	PROXY_IPV4,    /* address[0..3] */
	PROXY_IPV6,    /* address[0..15] */
};

struct proxy {
	uint8_t version;     /* (out) 1 or 2, when DONE */
	uint8_t client;      /* (out) enum proxy_client, when DONE */
	uint16_t port;       /* (out) the client's, host order */
	uint8_t address[16]; /* (out) the client's, network order */
	uint32_t bytes;      /* (out) length of the header so far */
	uint32_t left;       /* version 2: bytes of the header still to pass over */
	uint8_t state;
	uint8_t have; /* bytes in carry */
	char carry[PROXY_LINE_MAX];
};

void proxy_init(struct proxy *p);

/* Advances *in. After DONE or BAD it answers the same again and takes nothing. */
enum proxy_result proxy_next(struct proxy *p, const char **in, const char *end);

#endif
