/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ENDPOINT_URL_H
#define BTRACE_ENDPOINT_URL_H

/*
 * An endpoint's URL, taken apart and put together (RFC 3986 3.2; OTLP specification,
 * "Endpoint URLs"). What the config means by a URL was settled by the config; here
 * is what goes to libcurl and to the resolver. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

struct endpoint_url {
	struct slice scheme;         /* "http"; empty if there is none */
	struct slice user, password; /* still percent-encoded */
	struct slice host;           /* IPv6 without its brackets */
	struct slice rest;           /* path, query; the fragment is cut off */
	uint16_t port;               /* 0 = not said */
	bool has_user, ip6;
};

/* false if it is no URL and no host:port either; *out then is empty. Views into text. */
bool endpoint_url_parse(struct endpoint_url *out, struct slice text);

/* scheme://host[:port]rest, "/" for an empty rest; never the credentials. */
void endpoint_url_write(struct buf *out, const struct endpoint_url *url, struct slice scheme,
			struct slice rest);

/* For gRPC: only scheme, host and port count; grpc:// is http, grpcs:// https. */
struct slice endpoint_url_grpc_scheme(const struct endpoint_url *url, bool insecure);

/* Percent-decoding, as for user and password; a stray % stays. NUL bytes are left out. */
void endpoint_url_decode(struct buf *out, struct slice text);

#endif
