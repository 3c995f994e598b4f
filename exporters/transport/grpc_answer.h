/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_GRPC_ANSWER_H
#define BTRACE_GRPC_ANSWER_H

/*
 * What a gRPC call's answer means for the payload (gRPC over HTTP2, "Responses",
 * "HTTP2 Transport Mapping", http-grpc-status-mapping.md; OTLP specification,
 * "OTLP/gRPC Response"). HTTP 200 means nothing: only grpc-status 0 is success, wherever it
 * comes, in trailers or, trailers-only, in the headers.
 *
 *	again      CANCELLED DEADLINE_EXCEEDED ABORTED OUT_OF_RANGE UNAVAILABLE DATA_LOSS;
 *	           RESOURCE_EXHAUSTED with RetryInfo, or from Jaeger (a full queue);
 *	too large  RESOURCE_EXHAUSTED that speaks of a message "larger than max"
 *	refused    everything else
 *
 * Pure; all input is any bytes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"
#include "exporters/encode/otlp_response.h"
#include "exporters/transport/transport.h"

enum grpc_code {
	GRPC_OK = 0,
	GRPC_CANCELLED,
	GRPC_UNKNOWN,
	GRPC_INVALID_ARGUMENT,
	GRPC_DEADLINE_EXCEEDED,
	GRPC_NOT_FOUND,
	GRPC_ALREADY_EXISTS,
	GRPC_PERMISSION_DENIED,
	GRPC_RESOURCE_EXHAUSTED,
	GRPC_FAILED_PRECONDITION,
	GRPC_ABORTED,
	GRPC_OUT_OF_RANGE,
	GRPC_UNIMPLEMENTED,
	GRPC_INTERNAL,
	GRPC_UNAVAILABLE,
	GRPC_DATA_LOSS,
	GRPC_UNAUTHENTICATED,
	GRPC_CODES
};

struct grpc_answer {
	bool is_grpc; /* by its content-type */
	bool has_status;
	int code; /* as sent; may be beyond GRPC_CODES */
	char message[RESPONSE_TEXT_SIZE];
	struct rpc_status details; /* of grpc-status-details-bin */
	bool has_details;
};

void grpc_answer_init(struct grpc_answer *answer);

/* One header or trailer line, "name: value", with or without its line end. The last of a name counts. */
void grpc_answer_header(struct grpc_answer *answer, struct slice line);

/* body: what came as DATA, framing included; http_status 0: there was none. */
void grpc_answer_judge(struct send_report *report, const struct grpc_answer *answer, int http_status,
		       struct slice body, enum answer_rules rules);

/* For a call that ended without an answer; why: one clause for people. */
void grpc_code_judge(struct send_report *report, enum grpc_code code, const char *why,
		     enum answer_rules rules);

/* From an HTTP/2 error code (RFC 9113 7) of RST_STREAM. */
enum grpc_code grpc_code_of_reset(unsigned long error);

const char *grpc_code_name(int code);

#endif
