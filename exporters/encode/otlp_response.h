/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_OTLP_RESPONSE_H
#define BTRACE_OTLP_RESPONSE_H

/*
 * What an OTLP receiver answers, over HTTP or gRPC, protobuf or JSON (opentelemetry-proto,
 * "Responses"; google/rpc/status.proto; gRPC over HTTP2, "Responses"). The bytes come from the
 * network: any may come, nothing beyond RESPONSE_MAX_BYTES is looked at, memory is bounded. Pure.
 *
 * Texts are NUL-terminated, valid UTF-8, without control characters, cut to fit: fit for a log line.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"

enum { RESPONSE_MAX_BYTES = 64 * 1024, RESPONSE_TEXT_SIZE = 240 };

/* ExportTraceServiceResponse. Full success: no rejected spans and an empty text. */
struct otlp_response {
	uint64_t rejected_spans;
	char message[RESPONSE_TEXT_SIZE];
};

/* Body of a 200 or message of gRPC, empty included; false (and full success) if it is none. */
bool otlp_response_read(struct otlp_response *response, struct slice body, bool json);

/* google.rpc.Status, with its RetryInfo. */
struct rpc_status {
	int32_t code; /* of gRPC */
	bool has_retry_info;
	uint32_t retry_after_ms; /* rounded up; 0 without RetryInfo */
	char message[RESPONSE_TEXT_SIZE];
};

/* Body of a 4xx or 5xx; false if it is none, as the HTML of some proxy between. */
bool rpc_status_read(struct rpc_status *status, struct slice body, bool json);

/* The value of the gRPC trailer grpc-status-details-bin. */
bool rpc_status_read_header(struct rpc_status *status, struct slice value);

/* The value of the gRPC trailer grpc-message, whose percent-encoding is read leniently. */
void rpc_message_read(char message[RESPONSE_TEXT_SIZE], struct slice value);

#endif
