/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/sample_spans.h"

static const struct attribute service[] = { STRING_ATTRIBUTE("service.name", "svc") };
static const struct resource service_resource = {
	.attributes = { service, 1 },
	.service_name = SLICE("svc"),
};
static const struct scope no_scope;

struct span sample_span(void)
{
	return (struct span){
		.trace_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
		.span_id = { 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8 },
		.kind = MODEL_KIND_SERVER,
		.flags = 0x101,
		.name = SLICE("GET"),
		.start_unix_ns = 1700000000000000000,
		.end_unix_ns = 1700000000000002500,
		.resource = &service_resource,
		.scope = &no_scope,
	};
}

static const struct attribute shop[] = {
	STRING_ATTRIBUTE("service.name", "shop-frontend"),
	STRING_ATTRIBUTE("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
	STRING_ATTRIBUTE("telemetry.sdk.name", "btrace"),
	STRING_ATTRIBUTE("telemetry.sdk.language", "c"),
	STRING_ATTRIBUTE("telemetry.sdk.version", "0.1.0"),
	INT_ATTRIBUTE("process.pid", 4242),
	STRING_ATTRIBUTE("process.executable.path", "/usr/sbin/nginx"),
	STRING_ATTRIBUTE("host.name", "web-1"),
	STRING_ATTRIBUTE("os.type", "linux"),
};
static const struct resource shop_resource = {
	.attributes = { shop, sizeof(shop) / sizeof(*shop) },
	.service_name = SLICE("shop-frontend"),
};
static const struct scope http_scope = { .name = SLICE("btrace.http"), .version = SLICE("0.1.0") };

static const struct attribute request[15] = {
	STRING_ATTRIBUTE("http.request.method", "GET"),
	STRING_ATTRIBUTE("url.path", "/"),
	STRING_ATTRIBUTE("url.query", "q=caf%C3%A9&page=2"),
	STRING_ATTRIBUTE("url.scheme", "http"),
	STRING_ATTRIBUTE("http.route", "/catalogue/{category}/items/{id}"),
	INT_ATTRIBUTE("http.response.status_code", 200),
	STRING_ATTRIBUTE("server.address", "shop.example.com"),
	INT_ATTRIBUTE("server.port", 8080),
	STRING_ATTRIBUTE("client.address", "198.51.100.23"),
	STRING_ATTRIBUTE("network.peer.address", "10.0.0.9"),
	INT_ATTRIBUTE("network.peer.port", 51344),
	STRING_ATTRIBUTE("network.protocol.version", "1.1"),
	STRING_ATTRIBUTE("user_agent.original",
			 "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
	INT_ATTRIBUTE("http.request.body.size", 0),
	INT_ATTRIBUTE("http.response.body.size", 1024),
};

void sample_server_span(struct span *span, struct arena *arena, unsigned number)
{
	struct attribute *items = arena_take(arena, sizeof(request));

	*span = sample_span();
	span->trace_id[14] = (uint8_t)(number >> 8);
	span->span_id[6] = (uint8_t)(number >> 8);
	span->span_id[7] = (uint8_t)number;
	span->parent_span_id[3] = 7;
	span->name = SLICE("GET /catalogue/{category}/items/{id}");
	span->start_unix_ns += number * 1000003u;
	span->end_unix_ns = span->start_unix_ns + 150000 + number;
	memcpy(items, request, sizeof(request));
	items[1].value.string = arena_printf(arena, "/catalogue/books/items/%u", number);
	span->attributes = (struct attributes){ items, 15 };
	span->resource = &shop_resource;
	span->scope = &http_scope;
}
