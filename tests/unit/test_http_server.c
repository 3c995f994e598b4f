/* SPDX-License-Identifier: Apache-2.0 */
/* SERVER spans, rule by rule (wire.md sections 4.1 to 4.6 and 4.8). */
#include <criterion/criterion.h>

#include "tests/lib/record.h"

static struct arena arena;
static struct span_options options;
static const struct resource resource = { .service_name = { "shop", 4 } };
static struct span_slot slot;

static void set_up(void)
{
	arena_init(&arena);
	span_options_init(&options);
	slot = record_plain(SPAN_KIND_SERVER);
}
static void tear_down(void) { arena_release(&arena); }
TestSuite(http_server, .init = set_up, .fini = tear_down);

static struct span make(void)
{
	struct span out;

	cr_assert_eq(span_from_record(&slot, &options, &resource, RECORD_OFFSET_NS, &arena, &out), 0);
	return out;
}

static void expect(const struct span *span, const char *about, const char *key, const char *wanted)
{
	char text[512];

	cr_expect_str_eq(span_text(span, key, text), wanted, "%s: %s is \"%s\", not \"%s\"", about, key, text,
			 wanted);
}

Test(http_server, forms_of_the_target)
{
	static const char *const rows[][6] = {
		/* target, path, query, scheme, address, port; Host is h.example:81 */
		{ "/", "/", "", "http", "h.example", "81" },
		{ "/a/b?c=d&e", "/a/b", "c=d&e", "http", "h.example", "81" },
		{ "/a?", "/a", "", "http", "h.example", "81" },
		{ "/a??b", "/a", "?b", "http", "h.example", "81" },
		{ "/a#f?g", "/a", "", "http", "h.example", "81" },
		{ "/a?b#f", "/a", "b", "http", "h.example", "81" },
		{ "//a//b", "//a//b", "", "http", "h.example", "81" },
		{ "/%2e%2E/%41", "/%2e%2E/%41", "", "http", "h.example", "81" },
		{ "*", "*", "", "http", "h.example", "81" },
		{ "http://x.example/a?b", "/a", "b", "http", "x.example", "80" },
		{ "HTTPS://x.example:8443", "/", "", "https", "x.example", "8443" },
		{ "http://u:p@x.example?q", "/", "q", "http", "x.example", "80" },
		{ "http://[::1]:5/", "/", "", "http", "::1", "5" },
		{ "http:///a", "/a", "", "http", "h.example", "81" },
		{ "a/b?c", "a/b", "c", "http", "h.example", "81" },
		{ "?a", "", "a", "http", "h.example", "81" },
		{ "", "", "", "http", "h.example", "81" },
		{ "/a?sig=1&b=2", "/a", "sig=REDACTED&b=2", "http", "h.example", "81" },
		{ "/a;jsessionid=1?b", "/a;jsessionid=REDACTED", "b", "http", "h.example", "81" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span span;

		slot = record_plain(SPAN_KIND_SERVER);
		record_text(&slot, TAG_TARGET, rows[i][0]);
		record_text(&slot, TAG_HOST, "h.example:81");
		span = make();
		expect(&span, rows[i][0], "url.path", rows[i][1]);
		expect(&span, rows[i][0], "url.query", rows[i][2]);
		expect(&span, rows[i][0], "url.scheme", rows[i][3]);
		expect(&span, rows[i][0], "server.address", rows[i][4]);
		expect(&span, rows[i][0], "server.port", rows[i][5]);
		cr_expect(span_value(&span, "url.path"), "url.path is required");
		cr_expect_eq(span_value(&span, "url.query") != NULL, *rows[i][2] != 0);
	}
}

Test(http_server, connect_has_an_authority_and_no_path)
{
	struct span span;

	slot.head.method = SPAN_METHOD_CONNECT;
	record_text(&slot, TAG_TARGET, "db.example:5432");
	record_text(&slot, TAG_HOST, "other:1");
	span = make();
	expect(&span, "CONNECT", "url.path", "");
	expect(&span, "CONNECT", "server.address", "db.example");
	expect(&span, "CONNECT", "server.port", "5432");
	cr_expect(slice_is(span.name, "CONNECT"));
}

/* Forwarded, X-Forwarded-For, -Host, -Proto, Host; NULL: not there */
struct origin {
	const char *forwarded, *xff, *xfh, *xfp, *host;
	const char *client, *address, *port, *scheme;
};

static void expect_origin(const struct origin *o, size_t i)
{
	const char *values[] = { o->forwarded, o->xff, o->xfh, o->xfp, o->host };
	static const enum span_tag tags[] = { TAG_FORWARDED, TAG_X_FORWARDED_FOR, TAG_X_FORWARDED_HOST,
					      TAG_X_FORWARDED_PROTO, TAG_HOST };
	char about[16];
	struct span span;

	snprintf(about, sizeof about, "row %zu", i);
	slot.head.tail_bytes = 0;
	for (size_t j = 0; j < 5; j++)
		if (values[j])
			record_text(&slot, tags[j], values[j]);
	span = make();
	expect(&span, about, "client.address", o->client);
	expect(&span, about, "server.address", o->address);
	expect(&span, about, "server.port", o->port);
	expect(&span, about, "url.scheme", o->scheme);
	expect(&span, about, "network.peer.address", "192.0.2.7");
	expect(&span, about, "network.peer.port", "51344");
}

static const struct origin origins[] = {
	{ NULL, NULL, NULL, NULL, NULL, "192.0.2.7", "", "", "http" },
	{ NULL, NULL, NULL, NULL, "h", "192.0.2.7", "h", "80", "http" },
	{ NULL, NULL, NULL, NULL, "h:8080", "192.0.2.7", "h", "8080", "http" },
	{ NULL, NULL, NULL, NULL, "[::1]:8080", "192.0.2.7", "::1", "8080", "http" },
	{ NULL, NULL, NULL, NULL, "<bad>", "192.0.2.7", "", "", "http" },
	{ NULL, NULL, NULL, NULL, "u:p@h", "192.0.2.7", "h", "80", "http" },
	{ NULL, "198.51.100.1, 10.0.0.1", "x", "https", "h:1", "198.51.100.1", "x", "443", "https" },
	{ NULL, "unknown", "", "gopher!", "h:1", "192.0.2.7", "h", "1", "http" },
	{ "for=203.0.113.1;host=f:2;proto=https", "198.51.100.1", "x", "http", "h:1", "203.0.113.1", "f", "2",
	  "https" },
	{ "for=_x;proto=https", "198.51.100.1", "x:3", "http", "h:1", "198.51.100.1", "x", "3", "https" },
	{ "for=unknown", NULL, NULL, NULL, "h:1", "192.0.2.7", "h", "1", "http" },
	{ "host=f", NULL, NULL, "wss", NULL, "192.0.2.7", "f", "443", "wss" },
	{ "host=f", NULL, NULL, "coap", NULL, "192.0.2.7", "f", "", "coap" },
};

Test(http_server, proxies_are_believed_in_the_order_of_the_conventions)
{
	for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
		expect_origin(&origins[i], i);
}

Test(http_server, proxies_are_not_believed_when_nobody_is)
{
	struct origin o = origins[8];

	o.client = "192.0.2.7", o.address = "h", o.port = "1", o.scheme = "http";
	options.trust = SPAN_TRUST_NONE;
	expect_origin(&o, 0);
	options.trust = SPAN_TRUST_PRIVATE;
	expect_origin(&o, 1);
	slot.head.peer = record_ipv4(10, 1, 2, 3, 4);
	cr_expect(slice_is(
		span_value(&(struct span){ .attributes = make().attributes }, "client.address")->string,
		"203.0.113.1"));
}

Test(http_server, proxy_protocol_tells_the_client_but_not_the_peer)
{
	struct span span;

	slot.head.proxied = record_ipv4(198, 51, 100, 9, 5555);
	options.detail = SPAN_DETAIL_FULL;
	span = make();
	expect(&span, "proxied", "client.address", "198.51.100.9");
	expect(&span, "proxied", "client.port", "5555");
	expect(&span, "proxied", "network.peer.address", "192.0.2.7");
	record_text(&slot, TAG_X_FORWARDED_FOR, "203.0.113.1");
	span = make();
	expect(&span, "X-Forwarded-For first", "client.address", "203.0.113.1");
	cr_expect_null(span_value(&span, "client.port"), "the port of another address");
	options.trust = SPAN_TRUST_NONE;
	span = make();
	expect(&span, "nobody believed", "client.address", "192.0.2.7");
	expect(&span, "nobody believed", "client.port", "51344");
}

Test(http_server, tls_makes_https)
{
	struct span span;

	slot.head.proto = 1;
	record_text(&slot, TAG_HOST, "h");
	span = make();
	expect(&span, "tls", "url.scheme", "https");
	expect(&span, "tls", "server.port", "443");
}

Test(http_server, methods)
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
	}
}

Test(http_server, known_methods_are_replaced_as_a_whole)
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

Test(http_server, status_and_error_type)
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

Test(http_server, every_end_has_an_error_type_or_is_none)
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

Test(http_server, protocol_versions)
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

Test(http_server, body_sizes)
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

Test(http_server, sizes_do_not_overflow)
{
	struct span span;

	options.detail = SPAN_DETAIL_FULL;
	slot.head.request_body_bytes = slot.head.response_body_bytes = UINT64_MAX;
	slot.head.request_head_bytes = slot.head.response_head_bytes = UINT32_MAX;
	span = make();
	expect(&span, "request", "http.request.size", "9223372036854775807");
	expect(&span, "response", "http.response.size", "9223372036854775807");
}

static struct slice find_route(void *state, struct slice service, struct slice method, struct slice path,
			       unsigned int status)
{
	cr_assert(slice_is(service, "shop") && slice_is(method, "GET") && slice_is(path, "/users/7"));
	++*(int *)state;
	return status == 404 ? SLICE("") : SLICE("/users/{id}");
}

Test(http_server, route_gives_the_name)
{
	int asked = 0;
	struct span span;

	options.router = (struct span_router){ find_route, &asked };
	record_text(&slot, TAG_TARGET, "/users/7?a=b");
	span = make();
	cr_expect(slice_is(span.name, "GET /users/{id}"), "%.*s", (int)span.name.n, span.name.p);
	expect(&span, "route", "http.route", "/users/{id}");
	slot.head.status = 404;
	span = make();
	cr_expect(slice_is(span.name, "GET"));
	cr_expect_null(span_value(&span, "http.route"));
	cr_expect_eq(asked, 2);
}

Test(http_server, unix_sockets)
{
	struct span span;

	slot.head.peer = slot.head.local = (struct span_address){ .family = 1 };
	record_text(&slot, TAG_UNIX_PATH, "/run/app.sock");
	record_text(&slot, TAG_X_FORWARDED_FOR, "203.0.113.1");
	options.trust = SPAN_TRUST_PRIVATE;
	span = make();
	expect(&span, "unix", "network.transport", "unix");
	expect(&span, "unix", "network.local.address", "/run/app.sock");
	expect(&span, "unix", "client.address", "203.0.113.1");
	cr_expect_null(span_value(&span, "network.peer.address"));
	cr_expect_null(span_value(&span, "network.peer.port"));
	options.detail = SPAN_DETAIL_MINIMAL;
	span = make();
	cr_expect_null(span_value(&span, "network.transport"));
}
