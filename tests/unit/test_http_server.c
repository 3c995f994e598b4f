/* SPDX-License-Identifier: Apache-2.0 */
/* SERVER spans, rule by rule (HTTP semantic conventions). */
#include "tests/unit/span_helper.h"

TestSuite(http_server, .init = begin_server, .fini = end);

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
		{ "u:p@x/a?b", "REDACTED:REDACTED@x/a", "b", "http", "h.example", "81" },
		{ "1x://u:p@x/a", "REDACTED:REDACTED@x/a", "", "http", "h.example", "81" },
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
