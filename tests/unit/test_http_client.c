/* SPDX-License-Identifier: Apache-2.0 */
/* CLIENT spans, rule by rule (HTTP semantic conventions). */
#include "tests/unit/span_helper.h"

TestSuite(http_client, .init = begin_client, .fini = end);

Test(http_client, url_and_server)
{
	static const char *const rows[][5] = {
		/* target, Host, url.full, server.address, server.port */
		{ "/a?b=1", "h.example", "http://h.example/a?b=1", "h.example", "80" },
		{ "/a", "h.example:8081", "http://h.example:8081/a", "h.example", "8081" },
		{ "/", "[2001:db8::1]:81", "http://[2001:db8::1]:81/", "2001:db8::1", "81" },
		{ "/", "u:p@h.example", "http://h.example/", "h.example", "80" },
		{ "/p?sig=1", "h", "http://h/p?sig=REDACTED", "h", "80" },
		{ "/p#f", "h", "http://h/p", "h", "80" },
		{ "http://x.example/a?b", "h", "http://x.example/a?b", "x.example", "80" },
		{ "https://u:p@x.example", "h", "https://x.example/", "x.example", "443" },
		{ "/a", "", "http://192.0.2.7:51344/a", "192.0.2.7", "51344" },
		{ "/a", "<bad>", "http://192.0.2.7:51344/a", "192.0.2.7", "51344" },
		{ "*", "h", "http://h", "h", "80" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span span;

		slot.head.tail_bytes = 0;
		record_text(&slot, TAG_TARGET, rows[i][0]);
		record_text(&slot, TAG_HOST, rows[i][1]);
		span = make();
		expect(&span, rows[i][0], "url.full", rows[i][2]);
		expect(&span, rows[i][0], "server.address", rows[i][3]);
		expect(&span, rows[i][0], "server.port", rows[i][4]);
		expect(&span, rows[i][0], "network.peer.address", "192.0.2.7");
		expect(&span, rows[i][0], "network.peer.port", "51344");
		cr_expect_null(span_value(&span, "url.path"));
		cr_expect_null(span_value(&span, "client.address"));
		cr_expect(slice_is(span.name, "GET"));
	}
}

Test(http_client, unix_socket_is_the_server)
{
	struct span span;

	slot.head.peer = (struct span_address){ .family = 1 };
	record_text(&slot, TAG_UNIX_PATH, "@runner");
	record_text(&slot, TAG_TARGET, "/predict");
	span = make();
	expect(&span, "without Host", "server.address", "@runner");
	expect(&span, "without Host", "url.full", "http:///predict");
	expect(&span, "without Host", "network.peer.address", "@runner");
	expect(&span, "without Host", "network.transport", "unix");
	cr_expect_null(span_value(&span, "server.port"));
	cr_expect_null(span_value(&span, "network.peer.port"));
	cr_expect_null(span_value(&span, "network.local.address"));
	record_text(&slot, TAG_HOST, "127.0.0.1:8000");
	span = make();
	expect(&span, "with Host", "url.full", "http://127.0.0.1:8000/predict");
	expect(&span, "with Host", "server.port", "8000");
}

Test(http_client, status_and_error_type)
{
	static const struct {
		unsigned int status;
		enum span_end end;
		const char *error;
	} rows[] = {
		{ 200, SPAN_END_COMPLETE, "" },
		{ 399, SPAN_END_COMPLETE, "" },
		{ 400, SPAN_END_COMPLETE, "400" },
		{ 404, SPAN_END_COMPLETE, "404" },
		{ 500, SPAN_END_COMPLETE, "500" },
		{ 42, SPAN_END_COMPLETE, "42" },
		{ 0, SPAN_END_CONNECT_FAILED, "connect_failed" },
		{ 0, SPAN_END_REFUSED, "connection_refused" },
		{ 0, SPAN_END_NO_RESPONSE, "no_response" },
		{ 200, SPAN_END_RESET, "connection_reset" },
		{ 0, SPAN_END_CLIENT_CLOSED, "" },
		{ 200, SPAN_END_CLIENT_CLOSED, "" },
		{ 404, SPAN_END_CLIENT_CLOSED, "404" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char about[32];
		struct span span;

		slot.head.status = (uint16_t)rows[i].status;
		slot.head.end = (uint8_t)rows[i].end;
		snprintf(about, sizeof about, "%u, end %d", rows[i].status, rows[i].end);
		span = make();
		expect(&span, about, "error.type", rows[i].error);
		cr_expect_eq(span.status, *rows[i].error ? MODEL_STATUS_ERROR : MODEL_STATUS_UNSET, "%s",
			     about);
	}
}

Test(http_client, unknown_method)
{
	struct span span;

	slot.head.method = SPAN_METHOD_OTHER;
	record_text(&slot, TAG_METHOD, "PURGE");
	span = make();
	expect(&span, "PURGE", "http.request.method", "_OTHER");
	expect(&span, "PURGE", "http.request.method_original", "PURGE");
	cr_expect(slice_is(span.name, "HTTP"));
}

Test(http_client, of_a_connect_that_failed_the_address_is_all_there_is)
{
	struct span span;

	slot.head.method = SPAN_METHOD_OTHER;
	slot.head.status = 0;
	slot.head.version = 0;
	slot.head.tail_bytes = 0;
	slot.head.end = SPAN_END_CONNECT_FAILED;
	span = make();
	cr_expect(slice_is(span.name, "HTTP"));
	expect(&span, "failed", "http.request.method", "_OTHER");
	expect(&span, "failed", "error.type", "connect_failed");
	expect(&span, "failed", "server.address", "192.0.2.7");
	expect(&span, "failed", "server.port", "51344");
	expect(&span, "failed", "network.peer.address", "192.0.2.7");
	expect(&span, "failed", "network.peer.port", "51344");
	expect(&span, "failed", "url.full", "http://192.0.2.7:51344"); /* required; the path is not known */
	cr_expect_null(span_value(&span, "http.request.method_original"));
	cr_expect_null(span_value(&span, "http.response.status_code"));
	cr_expect_eq(span.status, MODEL_STATUS_ERROR);
	record_text(&slot, TAG_TARGET, "/sent/too/early");
	span = make();
	expect(&span, "sent", "url.full", "http://192.0.2.7:51344/sent/too/early");
}

Test(http_client, connect_to_a_proxy_names_the_target)
{
	struct span span;

	slot.head.method = SPAN_METHOD_CONNECT;
	record_text(&slot, TAG_TARGET, "db.example:443");
	record_text(&slot, TAG_HOST, "db.example:443");
	span = make();
	expect(&span, "CONNECT", "server.address", "db.example");
	expect(&span, "CONNECT", "server.port", "443");
	expect(&span, "CONNECT", "url.full", "http://db.example:443");
}

Test(http_client, names_of_2022)
{
	struct span span;

	span_options_conventions(&options, SPAN_CONVENTIONS_LEGACY);
	record_text(&slot, TAG_TARGET, "/a?b=1");
	record_text(&slot, TAG_HOST, "h.example:81");
	record_text(&slot, TAG_USER_AGENT, "curl/7");
	span = make();
	expect(&span, "legacy", "http.method", "GET");
	expect(&span, "legacy", "http.url", "http://h.example:81/a?b=1");
	cr_expect_null(span_value(&span, "http.scheme"), "opt-in");
	expect(&span, "legacy", "net.peer.name", "h.example");
	expect(&span, "legacy", "net.peer.port", "81");
	expect(&span, "legacy", "net.peer.ip", "192.0.2.7");
	expect(&span, "legacy", "http.flavor", "1.1");
	expect(&span, "legacy", "http.status_code", "200");
	expect(&span, "legacy", "http.user_agent", "curl/7");
	expect(&span, "legacy", "http.response_content_length", "12");
	for (size_t i = 0; i < span.attributes.n; i++)
		cr_expect(memcmp(span.attributes.items[i].key.p, "http.", 5) == 0 ||
				  memcmp(span.attributes.items[i].key.p, "net.", 4) == 0 ||
				  memcmp(span.attributes.items[i].key.p, "btrace.", 7) == 0,
			  "%.*s", (int)span.attributes.items[i].key.n, span.attributes.items[i].key.p);
}

Test(http_client, how_often_it_was_sent_again)
{
	struct span span = make();

	expect(&span, "the first", "http.request.resend_count", "");
	slot.head.resend_count = 2;
	span = make();
	expect(&span, "the third", "http.request.resend_count", "2");
}
