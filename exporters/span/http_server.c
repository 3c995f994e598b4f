/* SPDX-License-Identifier: Apache-2.0 */
/* SERVER spans: who asked, whom they meant to ask, and for what: "HTTP server span" of the conventions. */
#include "exporters/span/build.h"
#include "exporters/span/text.h"

static bool trusted(const struct span_build *b)
{
	switch (b->options->trust) {
	case SPAN_TRUST_ALL: return true;
	case SPAN_TRUST_PRIVATE: return endpoint_is_private(&b->record->peer);
	default: return false;
	}
}

/* Forwarded first, then X-Forwarded-*; all empty if there is none or nobody is believed. */
static struct forwarded read_proxies(struct span_build *b)
{
	struct forwarded f = { { { "", 0 }, ENDPOINT_NO_PORT }, { { "", 0 }, ENDPOINT_NO_PORT }, { "", 0 } };

	if (!trusted(b))
		return f;
	if (b->has[TAG_FORWARDED])
		forwarded_parse(b->arena, b->text[TAG_FORWARDED], &f);
	if (!f.client.host.n && b->has[TAG_X_FORWARDED_FOR])
		forwarded_x_for(b->text[TAG_X_FORWARDED_FOR], &f.client);
	if (!f.host.host.n && b->has[TAG_X_FORWARDED_HOST])
		forwarded_x_host(b->text[TAG_X_FORWARDED_HOST], &f.host);
	if (!f.proto.n && b->has[TAG_X_FORWARDED_PROTO])
		f.proto = forwarded_x_proto(b->text[TAG_X_FORWARDED_PROTO]);
	return f;
}

static struct slice scheme_of(const struct span_build *b, const struct forwarded *f)
{
	if (f->proto.n)
		return f->proto;
	if (b->target.scheme.n)
		return b->target.scheme;
	return b->record->proto & 1 ? SLICE("https") : SLICE("http");
}

static int32_t default_port(struct slice scheme)
{
	if (slice_is(scheme, "https") || slice_is(scheme, "wss"))
		return 443;
	return slice_is(scheme, "http") || slice_is(scheme, "ws") ? 80 : ENDPOINT_NO_PORT;
}

/* The authority the client meant: RFC 9112 3.2.2 lets an absolute target win over Host. */
static struct endpoint server_of(const struct span_build *b, const struct forwarded *f)
{
	struct endpoint e = f->host;

	if (!e.host.n && b->target.authority.n)
		endpoint_split(b->target.authority, &e);
	if (!e.host.n)
		endpoint_split(b->text[TAG_HOST], &e);
	return e;
}

static void put_url(struct span_build *b, struct slice scheme, const struct endpoint *server)
{
	const struct target *t = &b->target;
	struct slice question = t->query.n ? SLICE("?") : SLICE("");
	struct slice target;

	build_text(b, NAME_PATH, t->path);
	if (t->query.n)
		build_text(b, NAME_QUERY, t->query);
	build_text(b, NAME_SCHEME, scheme);
	if (!(b->options->conventions & SPAN_CONVENTIONS_LEGACY))
		return;
	target = text_join(b->arena, (struct slice[]){ t->path, question, t->query }, 3);
	build_text(b, NAME_TARGET, target);
	if (server->host.n)
		build_text(b, NAME_URL,
			   text_join(b->arena,
				     (struct slice[]){ scheme, SLICE("://"), endpoint_join(b->arena, server),
						       target },
				     4));
}

static void put_server(struct span_build *b, struct slice scheme, const struct endpoint *server)
{
	int32_t port = server->port == ENDPOINT_NO_PORT ? default_port(scheme) : server->port;
	struct endpoint host;
	struct slice text;

	if (server->host.n) {
		build_text(b, NAME_SERVER_ADDRESS, server->host);
		if (port != ENDPOINT_NO_PORT)
			build_int(b, NAME_SERVER_PORT, port);
	}
	if (!(b->options->conventions & SPAN_CONVENTIONS_LEGACY) || !endpoint_split(b->text[TAG_HOST], &host))
		return;
	text = endpoint_join(b->arena, &host);
	build_text(b, NAME_HOST, text);
	build_text(b, NAME_SERVER_NAME, text); /* with the port, as the ASGI instrumentation of 2022 has it */
}

static void put_client(struct span_build *b, const struct forwarded *f)
{
	const struct span_record *r = b->record;
	struct slice peer = endpoint_address(b->arena, &r->peer), client = peer;
	int32_t port = peer.n ? r->peer.port : ENDPOINT_NO_PORT;

	if (f->client.host.n) {
		client = f->client.host;
		port = f->client.port;
		build_text(b, NAME_CLIENT_IP, client);
	} else if (r->proxied.family && trusted(b)) {
		client = endpoint_address(b->arena, &r->proxied);
		port = r->proxied.port;
	}
	if (client.n)
		build_text(b, NAME_CLIENT_ADDRESS, client);
	if (client.n && port != ENDPOINT_NO_PORT && b->options->detail == SPAN_DETAIL_FULL)
		build_int(b, NAME_CLIENT_PORT, port);
	if (!peer.n)
		return;
	build_text(b, NAME_PEER_ADDRESS, peer);
	build_int(b, NAME_PEER_PORT, r->peer.port);
}

static struct slice route_of(struct span_build *b)
{
	const struct span_router *router = &b->options->router;

	if (!router->find || !b->target.path.n)
		return SLICE("");
	return router->find(router->state, b->resource->service_name, b->method, b->target.path,
			    b->record->status);
}

void http_server(struct span_build *b, struct span *out)
{
	struct slice method, route;
	struct forwarded f;
	struct endpoint server;

	http_method(b);
	http_target(b);
	f = read_proxies(b);
	server = server_of(b, &f);
	put_url(b, scheme_of(b, &f), &server);
	put_server(b, scheme_of(b, &f), &server);
	put_client(b, &f);
	route = route_of(b);
	if (route.n)
		build_text(b, NAME_ROUTE, route);
	http_exchange(b);
	http_outcome(b, out);
	method = slice_is(b->method, "_OTHER") ? SLICE("HTTP") : b->method;
	out->name =
		text_join(b->arena, (struct slice[]){ method, route.n ? SLICE(" ") : SLICE(""), route }, 3);
}
