/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FORWARDED_H
#define BTRACE_FORWARDED_H

/*
 * What proxies say of the original request: Forwarded (RFC 7239) and the
 * X-Forwarded-* headers. Anybody can write these headers, so the parsers take
 * any bytes, run in linear time, and give out only what has the right form: a
 * scheme, a host, an IP address. Whether to believe it is the caller's matter.
 */

#include "exporters/base/arena.h"
#include "exporters/span/endpoint.h"

struct forwarded {
	struct endpoint client; /* for=, an IP address; "unknown" and "_hidden" are none */
	struct endpoint host;   /* host= */
	struct slice proto;     /* proto= */
};

/*
 * Reads a Forwarded header: of each parameter the first usable value counts,
 * which is the one nearest to the client. Fields that find no value are left as
 * they are. Borrows from the header, or, for values with escapes, from the arena.
 */
void forwarded_parse(struct arena *arena, struct slice header, struct forwarded *out);

/* X-Forwarded-For: the leftmost IP address, with its port if it has one. False: none. */
bool forwarded_x_for(struct slice header, struct endpoint *out);
/* X-Forwarded-Host: the leftmost element. */
bool forwarded_x_host(struct slice header, struct endpoint *out);
/* X-Forwarded-Proto: the leftmost element; empty: none. */
struct slice forwarded_x_proto(struct slice header);

/* A URI scheme in lower case (RFC 3986 3.1), the usual ones in any case; else empty. Up to 16 bytes. */
struct slice forwarded_scheme(struct slice s);

#endif
