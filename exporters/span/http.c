/* SPDX-License-Identifier: Apache-2.0 */
/* What SERVER and CLIENT spans have in common: method, target, status, sizes. */
#include "exporters/base/number.h"
#include "exporters/span/build.h"

static const struct slice methods[SPAN_METHOD_MAX] = {
	[SPAN_METHOD_GET] = { "GET", 3 },         [SPAN_METHOD_HEAD] = { "HEAD", 4 },
	[SPAN_METHOD_POST] = { "POST", 4 },       [SPAN_METHOD_PUT] = { "PUT", 3 },
	[SPAN_METHOD_DELETE] = { "DELETE", 6 },   [SPAN_METHOD_CONNECT] = { "CONNECT", 7 },
	[SPAN_METHOD_OPTIONS] = { "OPTIONS", 7 }, [SPAN_METHOD_TRACE] = { "TRACE", 5 },
	[SPAN_METHOD_PATCH] = { "PATCH", 5 },     [SPAN_METHOD_QUERY] = { "QUERY", 5 },
};

static const char *const end_errors[SPAN_END_MAX] = {
	[SPAN_END_OPEN] = "unfinished",
	[SPAN_END_NO_RESPONSE] = "no_response",
	[SPAN_END_CLIENT_CLOSED] = "client_closed",
	[SPAN_END_RESET] = "connection_reset",
	[SPAN_END_TIMEOUT] = "timeout",
	[SPAN_END_MALFORMED] = "malformed_response",
	[SPAN_END_PROCESS_DIED] = "process_died",
	[SPAN_END_REQUEST_INCOMPLETE] = "request_incomplete",
	[SPAN_END_CONNECT_FAILED] = "connect_failed",
	[SPAN_END_REFUSED] = "connection_refused",
};

static bool is_known(const struct span_options *o, struct slice method)
{
	for (size_t i = 0; i < o->n_known_methods; i++)
		if (slice_equal(o->known_methods[i], method))
			return true;
	return false;
}

void http_method(struct span_build *b)
{
	unsigned int number = b->record->method;

	b->method_received = number == SPAN_METHOD_OTHER ? b->text[TAG_METHOD] : methods[number];
	b->method = is_known(b->options, b->method_received) ? b->method_received : SLICE("_OTHER");
	build_text(b, NAME_METHOD, b->method);
	build_text(b, NAME_OLD_METHOD, b->method_received.n ? b->method_received : b->method);
	if (b->method_received.n && slice_is(b->method, "_OTHER"))
		build_text(b, NAME_METHOD_ORIGINAL, b->method_received);
}

static size_t find(struct slice s, char wanted)
{
	const char *at = s.n ? memchr(s.p, wanted, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

static struct slice skip(struct slice s, size_t n) { return (struct slice){ s.p + n, s.n - n }; }

/* "http://host/path" -> scheme and authority off; false: not the absolute form */
static bool take_authority(struct slice *rest, struct target *t)
{
	size_t colon = find(*rest, ':');
	size_t end;

	if (rest->n - colon < 3 || memcmp(rest->p + colon, "://", 3) != 0)
		return false;
	t->scheme = forwarded_scheme((struct slice){ rest->p, colon });
	if (!t->scheme.n)
		return false;
	*rest = skip(*rest, colon + 3);
	for (end = 0; end < rest->n; end++)
		if (rest->p[end] == '/' || rest->p[end] == '?' || rest->p[end] == '#')
			break;
	t->authority = (struct slice){ rest->p, end };
	*rest = skip(*rest, end);
	return true;
}

void http_target(struct span_build *b)
{
	struct target *t = &b->target;
	struct slice rest = b->text[TAG_TARGET];
	size_t question;
	bool absolute = false;

	*t = (struct target){ { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 } };
	if (b->record->method == SPAN_METHOD_CONNECT) {
		t->authority = rest;
		return;
	}
	rest.n = find(rest, '#');
	if (rest.n && rest.p[0] != '/')
		absolute = take_authority(&rest, t);
	question = find(rest, '?');
	t->path = (struct slice){ rest.p, question };
	if (absolute && question == 0)
		t->path = SLICE("/");
	if (question < rest.n)
		t->query = redact_query(b->arena, &b->options->redact_query, skip(rest, question + 1));
	t->path = redact_path(b->arena, &b->options->redact_query, t->path);
	if (!absolute && t->path.n && t->path.p[0] != '/')
		t->path = redact_odd(b->arena, t->path);
}

static struct slice version_text(struct arena *arena, uint8_t version)
{
	char *out;

	switch (version) {
	case 0x00: return SLICE("");
	case 0x10: return SLICE("1.0");
	case 0x11: return SLICE("1.1");
	case 0x20: return SLICE("2");
	case 0x30: return SLICE("3");
	default: break;
	}
	out = arena_take(arena, NUMBER_SIZE * 2);
	if (!out)
		return SLICE("");
	size_t n = number_u64(out, version >> 4);
	out[n++] = '.';
	return (struct slice){ out, n + number_u64(out + n, version & 15) };
}

static void put_version(struct span_build *b)
{
	struct slice text = version_text(b->arena, b->record->version);

	if (!text.n)
		return;
	build_text(b, NAME_VERSION, text);
	build_text(b, NAME_FLAVOR,
		   slice_is(text, "2")   ? SLICE("2.0")
		   : slice_is(text, "3") ? SLICE("3.0")
					 : text);
}

/* head + body, as large as an attribute can tell */
static int64_t size_of(uint32_t head, uint64_t body)
{
	return body > INT64_MAX - (uint64_t)head ? INT64_MAX : (int64_t)(body + head);
}

static void put_sizes(struct span_build *b)
{
	const struct span_record *r = b->record;
	bool body = r->method == SPAN_METHOD_POST || r->method == SPAN_METHOD_PUT ||
		    r->method == SPAN_METHOD_PATCH || r->method == SPAN_METHOD_QUERY;

	if (b->options->detail == SPAN_DETAIL_MINIMAL)
		return;
	if (body || r->request_body_bytes)
		build_int(b, NAME_REQUEST_BODY, size_of(0, r->request_body_bytes));
	if (r->status)
		build_int(b, NAME_RESPONSE_BODY, size_of(0, r->response_body_bytes));
	if (b->options->detail < SPAN_DETAIL_FULL)
		return;
	if (r->request_head_bytes)
		build_int(b, NAME_REQUEST_SIZE, size_of(r->request_head_bytes, r->request_body_bytes));
	if (r->response_head_bytes)
		build_int(b, NAME_RESPONSE_SIZE, size_of(r->response_head_bytes, r->response_body_bytes));
}

/* The path of a UNIX socket is the server's end: local for SERVER spans, the peer of CLIENT spans. */
static void put_unix(struct span_build *b)
{
	if (b->options->detail == SPAN_DETAIL_MINIMAL)
		return;
	build_text(b, NAME_TRANSPORT, SLICE("unix"));
	build_text(b, NAME_OLD_TRANSPORT, SLICE("unix"));
	if (b->record->kind == SPAN_KIND_SERVER && b->text[TAG_UNIX_PATH].n)
		build_text(b, NAME_LOCAL_ADDRESS, b->text[TAG_UNIX_PATH]);
}

static void put_local(struct span_build *b)
{
	const struct span_address *local = &b->record->local;

	if (local->family == 1 || b->record->peer.family == 1) {
		put_unix(b);
		return;
	}
	if (b->options->detail < SPAN_DETAIL_FULL || local->family == 0)
		return;
	build_text(b, NAME_TRANSPORT, SLICE("tcp"));
	build_text(b, NAME_OLD_TRANSPORT, SLICE("ip_tcp"));
	build_text(b, NAME_LOCAL_ADDRESS, endpoint_address(b->arena, local));
	build_int(b, NAME_LOCAL_PORT, local->port);
}

void http_exchange(struct span_build *b)
{
	put_version(b);
	if (b->text[TAG_USER_AGENT].n)
		build_text(b, NAME_USER_AGENT, b->text[TAG_USER_AGENT]);
	if (b->record->status)
		build_int(b, NAME_STATUS, b->record->status);
	put_sizes(b);
	put_local(b);
}

/* "Status" of the HTTP conventions: 4xx is the client's error only */
static bool status_is_error(const struct span_record *r)
{
	if (r->status == 0)
		return false;
	return r->status < 100 || r->status >= (r->kind == SPAN_KIND_CLIENT ? 400 : 500);
}

static struct slice status_text(struct arena *arena, unsigned int status)
{
	char *out = arena_take(arena, NUMBER_SIZE);

	return out ? (struct slice){ out, number_u64(out, status) } : SLICE("");
}

void http_outcome(struct span_build *b, struct span *out)
{
	const char *error = end_errors[b->record->end];

	if (b->record->kind == SPAN_KIND_CLIENT && b->record->end == SPAN_END_CLIENT_CLOSED)
		error = NULL; /* cancelled by this side */
	if (status_is_error(b->record))
		build_text(b, NAME_ERROR_TYPE, status_text(b->arena, b->record->status));
	else if (error)
		build_text(b, NAME_ERROR_TYPE, slice_of(error));
	else
		return;
	out->status = MODEL_STATUS_ERROR;
}
