/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ZIPKIN_ENDPOINT_H
#define BTRACE_ZIPKIN_ENDPOINT_H

/* Zipkin's remoteEndpoint, found among a span's attributes. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"
#include "exporters/span/model.h"

struct zipkin_endpoint {
	struct slice service_name, ipv4, ipv6; /* empty = not there */
	uint16_t port;                         /* 0 = not there */
};

/*
 * CLIENT and PRODUCER: the first present of OpenTelemetry's list of ranks. SERVER
 * and CONSUMER: the client's address and port. False if there is nothing to tell.
 */
bool zipkin_remote_endpoint(struct zipkin_endpoint *endpoint, const struct span *span);

#endif
