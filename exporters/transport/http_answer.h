/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP_ANSWER_H
#define BTRACE_HTTP_ANSWER_H

/*
 * What an HTTP answer means for the payload (OTLP specification, "OTLP/HTTP
 * Response"; Zipkin and Jaeger define nothing, so any 5xx is tried again).
 *
 *	              OTLP                    zipkin, jaeger
 *	2xx           taken, perhaps partly   taken
 *	429 503       again, Retry-After      again, Retry-After
 *	502 504       again, Retry-After      again, Retry-After
 *	other 5xx     refused                 again, Retry-After
 *	413           too large               too large
 *	3xx, 4xx      refused                 refused
 *
 * Pure; the body is any bytes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"
#include "exporters/transport/transport.h"

struct http_answer {
	int status;
	uint32_t retry_after_s; /* 0 = not said */
	bool json;              /* the request, and so the answer, is JSON */
	struct slice body;      /* its beginning */
	struct slice location;  /* of a redirect */
};

void http_answer_judge(struct send_report *report, const struct http_answer *answer, enum answer_rules rules);

/*
 * Retry-After (RFC 9110 10.2.3): seconds, or an HTTP date in any of the three
 * forms (5.6.7) seen from now_unix_s. 0 = none, unreadable, or past; at most an hour.
 */
uint32_t http_retry_after_s(struct slice value, int64_t now_unix_s);

#endif
