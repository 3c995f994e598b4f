/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_LOCAL_HOST_H
#define BTRACE_LOCAL_HOST_H

/* Addresses as the text that patterns see. Pure; thread and signal safe. */

#include <stddef.h>
#include <stdint.h>

#include "shim/abi/span.h"

/* "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535" */
#define LOCAL_HOST_BYTES 48

/*
 * The address the connection came in at, as ASGI's scope has it and BentoML puts it into the URL: an IPv6 one
 * without brackets, no port if it is 80. No NUL. The bytes of it; 0: not known.
 */
size_t local_host(const struct span_address *local, char out[LOCAL_HOST_BYTES]);

#endif
