/* SPDX-License-Identifier: Apache-2.0 */
/* CLIENT spans: "HTTP client span" of the conventions. */
#include "exporters/span/build.h"
#include "exporters/span/text.h"

static struct slice peer_address(struct span_build *b)
{
	if (b->record->peer.family == 1)
		return b->text[TAG_UNIX_PATH];
	return endpoint_address(b->arena, &b->record->peer);
}

/* Host of an absolute target, else of Host; the peer where the request names nobody. */
static struct endpoint remote_of(struct span_build *b, struct slice peer)
{
	struct endpoint e = { { "", 0 }, ENDPOINT_NO_PORT };

	if (b->target.authority.n && endpoint_split(b->target.authority, &e))
		return e;
	if (endpoint_split(b->text[TAG_HOST], &e))
		return e;
	e.host = peer;
	if (b->record->peer.family > 1)
		e.port = b->record->peer.port;
	return e;
}

static void put_url(struct span_build *b, struct slice scheme, const struct endpoint *remote)
{
	const struct target *t = &b->target;
	/* A UNIX path is no authority; the URL then has an empty one. */
	bool path = remote->host.n && remote->host.p == b->text[TAG_UNIX_PATH].p;
	struct slice authority = path ? SLICE("") : endpoint_join(b->arena, remote);
	struct slice rest = slice_is(t->path, "*") ? SLICE("") : t->path; /* RFC 9112 3.2.4 */

	build_text(b, NAME_FULL,
		   text_join(b->arena,
			     (struct slice[]){ scheme, SLICE("://"), authority, rest,
					       t->query.n ? SLICE("?") : SLICE(""), t->query },
			     6));
	if (b->options->detail == SPAN_DETAIL_FULL)
		build_text(b, NAME_SCHEME, scheme);
}

void http_client(struct span_build *b, struct span *out)
{
	struct slice peer = peer_address(b), scheme;
	struct endpoint remote;

	http_method(b);
	http_target(b);
	scheme = b->target.scheme.n     ? b->target.scheme
		 : b->record->proto & 1 ? SLICE("https")
					: SLICE("http");
	remote = remote_of(b, peer);
	put_url(b, scheme, &remote);
	if (remote.host.n)
		build_text(b, NAME_REMOTE_ADDRESS, remote.host);
	if (remote.port == ENDPOINT_NO_PORT && b->record->peer.family != 1)
		remote.port = slice_is(scheme, "https") ? 443 : 80;
	if (remote.host.n && remote.port != ENDPOINT_NO_PORT)
		build_int(b, NAME_REMOTE_PORT, remote.port);
	if (peer.n)
		build_text(b, NAME_PEER_ADDRESS, peer);
	if (peer.n && b->record->peer.family != 1)
		build_int(b, NAME_REMOTE_PEER_PORT, b->record->peer.port);
	if (b->record->resend_count)
		build_int(b, NAME_RESEND_COUNT, b->record->resend_count);
	http_exchange(b);
	http_outcome(b, out);
	out->name = slice_is(b->method, "_OTHER") ? SLICE("HTTP") : b->method;
}
