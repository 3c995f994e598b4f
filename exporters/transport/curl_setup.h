/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CURL_SETUP_H
#define BTRACE_CURL_SETUP_H

/* All of libcurl's options, in one place; private to curl_client.c. */

#include <stddef.h>

#include "exporters/transport/curl_client.h"

/* Makes the slot's handle, if it has none yet. 0 or -errno, then slot->error says why. */
int curl_slot_open(struct curl_slot *slot);

/* libcurl's write and header functions, of curl_client.c; context is the slot. */
size_t curl_slot_take_answer(char *p, size_t size, size_t n, void *context);
size_t curl_slot_take_header(char *p, size_t size, size_t n, void *context);

#endif
