/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/golden.h"

#include "tests/lib/record.h"

#define SCHEMA "https://opentelemetry.io/schemas/1.43.0"

static struct slice users_route(void *state, struct slice service, struct slice method, struct slice path,
				unsigned int status)
{
	(void)state, (void)service, (void)method, (void)status;
	return path.n > 7 && memcmp(path.p, "/users/", 7) == 0 ? SLICE("/users/{id}") : SLICE("");
}

static void full_request(struct span_slot *s)
{
	*s = record_plain(SPAN_KIND_SERVER);
	s->head.method = SPAN_METHOD_POST;
	s->head.proto = 1;
	s->head.parent_span_id[0] = 0xd7;
	s->head.flags |= SPAN_FLAG_REMOTE_PARENT;
	s->head.trace_flags = 3;
	s->head.request_end_ns = RECORD_START_NS + 250000;
	s->head.wait_ns = 40000;
	s->head.request_body_bytes = 300;
	s->head.request_head_bytes = 411;
	s->head.response_head_bytes = 120;
	s->head.connection = 17;
	s->head.request_number = 3;
	record_text(s, TAG_TARGET, "/users/42?q=caf%C3%A9&sig=abcdef");
	record_text(s, TAG_HOST, "10.0.0.1:8080");
	record_text(s, TAG_USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64)");
	record_text(s, TAG_FORWARDED, "for=\"[2001:db8:cafe::17]:4711\";host=shop.example.com;proto=https");
	record_text(s, TAG_TRACESTATE, "rojo=00f067aa0ba902b7");
	record_text(s, TAG_TRACESTATE, "congo=t61rcWkgMzE");
	record_header(s, TAG_REQUEST_HEADER, "x-request-id", "7f3");
	record_header(s, TAG_REQUEST_HEADER, "authorization", "Bearer secret");
	record_header(s, TAG_RESPONSE_HEADER, "content-type", "application/json");
}

static void plain(struct span_slot *s)
{
	*s = record_plain(SPAN_KIND_SERVER);
	record_text(s, TAG_TARGET, "/");
	record_text(s, TAG_HOST, "localhost:8080");
}

static void not_found(struct span_slot *s)
{
	plain(s);
	s->head.status = 404;
	s->head.version = 0x10;
}

static void server_error(struct span_slot *s)
{
	plain(s);
	s->head.status = 503;
	s->head.flags |= SPAN_FLAG_TAIL_CANDIDATE | SPAN_FLAG_TRUNCATED;
}

static void process_died(struct span_slot *s)
{
	plain(s);
	s->head.status = 0;
	s->head.response_start_ns = s->head.end_ns = 0;
	s->head.request_end_ns = RECORD_START_NS + 9000;
	s->head.response_body_bytes = 0;
	s->head.end = SPAN_END_PROCESS_DIED;
}

static void behind_proxies(struct span_slot *s)
{
	plain(s);
	s->head.proxied = record_ipv4(203, 0, 113, 9, 4711);
	record_text(s, TAG_X_FORWARDED_PROTO, "https");
	record_text(s, TAG_X_FORWARDED_HOST, "shop.example.com:8443, inner");
}

static void odd_bytes(struct span_slot *s)
{
	*s = record_plain(SPAN_KIND_SERVER);
	s->head.method = SPAN_METHOD_OTHER;
	s->head.peer = s->head.local = (struct span_address){ .family = 1 };
	record_text(s, TAG_METHOD, "get");
	record_text(s, TAG_TARGET,
		    "/st\xc3\xa4"
		    "dte/\xff\xfe?\xf0\x9f\x9a\x80=\"\x01");
	record_text(s, TAG_UNIX_PATH, "/run/app.sock");
}

static void client(struct span_slot *s)
{
	*s = record_plain(SPAN_KIND_CLIENT);
	s->head.parent_span_id[7] = 0xb6;
	s->head.status = 404;
	record_text(s, TAG_TARGET, "/items?ids=1,2&AWSAccessKeyId=AKIA");
	record_text(s, TAG_HOST, "user:password@inventory.internal:8081");
	record_text(s, TAG_USER_AGENT, "python-urllib3/2.0");
}

static void own(struct span_slot *s)
{
	static const uint8_t link[25] = { 1, [15] = 2, [16] = 3, [23] = 4, [24] = 0xff };
	uint64_t time = RECORD_START_NS + 77;
	uint8_t event[8 + 5];

	*s = record_plain(SPAN_KIND_INTERNAL);
	s->head.status = 0;
	memcpy(event, &time, 8);
	memcpy(event + 8, "query", 5);
	record_text(s, TAG_NAME, "load model");
	record_bytes(s, TAG_ATTRIBUTE, "\x01model\0resnet", 13);
	record_bytes(s, TAG_ATTRIBUTE, "\x02warm\0\x01", 7);
	record_bytes(s, TAG_ATTRIBUTE, "\x03n\0\x2a\0\0\0\0\0\0\0", 11);
	record_bytes(s, TAG_ATTRIBUTE, "\x04r\0\0\0\0\0\0\0\xe0?", 11);
	record_bytes(s, TAG_ATTRIBUTE, "\x01model\0bert", 11);
	record_bytes(s, TAG_EVENT, event, sizeof event);
	record_bytes(s, TAG_EVENT_ATTRIBUTE, "\x01table\0books", 12);
	record_bytes(s, TAG_EVENT_ATTRIBUTE, "\x03rows\0\x07\0\0\0\0\0\0\0", 14);
	record_bytes(s, TAG_LINK, link, sizeof link);
	record_text(s, TAG_STATUS_MESSAGE, "out of memory");
	s->head.flags |= SPAN_FLAG_STATUS_ERROR;
	s->head.dropped_attributes = 2;
	s->head.dropped_events = 1;
}

const struct golden_request golden_requests[] = {
	{ "plain GET", plain, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, false },
	{ "plain GET, minimal", plain, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_MINIMAL, false },
	{ "plain GET, full", plain, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_FULL, false },
	{ "plain GET, names of 2022, children", plain, SPAN_CONVENTIONS_LEGACY, SPAN_DETAIL_NORMAL, true },
	{ "404 over HTTP/1.0", not_found, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, false },
	{ "503 kept by the tail rule, cut, children", server_error, SPAN_CONVENTIONS_STABLE,
	  SPAN_DETAIL_NORMAL, true },
	{ "server died", process_died, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, true },
	{ "everything", full_request, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_FULL, false },
	{ "everything, both sets", full_request, SPAN_CONVENTIONS_BOTH, SPAN_DETAIL_FULL, false },
	{ "behind a proxy that speaks the PROXY protocol", behind_proxies, SPAN_CONVENTIONS_BOTH,
	  SPAN_DETAIL_NORMAL, false },
	{ "odd bytes over a UNIX socket", odd_bytes, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, false },
	{ "client", client, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, false },
	{ "client, both sets, full", client, SPAN_CONVENTIONS_BOTH, SPAN_DETAIL_FULL, false },
	{ "own span", own, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, false },
};

const size_t golden_count = sizeof golden_requests / sizeof *golden_requests;

size_t golden_make(const struct golden_request *request, struct arena *arena,
		   struct span out[GOLDEN_SPANS_MAX])
{
	static const struct attribute facts[] = {
		{ { "service.name", 12 }, { .type = VALUE_STRING, .string = { "shop", 4 } } },
		{ { "process.pid", 11 }, { .type = VALUE_INT, .integer = 4242 } },
	};
	static const struct resource resource = { .service_name = { "shop", 4 }, .attributes = { facts, 2 } };
	static const struct scope scopes[2] = {
		{ .name = { "btrace", 6 }, .version = { "0.0.0", 5 }, .schema_url = { "", 0 } },
		{ .name = { "btrace", 6 },
		  .version = { "0.0.0", 5 },
		  .schema_url = { SCHEMA, sizeof SCHEMA - 1 } },
	};
	struct span_options options;
	struct span_slot slot;

	span_options_init(&options);
	span_options_conventions(&options, request->conventions);
	options.scope = &scopes[options.scope->schema_url.n > 0]; /* of no version: files outlive it */
	options.detail = request->detail;
	options.router.find = users_route;
	request->make(&slot);
	slot.head.span_id[6] = (uint8_t)(1 + (request - golden_requests));
	if (span_from_record(&slot, &options, &resource, RECORD_OFFSET_NS, arena, out))
		return 0;
	if (!request->children)
		return 1;
	return 1 + span_children(&slot, &options, out, RECORD_OFFSET_NS, arena, out + 1);
}
