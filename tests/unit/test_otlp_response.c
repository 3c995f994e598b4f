/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "exporters/base/buf.h"
#include "exporters/encode/otlp_response.h"

static struct otlp_response response;
static struct rpc_status status;

Test(otlp_response, nothing_and_an_empty_message_are_full_success)
{
	static const char *const json[] = { "{}", "{\"partialSuccess\":{}}", "{\"partialSuccess\":null}",
					    " { } ", "{\"unknown\":[1,{\"a\":null}]}" };

	cr_assert(otlp_response_read(&response, (struct slice){ NULL, 0 }, false));
	cr_assert(otlp_response_read(&response, (struct slice){ NULL, 0 }, true));
	cr_assert(otlp_response_read(&response, SLICE("\x0a\x00"), false));
	for (size_t i = 0; i < sizeof(json) / sizeof(*json); i++) {
		cr_assert(otlp_response_read(&response, slice_of(json[i]), true), "%s", json[i]);
		cr_assert_eq(response.rejected_spans, 0);
		cr_assert_str_empty(response.message);
	}
}

Test(otlp_response, partial_success_is_counted_and_told)
{
	cr_assert(otlp_response_read(&response,
				     SLICE("\x0a\x0a\x08\x02\x12\x06"
					   "no way"),
				     false));
	cr_assert_eq(response.rejected_spans, 2);
	cr_assert_str_eq(response.message, "no way");
	cr_assert(otlp_response_read(
		&response,
		SLICE("{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"no way\"}}"), true));
	cr_assert_eq(response.rejected_spans, 2);
	cr_assert_str_eq(response.message, "no way");
	cr_assert(otlp_response_read(&response, SLICE("{\"partialSuccess\":{\"rejectedSpans\":3}}"), true));
	cr_assert_eq(response.rejected_spans, 3);
	cr_assert(otlp_response_read(&response, SLICE("{\"partialSuccess\":{\"rejectedSpans\":\"-3\"}}"),
				     true));
	cr_assert_eq(response.rejected_spans, 0);
}

Test(otlp_response, what_is_none_is_refused_and_leaves_nothing)
{
	static const char *const json[] = {
		"<html>502 Bad Gateway</html>",
		"[]",
		"{\"partialSuccess\":{\"rejectedSpans\":\"2\"}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"two\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":3}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"2\"}} trailing",
		"{\"partialSuccess\":7}"
	};

	for (size_t i = 0; i < sizeof(json) / sizeof(*json); i++) {
		cr_assert_not(otlp_response_read(&response, slice_of(json[i]), true), "%s", json[i]);
		cr_assert_eq(response.rejected_spans, 0);
		cr_assert_str_empty(response.message);
	}
	cr_assert_not(otlp_response_read(&response, SLICE("<html>502 Bad Gateway</html>"), false));
	cr_assert_not(otlp_response_read(&response,
					 SLICE("\x0a\x0a\x08\x02\x12\x06"
					       "no"),
					 false));
}

Test(otlp_response, texts_are_fit_for_a_log_line)
{
	char long_text[600] = "\x0a\xd3\x04\x12\xd0\x04";
	struct slice body = { long_text, 6 + 592 };

	memset(long_text + 6, 'x', 592);
	memcpy(long_text + 6 + 236, "\xf0\x9f\x9a\x80", 4);
	cr_assert(otlp_response_read(&response, body, false));
	cr_assert_eq(strlen(response.message), 236, "cut before the character that does not fit");
	cr_assert(otlp_response_read(&response,
				     SLICE("\x0a\x0a\x12\x08"
					   "a\x1b[\n\x00\xff\x7f"
					   "b"),
				     false));
	cr_assert_str_eq(response.message, "a [  \xef\xbf\xbd b");
}

/* 1.5 s, "slow down", code 14, as a server of grpcio 1.51 sends it. */
static const char details[] =
	"CA4SCXNsb3cgZG93bho2Cih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZvEgoKCAgBEIDKte4B";

static void assert_slow_down(void)
{
	cr_assert_eq(status.code, 14);
	cr_assert_str_eq(status.message, "slow down");
	cr_assert(status.has_retry_info);
	cr_assert_eq(status.retry_after_ms, 1500);
}

Test(rpc_status, details_header_holds_retry_info)
{
	char twice[2 * sizeof(details)];

	cr_assert(rpc_status_read_header(&status, slice_of(details)));
	assert_slow_down();
	snprintf(twice, sizeof(twice), "%s,%s", details, "AAAA");
	cr_assert(rpc_status_read_header(&status, slice_of(twice)));
	assert_slow_down();
	cr_assert_not(rpc_status_read_header(&status, SLICE("not base64!")));
	cr_assert_not(rpc_status_read_header(&status, SLICE("")));
	cr_assert_not(status.has_retry_info);
}

Test(rpc_status, json_body_holds_the_same)
{
	cr_assert(rpc_status_read(
		&status,
		SLICE("{\"code\":14,\"message\":\"slow down\",\"details\":[{\"@type\":\"x/y\",\"z\":[]},"
		      "{\"retryDelay\":\"1.5s\",\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\"}]}"),
		true));
	assert_slow_down();
}

Test(rpc_status, status_without_details)
{
	cr_assert(rpc_status_read(&status,
				  SLICE("\x08\x03\x12\x03"
					"bad"),
				  false));
	cr_assert_eq(status.code, 3);
	cr_assert_str_eq(status.message, "bad");
	cr_assert_not(status.has_retry_info);
	cr_assert(rpc_status_read(&status, SLICE("{\"code\":3,\"message\":\"bad\",\"details\":[]}"), true));
	cr_assert_eq(status.code, 3);
	cr_assert_not(status.has_retry_info);
	cr_assert_not(rpc_status_read(&status, SLICE(""), true));
	cr_assert_not(rpc_status_read(&status, SLICE("<html>"), false));
	cr_assert_not(rpc_status_read(&status, SLICE("\"text\""), true));
}

static uint32_t delay_of(const char *text)
{
	char body[200];

	snprintf(body, sizeof(body),
		 "{\"details\":[{\"@type\":\"/google.rpc.RetryInfo\",\"retryDelay\":\"%s\"}]}", text);
	cr_assert(rpc_status_read(&status, slice_of(body), true), "%s", text);
	cr_assert(status.has_retry_info);
	return status.retry_after_ms;
}

Test(rpc_status, durations_are_rounded_up_and_bounded)
{
	cr_assert_eq(delay_of("0s"), 0);
	cr_assert_eq(delay_of("0.000000001s"), 1);
	cr_assert_eq(delay_of("2.0010s"), 2001);
	cr_assert_eq(delay_of("3.999999999s"), 4000);
	cr_assert_eq(delay_of("99999999999999999999999s"), UINT32_MAX);
	cr_assert_not(rpc_status_read(&status, SLICE("{\"details\":[{\"retryDelay\":\"1\"}]}"), true));
	cr_assert_not(rpc_status_read(&status, SLICE("{\"details\":[{\"retryDelay\":\"-1s\"}]}"), true));
	/* seconds -1 as a varint of ten bytes */
	cr_assert(rpc_status_read(
		&status,
		SLICE("\x1a\x26\x0a\x15/"
		      "google.rpc.RetryInfo\x12\x0d\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		false));
	cr_assert(status.has_retry_info);
	cr_assert_eq(status.retry_after_ms, 0);
}

/* Two bytes an element: 30,000 details, which must not become megabytes of structs. */
Test(rpc_status, body_of_many_details_is_refused_in_bounded_memory)
{
	static char many[RESPONSE_MAX_BYTES + 2];

	for (size_t i = 0; i < sizeof(many); i += 2)
		many[i] = 0x1a;
	cr_assert_not(rpc_status_read(&status, (struct slice){ many, RESPONSE_MAX_BYTES + 2 }, false));
	cr_assert_not(rpc_status_read(&status, (struct slice){ many, RESPONSE_MAX_BYTES }, false));
	cr_assert(rpc_status_read(&status, (struct slice){ many, 2000 }, false));
}

Test(rpc_status, message_header_is_percent_decoded_leniently)
{
	char text[RESPONSE_TEXT_SIZE];

	rpc_message_read(text, SLICE("caf%C3%A9 100%% of%2 %zz%"));
	cr_assert_str_eq(text, "caf\xc3\xa9 100%% of%2 %zz%");
	rpc_message_read(text, SLICE("a%0Ab%FF"));
	cr_assert_str_eq(text, "a b\xef\xbf\xbd");
	rpc_message_read(text, (struct slice){ NULL, 0 });
	cr_assert_str_empty(text);
}
