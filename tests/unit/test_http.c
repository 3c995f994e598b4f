/* SPDX-License-Identifier: Apache-2.0 */
/* Methods, status, versions and sizes: what http.c does for SERVER and CLIENT spans. */
#include "tests/unit/span_helper.h"

TestSuite(http, .init = begin_server, .fini = end);

Test(http, methods)
{
	static const struct {
		enum span_method method;
		const char *text, *told, *original, *name;
	} rows[] = {
		{ SPAN_METHOD_GET, NULL, "GET", "", "GET" },
		{ SPAN_METHOD_HEAD, NULL, "HEAD", "", "HEAD" },
		{ SPAN_METHOD_POST, NULL, "POST", "", "POST" },
		{ SPAN_METHOD_PUT, NULL, "PUT", "", "PUT" },
		{ SPAN_METHOD_DELETE, NULL, "DELETE", "", "DELETE" },
		{ SPAN_METHOD_CONNECT, NULL, "CONNECT", "", "CONNECT" },
		{ SPAN_METHOD_OPTIONS, NULL, "OPTIONS", "", "OPTIONS" },
		{ SPAN_METHOD_TRACE, NULL, "TRACE", "", "TRACE" },
		{ SPAN_METHOD_PATCH, NULL, "PATCH", "", "PATCH" },
		{ SPAN_METHOD_QUERY, NULL, "QUERY", "", "QUERY" },
		{ SPAN_METHOD_OTHER, "get", "_OTHER", "get", "HTTP" },
		{ SPAN_METHOD_OTHER, "PURGE", "_OTHER", "PURGE", "HTTP" },
		{ SPAN_METHOD_OTHER, "\xff", "_OTHER", "\xef\xbf\xbd", "HTTP" },
		{ SPAN_METHOD_OTHER, "", "_OTHER", "", "HTTP" },
		{ SPAN_METHOD_OTHER, NULL, "_OTHER", "", "HTTP" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span span;

		slot = record_plain(SPAN_KIND_SERVER);
		slot.head.method = (uint8_t)rows[i].method;
		if (rows[i].text)
			record_text(&slot, TAG_METHOD, rows[i].text);
		span = make();
		expect(&span, rows[i].told, "http.request.method", rows[i].told);
		expect(&span, rows[i].told, "http.request.method_original", rows[i].original);
		cr_expect_eq(span_value(&span, "http.request.method_original") != NULL,
			     *rows[i].original != 0);
		cr_expect(slice_is(span.name, rows[i].name));
		span_options_conventions(&options, SPAN_CONVENTIONS_LEGACY);
		span = make();
		expect(&span, rows[i].told, "http.method",
		       *rows[i].original ? rows[i].original : rows[i].told);
		span_options_conventions(&options, SPAN_CONVENTIONS_STABLE);
	}
}

Test(http, known_methods_are_replaced_as_a_whole)
{
	static const struct slice known[] = { { "PURGE", 5 } };
	struct span span;

	options.known_methods = known;
	options.n_known_methods = 1;
	span = make();
	expect(&span, "GET", "http.request.method", "_OTHER");
	expect(&span, "GET", "http.request.method_original", "GET");
	slot.head.method = SPAN_METHOD_OTHER;
	record_text(&slot, TAG_METHOD, "PURGE");
	span = make();
	expect(&span, "PURGE", "http.request.method", "PURGE");
	cr_expect(slice_is(span.name, "PURGE"));
}

Test(http, status_and_error_type)
{
	static const struct {
		unsigned int status;
		enum span_end end;
		const char *error; /* "": status unset */
	} rows[] = {
		{ 200, SPAN_END_COMPLETE, "" },
		{ 101, SPAN_END_SWITCHED, "" },
		{ 304, SPAN_END_COMPLETE, "" },
		{ 400, SPAN_END_COMPLETE, "" },
		{ 499, SPAN_END_COMPLETE, "" },
		{ 500, SPAN_END_COMPLETE, "500" },
		{ 599, SPAN_END_COMPLETE, "599" },
		{ 999, SPAN_END_COMPLETE, "999" },
		{ 99, SPAN_END_COMPLETE, "99" },
		{ 0, SPAN_END_COMPLETE, "" },
		{ 0, SPAN_END_OPEN, "unfinished" },
		{ 0, SPAN_END_NO_RESPONSE, "no_response" },
		{ 0, SPAN_END_CLIENT_CLOSED, "client_closed" },
		{ 200, SPAN_END_CLIENT_CLOSED, "client_closed" },
		{ 200, SPAN_END_RESET, "connection_reset" },
		{ 200, SPAN_END_TIMEOUT, "timeout" },
		{ 0, SPAN_END_MALFORMED, "malformed_response" },
		{ 0, SPAN_END_PROCESS_DIED, "process_died" },
		{ 400, SPAN_END_REQUEST_INCOMPLETE, "request_incomplete" },
		{ 0, SPAN_END_CONNECT_FAILED, "connect_failed" },
		{ 0, SPAN_END_REFUSED, "connection_refused" },
		{ 503, SPAN_END_RESET, "503" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char status[16] = "", about[32];
		struct span span;

		slot.head.status = (uint16_t)rows[i].status;
		slot.head.end = (uint8_t)rows[i].end;
		snprintf(about, sizeof about, "%u, end %d", rows[i].status, rows[i].end);
		if (rows[i].status)
			snprintf(status, sizeof status, "%u", rows[i].status);
		span = make();
		expect(&span, about, "error.type", rows[i].error);
		expect(&span, about, "http.response.status_code", status);
		cr_expect_eq(span.status, *rows[i].error ? MODEL_STATUS_ERROR : MODEL_STATUS_UNSET, "%s",
			     about);
		cr_expect_eq(span.status_message.n, 0);
	}
}

Test(http, every_end_has_an_error_type_or_is_none)
{
	slot.head.status = 0;
	for (int end = 0; end < SPAN_END_MAX; end++) {
		struct span span;

		slot.head.end = (uint8_t)end;
		span = make();
		cr_expect_eq(span.status == MODEL_STATUS_ERROR,
			     end != SPAN_END_COMPLETE && end != SPAN_END_SWITCHED, "end %d", end);
	}
}

Test(http, protocol_versions)
{
	static const struct {
		uint8_t version;
		const char *told, *flavor;
	} rows[] = {
		{ 0x10, "1.0", "1.0" },     { 0x11, "1.1", "1.1" }, { 0x20, "2", "2.0" },
		{ 0x30, "3", "3.0" },       { 0x09, "0.9", "0.9" }, { 0x12, "1.2", "1.2" },
		{ 0xff, "15.15", "15.15" }, { 0, "", "" },
	};

	span_options_conventions(&options, SPAN_CONVENTIONS_BOTH);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span span;

		slot.head.version = rows[i].version;
		span = make();
		expect(&span, rows[i].told, "network.protocol.version", rows[i].told);
		expect(&span, rows[i].told, "http.flavor", rows[i].flavor);
	}
}

Test(http, body_sizes)
{
	struct span span = make();

	cr_expect_null(span_value(&span, "http.request.body.size"), "GET without a body");
	slot.head.method = SPAN_METHOD_POST;
	span = make();
	expect(&span, "POST", "http.request.body.size", "0");
	slot.head.method = SPAN_METHOD_GET;
	slot.head.request_body_bytes = 77;
	slot.head.request_head_bytes = 23;
	slot.head.response_body_bytes = UINT64_MAX;
	span = make();
	expect(&span, "GET with a body", "http.request.body.size", "77");
	expect(&span, "nonsense", "http.response.body.size", "9223372036854775807");
	cr_expect_null(span_value(&span, "http.request.size"));
	options.detail = SPAN_DETAIL_FULL;
	span = make();
	expect(&span, "full", "http.request.size", "100");
	slot.head.status = 0;
	span = make();
	cr_expect_null(span_value(&span, "http.response.body.size"), "no response");
}

Test(http, sizes_do_not_overflow)
{
	struct span span;

	options.detail = SPAN_DETAIL_FULL;
	slot.head.request_body_bytes = slot.head.response_body_bytes = UINT64_MAX;
	slot.head.request_head_bytes = slot.head.response_head_bytes = UINT32_MAX;
	span = make();
	expect(&span, "request", "http.request.size", "9223372036854775807");
	expect(&span, "response", "http.response.size", "9223372036854775807");
}
