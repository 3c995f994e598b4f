/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ENDPOINT_H
#define BTRACE_ENDPOINT_H

/*
 * host[:port] as it stands in Host, Forwarded and URLs (RFC 3986 3.2), and
 * socket addresses as text. Input is hostile. Pure but for the arena; thread
 * safe.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/base/slice.h"
#include "shim/abi/span.h"

#define ENDPOINT_NO_PORT (-1)

struct endpoint {
	struct slice host; /* without brackets; empty: none */
	int32_t port;      /* ENDPOINT_NO_PORT, or 0..65535 */
};

/*
 * Splits an authority; userinfo in front of an @ is left out, brackets of IPv6
 * are stripped, IPv6 without brackets is taken for a host without a port. False,
 * and *out untouched: no host, a port that is no number, characters that no
 * host has. *out borrows from s.
 */
bool endpoint_split(struct slice s, struct endpoint *out);

/* An IPv4 or IPv6 address in the usual text form? */
bool endpoint_is_ip(struct slice host);

/* "host:port" or "[host]:port" back together, without a port where there is none. */
struct slice endpoint_join(struct arena *arena, const struct endpoint *e);

/*
 * The address as text, IPv4-mapped IPv6 as IPv4 (so that a dual-stack listener
 * tells the same address as another), no zone. Empty for other families.
 */
struct slice endpoint_address(struct arena *arena, const struct span_address *a);

/* Loopback, link-local, private (RFC 1918, RFC 6598, RFC 4193) or AF_UNIX. */
bool endpoint_is_private(const struct span_address *a);

#endif
