/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_OTLP_RESPONSE_JSON_H
#define BTRACE_OTLP_RESPONSE_JSON_H

/* The JSON side of otlp_response.h, and what both sides share. For otlp_response*.c only. */

#include "exporters/encode/otlp_response.h"

/* Into a zeroed struct; false leaves it half filled. */
bool otlp_response_read_json(struct otlp_response *response, struct slice body);
bool rpc_status_read_json(struct rpc_status *status, struct slice body);

void response_text(char text[RESPONSE_TEXT_SIZE], struct slice s);
uint32_t response_milliseconds(int64_t seconds, int64_t nanos); /* 0 for what is negative or no duration */
bool response_is_retry_info(struct slice type_url);

#endif
