/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/grpc_answer.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RETRY_INFO_1500_MS          \
	"grpc-status-details-bin: " \
	"CA4SCXNsb3cgZG93bho2Cih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZvEgoKCAgBEIDKte4B"

static struct send_report judge(const char *const *lines, struct slice body, int http,
				enum answer_rules rules)
{
	struct grpc_answer answer;
	struct send_report report;

	grpc_answer_init(&answer);
	while (*lines)
		grpc_answer_header(&answer, slice_of(*lines++));
	grpc_answer_judge(&report, &answer, http, body, rules);
	return report;
}

static struct send_report judge_status(int code, enum answer_rules rules)
{
	char line[32];

	snprintf(line, sizeof(line), "grpc-status: %d\r\n", code);
	return judge((const char *const[]){ line, NULL }, SLICE(""), 200, rules);
}

Test(grpc_answer, table_of_the_specification)
{
	static const int again[] = { 1, 4, 10, 11, 14, 15 };

	cr_assert_eq(judge_status(0, ANSWERS_OTLP).result, SEND_OK);
	for (int code = 1; code < 30; code++) {
		enum send_result expected = SEND_REFUSED;

		for (size_t i = 0; i < sizeof(again) / sizeof(*again); i++)
			if (again[i] == code)
				expected = SEND_RETRY;
		cr_assert_eq(judge_status(code, ANSWERS_OTLP).result, expected, "%d", code);
	}
	cr_assert_eq(judge_status(8, ANSWERS_PLAIN).result, SEND_RETRY, "jaeger's queue is full");
}

Test(grpc_answer, resource_exhausted_is_retried_only_with_retry_info)
{
	struct send_report r = judge((const char *const[]){ "Grpc-Status: 8", RETRY_INFO_1500_MS, NULL },
				     SLICE(""), 200, ANSWERS_OTLP);

	cr_assert_eq(r.result, SEND_RETRY);
	cr_assert_eq(r.retry_after_ms, 1500);
	cr_assert_str_eq(r.message, "gRPC status 8, RESOURCE_EXHAUSTED: slow down");
	cr_assert_eq(judge_status(8, ANSWERS_OTLP).result, SEND_REFUSED);
}

Test(grpc_answer, message_beyond_the_servers_limit_is_too_large)
{
	static const char *const words[] = {
		"grpc-message: grpc: received message larger than max (5242886 vs. 4194304)",
		"grpc-message: Received message larger than max %285242886 vs. 4194304%29",
		"grpc-message: gRPC message exceeds maximum size 4194304: 5242886",
	};

	for (int i = 0; i < 3; i++)
		cr_assert_eq(judge((const char *const[]){ "grpc-status: 8", words[i], NULL }, SLICE(""), 200,
				   ANSWERS_PLAIN)
				     .result,
			     SEND_TOO_LARGE);
}

Test(grpc_answer, http_status_counts_only_without_a_grpc_status)
{
	static const struct {
		int http;
		enum send_result result;
		const char *name;
	} table[] = {
		{ 200, SEND_REFUSED, "UNKNOWN" },         { 400, SEND_REFUSED, "INTERNAL" },
		{ 401, SEND_REFUSED, "UNAUTHENTICATED" }, { 403, SEND_REFUSED, "PERMISSION_DENIED" },
		{ 404, SEND_REFUSED, "UNIMPLEMENTED" },   { 429, SEND_RETRY, "UNAVAILABLE" },
		{ 502, SEND_RETRY, "UNAVAILABLE" },       { 503, SEND_RETRY, "UNAVAILABLE" },
		{ 504, SEND_RETRY, "UNAVAILABLE" },       { 500, SEND_REFUSED, "UNKNOWN" },
	};
	static const char *const none[] = { "content-type: text/html", NULL };

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct send_report r = judge(none, SLICE(""), table[i].http, ANSWERS_OTLP);

		cr_assert_eq(r.result, table[i].result, "%d", table[i].http);
		cr_assert_not_null(strstr(r.message, table[i].name), "%s", r.message);
	}
	cr_assert_eq(
		judge((const char *const[]){ "grpc-status: 0", NULL }, SLICE(""), 503, ANSWERS_OTLP).result,
		SEND_OK);
}

Test(grpc_answer, last_status_counts_and_nonsense_is_unknown)
{
	cr_assert_eq(judge((const char *const[]){ "grpc-status: 14", "grpc-status: 0", NULL }, SLICE(""), 200,
			   ANSWERS_OTLP)
			     .result,
		     SEND_OK);
	cr_assert_eq(
		judge((const char *const[]){ "grpc-status: OK", NULL }, SLICE(""), 200, ANSWERS_OTLP).result,
		SEND_REFUSED);
	cr_assert_eq(
		judge((const char *const[]){ "grpc-status:", NULL }, SLICE(""), 200, ANSWERS_OTLP).result,
		SEND_REFUSED);
	cr_assert_eq(judge((const char *const[]){ "grpc-status: 00000", NULL }, SLICE(""), 200, ANSWERS_OTLP)
			     .result,
		     SEND_REFUSED);
}

Test(grpc_answer, partial_success_is_read_from_the_message)
{
	static const char *const ok[] = { "grpc-status: 0", NULL };
	struct send_report r =
		judge(ok, SLICE("\0\0\0\0\x0b\x0a\x09\x08\x02\x12\x05stale"), 200, ANSWERS_OTLP);

	cr_assert_eq(r.result, SEND_PARTIAL);
	cr_assert_eq(r.rejected, 2);
	cr_assert_str_eq(r.message, "taken in part: stale");
	cr_assert_eq(judge(ok, SLICE("\0\0\0\0\x0b\x0a\x09\x08\x02\x12\x05stale"), 200, ANSWERS_PLAIN).result,
		     SEND_OK);
	cr_assert_eq(judge(ok, SLICE("\0\0\0\0\x0b\x0a\x09"), 200, ANSWERS_OTLP).result, SEND_OK, "cut");
	cr_assert_eq(judge(ok, SLICE("\1\0\0\0\x02xx"), 200, ANSWERS_OTLP).result, SEND_OK, "compressed");
	cr_assert_eq(judge(ok, SLICE("\0\xff\xff\xff\xff"), 200, ANSWERS_OTLP).result, SEND_OK);
}

Test(grpc_answer, message_is_decoded_and_fit_for_a_log)
{
	struct send_report r =
		judge((const char *const[]){ "grpc-status: 13", "grpc-message: a%20b%0Ac%zz", NULL },
		      SLICE(""), 200, ANSWERS_OTLP);

	cr_assert_str_eq(r.message, "gRPC status 13, INTERNAL: a b c%zz");
}

Test(grpc_answer, resets_map_to_codes)
{
	struct send_report r;

	cr_assert_eq(grpc_code_of_reset(7), GRPC_UNAVAILABLE);
	cr_assert_eq(grpc_code_of_reset(8), GRPC_CANCELLED);
	cr_assert_eq(grpc_code_of_reset(11), GRPC_RESOURCE_EXHAUSTED);
	cr_assert_eq(grpc_code_of_reset(12), GRPC_PERMISSION_DENIED);
	cr_assert_eq(grpc_code_of_reset(2), GRPC_INTERNAL);
	grpc_code_judge(&r, GRPC_CANCELLED, "reset", ANSWERS_OTLP);
	cr_assert_eq(r.result, SEND_RETRY);
	cr_assert_str_eq(r.message, "gRPC status 1, CANCELLED: reset");
}
