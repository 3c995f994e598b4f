/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/http_answer.h"

#include <criterion/criterion.h>

static struct send_report judge(struct http_answer answer, enum answer_rules rules)
{
	struct send_report report;

	http_answer_judge(&report, &answer, rules);
	return report;
}

static enum send_result result(int status, enum answer_rules rules)
{
	return judge((struct http_answer){ .status = status }, rules).result;
}

Test(http_answer, table_of_the_specification)
{
	static const struct {
		int status;
		enum send_result otlp, plain;
	} table[] = {
		{ 200, SEND_OK, SEND_OK },           { 202, SEND_OK, SEND_OK },
		{ 204, SEND_OK, SEND_OK },           { 301, SEND_REFUSED, SEND_REFUSED },
		{ 307, SEND_REFUSED, SEND_REFUSED }, { 400, SEND_REFUSED, SEND_REFUSED },
		{ 401, SEND_REFUSED, SEND_REFUSED }, { 404, SEND_REFUSED, SEND_REFUSED },
		{ 408, SEND_REFUSED, SEND_REFUSED }, { 413, SEND_TOO_LARGE, SEND_TOO_LARGE },
		{ 429, SEND_RETRY, SEND_RETRY },     { 500, SEND_REFUSED, SEND_RETRY },
		{ 501, SEND_REFUSED, SEND_RETRY },   { 502, SEND_RETRY, SEND_RETRY },
		{ 503, SEND_RETRY, SEND_RETRY },     { 504, SEND_RETRY, SEND_RETRY },
		{ 599, SEND_REFUSED, SEND_RETRY },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		cr_assert_eq(result(table[i].status, ANSWERS_OTLP), table[i].otlp, "%d", table[i].status);
		cr_assert_eq(result(table[i].status, ANSWERS_PLAIN), table[i].plain, "%d", table[i].status);
	}
}

Test(http_answer, partial_success_is_counted)
{
	struct send_report r =
		judge((struct http_answer){ .status = 200,
					    .json = true,
					    .body = SLICE("{\"partialSuccess\":{\"rejectedSpans\":\"3\","
							  "\"errorMessage\":\"too old\"}}") },
		      ANSWERS_OTLP);

	cr_assert_eq(r.result, SEND_PARTIAL);
	cr_assert_eq(r.rejected, 3);
	cr_assert_str_eq(r.message, "taken in part: too old");
	r = judge((struct http_answer){ .status = 200, .body = SLICE("\x0a\x04\x12\x02hi") }, ANSWERS_OTLP);
	cr_assert_eq(r.result, SEND_PARTIAL);
	cr_assert_eq(r.rejected, 0);
	cr_assert_str_eq(r.message, "taken, with a warning: hi");
}

Test(http_answer, garbage_after_success_changes_nothing)
{
	cr_assert_eq(judge((struct http_answer){ .status = 200, .body = SLICE("<html>\xff") }, ANSWERS_OTLP)
			     .result,
		     SEND_OK);
	cr_assert_eq(
		judge((struct http_answer){ .status = 200, .json = true, .body = SLICE("{]") }, ANSWERS_OTLP)
			.result,
		SEND_OK);
}

Test(http_answer, message_says_what_to_look_at)
{
	struct send_report r =
		judge((struct http_answer){ .status = 404, .body = SLICE("<html>no</html>") }, ANSWERS_PLAIN);

	cr_assert_str_eq(r.message, "HTTP 404, is the path right?");
	r = judge((struct http_answer){ .status = 400, .body = SLICE("\n Expected id\x1b[31m here\nmore") },
		  ANSWERS_PLAIN);
	cr_assert_str_eq(r.message, "HTTP 400, the receiver could not read it: Expected id [31m here");
	r = judge((struct http_answer){ .status = 400,
					.json = true,
					.body = SLICE("{\"code\":3,\"message\":\"bad span\"}") },
		  ANSWERS_OTLP);
	cr_assert_str_eq(r.message, "HTTP 400, the receiver could not read it: bad span");
	r = judge((struct http_answer){ .status = 302,
					.location = SLICE("https://u:p@login.example/x?token=1") },
		  ANSWERS_PLAIN);
	cr_assert_str_eq(r.message, "HTTP 302: a redirect to https://login.example/x, which is not followed");
}

Test(http_answer, retry_after_is_passed_on_and_bounded)
{
	cr_assert_eq(
		judge((struct http_answer){ .status = 503, .retry_after_s = 7 }, ANSWERS_OTLP).retry_after_ms,
		7000);
	cr_assert_eq(judge((struct http_answer){ .status = 429, .retry_after_s = UINT32_MAX }, ANSWERS_OTLP)
			     .retry_after_ms,
		     3600000);
	cr_assert_eq(
		judge((struct http_answer){ .status = 400, .retry_after_s = 7 }, ANSWERS_OTLP).retry_after_ms,
		0);
}

Test(http_answer, retry_after_in_all_forms)
{
	const int64_t now = 784111700; /* 77 s before the RFC's favourite second */

	cr_assert_eq(http_retry_after_s(SLICE(" 120\r\n"), now), 120);
	cr_assert_eq(http_retry_after_s(SLICE("0"), now), 0);
	cr_assert_eq(http_retry_after_s(SLICE("Sun, 06 Nov 1994 08:49:37 GMT"), now), 77);
	cr_assert_eq(http_retry_after_s(SLICE("Sunday, 06-Nov-94 08:49:37 GMT"), now), 77);
	cr_assert_eq(http_retry_after_s(SLICE("Sun Nov  6 08:49:37 1994"), now), 77);
	cr_assert_eq(http_retry_after_s(SLICE("Sun, 06 Nov 1994 08:49:37 GMT"), now + 1000), 0, "past");
	cr_assert_eq(http_retry_after_s(SLICE("Sun, 06 Nov 2094 08:49:37 GMT"), now), 3600,
		     "at most an hour");
	cr_assert_eq(http_retry_after_s(SLICE("99999999999999999999"), now), 3600);
	cr_assert_eq(http_retry_after_s(SLICE("12 minutes"), now), 0);
	cr_assert_eq(http_retry_after_s(SLICE("-5"), now), 0);
	cr_assert_eq(http_retry_after_s(SLICE(""), now), 0);
	cr_assert_eq(http_retry_after_s(SLICE("soon"), now), 0);
}
