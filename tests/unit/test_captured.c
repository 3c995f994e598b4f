/* SPDX-License-Identifier: Apache-2.0 */
/* Captured headers and the names of 2022 on SERVER spans. */
#include "tests/unit/span_helper.h"

TestSuite(captured, .init = begin_server, .fini = end);

Test(captured, headers_are_arrays_of_their_lines)
{
	struct span span;

	record_header(&slot, TAG_REQUEST_HEADER, "x-request-id", "abc");
	record_header(&slot, TAG_REQUEST_HEADER, "x-tag", "a, b");
	record_header(&slot, TAG_RESPONSE_HEADER, "content-type", "text/html");
	record_header(&slot, TAG_REQUEST_HEADER, "x-tag", "");
	record_header(&slot, TAG_RESPONSE_HEADER, "x-tag", "response");
	record_header(&slot, TAG_REQUEST_HEADER, "x-tag", "c\xff");
	span = make();
	expect(&span, "captured", "http.request.header.x-request-id", "abc");
	expect(&span, "captured", "http.request.header.x-tag", "a, b||c\xef\xbf\xbd");
	expect(&span, "captured", "http.response.header.content-type", "text/html");
	expect(&span, "captured", "http.response.header.x-tag", "response");
	cr_expect_eq(span_value(&span, "http.request.header.x-request-id")->type, VALUE_ARRAY);
	cr_expect_eq(span_value(&span, "http.request.header.x-tag")->array.n, 3);
}

Test(captured, secrets_are_redacted_unless_configured)
{
	static const char *const names[] = { "authorization", "proxy-authorization", "cookie", "set-cookie",
					     "x-api-key" };
	char key[64];
	struct span span;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		record_header(&slot, TAG_REQUEST_HEADER, names[i], "secret");
	record_header(&slot, TAG_RESPONSE_HEADER, "set-cookie", "secret");
	span = make();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(key, sizeof key, "http.request.header.%s", names[i]);
		expect(&span, "captured", key, "REDACTED");
	}
	expect(&span, "captured", "http.response.header.set-cookie", "REDACTED");
	options.redact_headers = (struct redact_list){ NULL, 0 };
	span = make();
	expect(&span, "captured", "http.request.header.cookie", "secret");
}

Test(captured, urls_in_headers_lose_their_credentials)
{
	struct span span;

	record_header(&slot, TAG_REQUEST_HEADER, "referer", "http://u:p@h/p?sig=1&a=2");
	record_header(&slot, TAG_RESPONSE_HEADER, "location", "/p?sig=1#token");
	record_header(&slot, TAG_REQUEST_HEADER, "x-other", "/p?sig=1");
	span = make();
	expect(&span, "captured", "http.request.header.referer",
	       "http://REDACTED:REDACTED@h/p?sig=REDACTED&a=2");
	expect(&span, "captured", "http.response.header.location", "/p?sig=REDACTED");
	expect(&span, "captured", "http.request.header.x-other", "/p?sig=1");
}

Test(captured, what_is_no_header_is_left_out)
{
	size_t n = make().attributes.n;

	record_header(&slot, TAG_REQUEST_HEADER, "", "a");
	record_header(&slot, TAG_REQUEST_HEADER, "Upper", "a");
	record_header(&slot, TAG_REQUEST_HEADER, "a b", "a");
	record_header(&slot, TAG_REQUEST_HEADER, "a\xff", "a");
	record_text(&slot, TAG_REQUEST_HEADER, "no-nul");
	record_text(&slot, TAG_RESPONSE_HEADER, "");
	cr_expect_eq(make().attributes.n, n);
}

Test(captured, names_of_2022_have_underscores_and_come_once)
{
	struct span span;

	span_options_conventions(&options, SPAN_CONVENTIONS_BOTH);
	record_header(&slot, TAG_REQUEST_HEADER, "content-type", "dash");
	record_header(&slot, TAG_REQUEST_HEADER, "content_type", "underscore");
	record_header(&slot, TAG_REQUEST_HEADER, "host", "h");
	span = make();
	expect(&span, "captured", "http.request.header.content-type", "dash");
	expect(&span, "captured", "http.request.header.content_type", "dash");
	expect(&span, "captured", "http.request.header.host", "h");
	span_options_conventions(&options, SPAN_CONVENTIONS_LEGACY);
	span = make();
	cr_expect_null(span_value(&span, "http.request.header.content-type"));
	expect(&span, "captured", "http.request.header.content_type", "dash");
}

Test(captured, values_are_cut_and_their_number_bounded)
{
	const struct value *value;

	options.value_chars = 3;
	for (int i = 0; i < 100; i++)
		record_header(&slot, TAG_REQUEST_HEADER, "x", "12345");
	value = span_value(&(struct span){ .attributes = make().attributes }, "http.request.header.x");
	cr_assert(value);
	cr_expect_eq(value->array.n, 64);
	cr_expect(slice_is(value->array.items[63].string, "123"));
}

Test(captured, server_span_with_the_names_of_2022)
{
	struct span span;

	span_options_conventions(&options, SPAN_CONVENTIONS_LEGACY);
	slot.head.method = SPAN_METHOD_POST;
	slot.head.request_body_bytes = 5;
	record_text(&slot, TAG_TARGET, "/summarize?a=1&sig=2");
	record_text(&slot, TAG_HOST, "api.example.com:3000");
	record_text(&slot, TAG_USER_AGENT, "curl/7");
	record_text(&slot, TAG_X_FORWARDED_FOR, "203.0.113.1");
	span = make();
	expect(&span, "captured", "http.method", "POST");
	expect(&span, "captured", "http.scheme", "http");
	expect(&span, "captured", "http.host", "api.example.com:3000");
	expect(&span, "captured", "http.server_name", "api.example.com:3000");
	expect(&span, "captured", "http.target", "/summarize?a=1&sig=REDACTED");
	expect(&span, "captured", "http.url", "http://api.example.com:3000/summarize?a=1&sig=REDACTED");
	expect(&span, "captured", "http.flavor", "1.1");
	expect(&span, "captured", "http.user_agent", "curl/7");
	expect(&span, "captured", "http.status_code", "200");
	expect(&span, "captured", "http.client_ip", "203.0.113.1");
	expect(&span, "captured", "http.request_content_length", "5");
	expect(&span, "captured", "http.response_content_length", "12");
	expect(&span, "captured", "net.host.name", "api.example.com");
	expect(&span, "captured", "net.host.port", "3000");
	expect(&span, "captured", "net.peer.ip", "192.0.2.7");
	expect(&span, "captured", "net.peer.port", "51344");
	cr_expect_null(span_value(&span, "http.request.method"));
	cr_expect_null(span_value(&span, "url.path"));
	cr_expect_null(span_value(&span, "client.address"));
	cr_expect_eq(span.scope->schema_url.n, 0);
	cr_expect(slice_is(span.name, "POST"));
}

Test(captured, both_sets_together_are_the_union)
{
	struct span stable, legacy, both;
	size_t common = 0;

	record_text(&slot, TAG_TARGET, "/a?b");
	record_text(&slot, TAG_HOST, "h");
	slot.head.status = 500;
	options.detail = SPAN_DETAIL_FULL;
	stable = make();
	span_options_conventions(&options, SPAN_CONVENTIONS_LEGACY);
	legacy = make();
	span_options_conventions(&options, SPAN_CONVENTIONS_BOTH);
	both = make();
	for (size_t i = 0; i < stable.attributes.n; i++) {
		char key[64];

		snprintf(key, sizeof key, "%.*s", (int)stable.attributes.items[i].key.n,
			 stable.attributes.items[i].key.p);
		cr_expect(span_value(&both, key), "%s", key);
		common += span_value(&legacy, key) != NULL;
	}
	cr_expect_eq(both.attributes.n, stable.attributes.n + legacy.attributes.n - common);
	cr_expect(common >= 3, "error.type, btrace.*");
}
