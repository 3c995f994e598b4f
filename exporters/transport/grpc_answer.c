/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strcasestr */
#include "exporters/transport/grpc_answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "exporters/transport/answer.h"
#include "exporters/transport/retry.h"

/* name, tried again (as OTLP has it) */
static const struct {
	const char *name;
	bool again;
} codes[GRPC_CODES] = {
	[GRPC_OK] = { "OK", false },
	[GRPC_CANCELLED] = { "CANCELLED", true },
	[GRPC_UNKNOWN] = { "UNKNOWN", false },
	[GRPC_INVALID_ARGUMENT] = { "INVALID_ARGUMENT", false },
	[GRPC_DEADLINE_EXCEEDED] = { "DEADLINE_EXCEEDED", true },
	[GRPC_NOT_FOUND] = { "NOT_FOUND", false },
	[GRPC_ALREADY_EXISTS] = { "ALREADY_EXISTS", false },
	[GRPC_PERMISSION_DENIED] = { "PERMISSION_DENIED", false },
	[GRPC_RESOURCE_EXHAUSTED] = { "RESOURCE_EXHAUSTED", false }, /* see judge_code */
	[GRPC_FAILED_PRECONDITION] = { "FAILED_PRECONDITION", false },
	[GRPC_ABORTED] = { "ABORTED", true },
	[GRPC_OUT_OF_RANGE] = { "OUT_OF_RANGE", true },
	[GRPC_UNIMPLEMENTED] = { "UNIMPLEMENTED", false },
	[GRPC_INTERNAL] = { "INTERNAL", false },
	[GRPC_UNAVAILABLE] = { "UNAVAILABLE", true },
	[GRPC_DATA_LOSS] = { "DATA_LOSS", true },
	[GRPC_UNAUTHENTICATED] = { "UNAUTHENTICATED", false },
};

const char *grpc_code_name(int code)
{
	return code >= 0 && code < GRPC_CODES ? codes[code].name : "unknown code";
}

void grpc_answer_init(struct grpc_answer *answer) { *answer = (struct grpc_answer){ 0 }; }

static bool name_is(struct slice name, const char *text)
{
	return name.n == strlen(text) && strncasecmp(name.p, text, name.n) == 0;
}

static int read_code(struct slice value)
{
	int code = 0;

	if (value.n == 0 || value.n > 4)
		return GRPC_UNKNOWN;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return GRPC_UNKNOWN;
		code = code * 10 + value.p[i] - '0';
	}
	return code;
}

void grpc_answer_header(struct grpc_answer *answer, struct slice line)
{
	const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	struct slice name, value;

	if (!colon)
		return;
	name = (struct slice){ line.p, (size_t)(colon - line.p) };
	value = (struct slice){ colon + 1, line.n - name.n - 1 };
	while (value.n && (*value.p == ' ' || *value.p == '\t'))
		value = (struct slice){ value.p + 1, value.n - 1 };
	while (value.n && (value.p[value.n - 1] == '\r' || value.p[value.n - 1] == '\n' ||
			   value.p[value.n - 1] == ' ' || value.p[value.n - 1] == '\t'))
		value.n--;
	if (name_is(name, "grpc-status")) {
		answer->has_status = true;
		answer->code = read_code(value);
	} else if (name_is(name, "content-type")) {
		answer->is_grpc = value.n >= 16 && strncasecmp(value.p, "application/grpc", 16) == 0;
	} else if (name_is(name, "grpc-message")) {
		rpc_message_read(answer->message, value);
	} else if (name_is(name, "grpc-status-details-bin")) {
		answer->has_details = rpc_status_read_header(&answer->details, value);
	}
}

/* http-grpc-status-mapping.md; only for answers without a grpc-status */
static enum grpc_code code_of_http(int status)
{
	switch (status) {
	case 400:
	case 431: return GRPC_INTERNAL;
	case 401: return GRPC_UNAUTHENTICATED;
	case 403: return GRPC_PERMISSION_DENIED;
	case 404: return GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504: return GRPC_UNAVAILABLE;
	default: return GRPC_UNKNOWN;
	}
}

enum grpc_code grpc_code_of_reset(unsigned long error)
{
	switch (error) {
	case 7: return GRPC_UNAVAILABLE;         /* REFUSED_STREAM */
	case 8: return GRPC_CANCELLED;           /* CANCEL */
	case 11: return GRPC_RESOURCE_EXHAUSTED; /* ENHANCE_YOUR_CALM */
	case 12: return GRPC_PERMISSION_DENIED;  /* INADEQUATE_SECURITY */
	default: return GRPC_INTERNAL;
	}
}

/* grpc-go, grpc-java and grpc-core say it in these words; there is no code of its own for it. */
static bool speaks_of_size(const char *why)
{
	return strcasestr(why, "larger than max") || strcasestr(why, "exceeds maximum size") ||
	       strcasestr(why, "message too large");
}

static void judge_code(struct send_report *report, int code, const char *why,
		       const struct rpc_status *details, enum answer_rules rules)
{
	bool again = code >= 0 && code < GRPC_CODES && codes[code].again;

	*report = (struct send_report){ .result = SEND_REFUSED };
	answer_say(report, "gRPC status %d, %s%s%s", code, grpc_code_name(code), *why ? ": " : "", why);
	if (code == GRPC_RESOURCE_EXHAUSTED) {
		again = rules == ANSWERS_PLAIN || (details && details->has_retry_info);
		if (speaks_of_size(why)) {
			report->result = SEND_TOO_LARGE;
			return;
		}
	}
	if (!again)
		return;
	report->result = SEND_RETRY;
	if (details)
		report->retry_after_ms = details->retry_after_ms < RETRY_WISH_MAX_MS ? details->retry_after_ms
										     : RETRY_WISH_MAX_MS;
}

void grpc_code_judge(struct send_report *report, enum grpc_code code, const char *why,
		     enum answer_rules rules)
{
	judge_code(report, code, why, NULL, rules);
}

/* The one message of a unary answer; empty if there is none that can be read. */
static struct slice message_of(struct slice body)
{
	const unsigned char *p = (const unsigned char *)body.p;
	size_t n;

	if (body.n < 5 || p[0] != 0)
		return (struct slice){ NULL, 0 };
	n = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
	return n <= body.n - 5 ? (struct slice){ body.p + 5, n } : (struct slice){ NULL, 0 };
}

void grpc_answer_judge(struct send_report *report, const struct grpc_answer *answer, int http_status,
		       struct slice body, enum answer_rules rules)
{
	char why[64];

	if (answer->has_status && answer->code == GRPC_OK) {
		answer_taken(report, message_of(body), false, rules);
	} else if (answer->has_status) {
		judge_code(report, answer->code,
			   answer->message[0] || !answer->has_details ? answer->message
								      : answer->details.message,
			   answer->has_details ? &answer->details : NULL, rules);
	} else {
		snprintf(why, sizeof(why), "HTTP %d without a grpc-status", http_status);
		judge_code(report, code_of_http(http_status), why, NULL, rules);
	}
}
