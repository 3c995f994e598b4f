/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "exporters/config/endpoints.h"
#include "exporters/config/loader.h"

static const char *first(const char *a, const char *b) { return a && *a ? a : b; }

/* What all exporters share. */
static struct config_exporter begin(struct loader *l, const char *name, const char *timeout_variables)
{
	struct config *c = l->config;
	struct config_exporter e = { .name = name };

	e.endpoint.timeout_ms = endpoint_timeout(l, timeout_variables);
	e.endpoint.total_timeout_ms = endpoint_milliseconds(c->retry_ns);
	e.endpoint.insecure = c->tls_insecure;
	e.endpoint.use_proxy_environment = c->proxy_environment;
	e.endpoint.ca_file = c->tls_ca;
	e.endpoint.cert_file = c->tls_cert;
	e.endpoint.key_file = c->tls_key;
	if (config_is_set(c, CONFIG_max_tag_value_length) && c->max_tag_value_length > 0)
		e.encode.max_tag_value_bytes = (size_t)c->max_tag_value_length;
	return e;
}

static struct config_exporter zipkin(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter e = begin(l, "zipkin", "OTEL_EXPORTER_ZIPKIN_TIMEOUT");

	e.format = "zipkin";
	e.transport = "http";
	endpoint_http(l, &e, c->zipkin_endpoint, "http://localhost:9411/api/v2/spans",
		      CONFIG_zipkin_endpoint);
	e.endpoint.headers = endpoint_headers(l, &c->zipkin_headers, "zipkin.headers");
	e.encode.local_ipv4 = slice_of(c->zipkin_ipv4);
	e.encode.local_ipv6 = slice_of(c->zipkin_ipv6);
	e.encode.local_port = (uint16_t)c->zipkin_port;
	endpoint_describe(l, &e, "zipkin");
	return e;
}

static struct config_exporter jaeger_agent(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter e = begin(l, "jaeger", "OTEL_EXPORTER_JAEGER_TIMEOUT");
	bool binary = c->jaeger_encoding == CONFIG_THRIFT_BINARY, ip6 = strchr(c->jaeger_host, ':') != NULL;
	unsigned port = config_is_set(c, CONFIG_jaeger_port) ? (unsigned)c->jaeger_port
			: binary                             ? 6832
							     : 6831;

	if (c->jaeger_host[strcspn(c->jaeger_host, " \t/@?#")])
		report_error(l->report, c->marks[CONFIG_jaeger_host],
			     "tracing.%s: a host name or an address, without scheme and path",
			     config_options[CONFIG_jaeger_host].path);
	e.format = binary ? "jaeger-binary" : "jaeger-compact";
	e.transport = "udp";
	e.endpoint.url = arena_printf(l->arena, ip6 && *c->jaeger_host != '[' ? "[%s]:%u" : "%s:%u",
				      c->jaeger_host, port)
				 .p;
	e.endpoint.max_packet_bytes = (uint32_t)c->jaeger_packet_bytes;
	e.encode.max_payload_bytes = (size_t)c->jaeger_packet_bytes;
	endpoint_describe(l, &e, binary ? "jaeger thrift (binary) over UDP" : "jaeger thrift over UDP");
	if (config_is_set(c, CONFIG_jaeger_split) && !c->jaeger_split)
		report_warning(l->report, c->marks[CONFIG_jaeger_split],
			       "too large batches are split in any case, so that nothing is dropped");
	return e;
}

static struct config_exporter jaeger_collector(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter e = begin(l, "jaeger", "OTEL_EXPORTER_JAEGER_TIMEOUT");

	e.format = "jaeger-binary-batch";
	e.transport = "http";
	endpoint_http(l, &e, c->jaeger_endpoint, "http://localhost:14268/api/traces", CONFIG_jaeger_endpoint);
	e.endpoint.user = c->jaeger_user;
	e.endpoint.password = c->jaeger_password;
	endpoint_describe(l, &e, "jaeger thrift over HTTP");
	return e;
}

static struct config_exporter jaeger_grpc(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter e = begin(l, "jaeger", "OTEL_EXPORTER_JAEGER_TIMEOUT");

	e.format = "jaeger-pb";
	e.transport = "grpc";
	e.endpoint.grpc_method = "/jaeger.api_v2.CollectorService/PostSpans";
	e.endpoint.ca_file = first(c->jaeger_ca, c->tls_ca);
	endpoint_grpc(l, &e, c->jaeger_endpoint, "http://localhost:14250", c->jaeger_insecure);
	endpoint_describe(l, &e, "jaeger over gRPC");
	return e;
}

static struct config_exporter jaeger(struct loader *l)
{
	struct config *c = l->config;
	const char *protocol = environment_get(l->source->environment, "OTEL_EXPORTER_JAEGER_PROTOCOL");
	bool collector = c->jaeger_endpoint != NULL;

	if (protocol && !config_is_set(c, CONFIG_jaeger_protocol)) {
		if (!strcasecmp(protocol, "grpc"))
			return jaeger_grpc(l);
		if (!strcasecmp(protocol, "http/thrift.binary"))
			collector |= !config_is_set(c, CONFIG_jaeger_host) &&
				     !config_is_set(c, CONFIG_jaeger_port);
		else if (!strcasecmp(protocol, "udp/thrift.binary"))
			c->jaeger_encoding = CONFIG_THRIFT_BINARY;
		else if (strcasecmp(protocol, "udp/thrift.compact") != 0)
			report_warning(
				l->report, (struct config_mark){ "OTEL_EXPORTER_JAEGER_PROTOCOL", 0, 0 },
				"not one of http/thrift.binary, grpc, udp/thrift.compact, udp/thrift.binary; "
				"ignored");
	}
	if (c->jaeger_protocol == CONFIG_JAEGER_GRPC)
		return jaeger_grpc(l);
	return collector ? jaeger_collector(l) : jaeger_agent(l);
}

/* OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is, the general one is a base for HTTP. */
static const char *otlp_environment_endpoint(struct loader *l, bool http)
{
	const char *const *environment = l->source->environment;
	const char *own = environment_get(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	const char *base = environment_get(environment, "OTEL_EXPORTER_OTLP_ENDPOINT");
	const char *variable = own ? "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" : "OTEL_EXPORTER_OTLP_ENDPOINT";
	const char *url = own ? own : base;
	size_t n;

	if (!url)
		return NULL;
	if (!text_url(url, http ? "http https unix" : "http https grpc unix")) {
		value_refuse(l, CONFIG_otlp_endpoint, url, (struct config_mark){ variable, 0, 0 },
			     &(struct value_rules){ .environment = true }, NULL);
		return NULL;
	}
	l->config->marks[CONFIG_otlp_endpoint] = (struct config_mark){ variable, 0, 0 };
	if (own && http && strstr(url, "://") && !strchr(strstr(url, "://") + 3, '/'))
		return arena_printf(l->arena, "%s/", url).p;
	if (own || !http || !strncasecmp(url, "unix:", 5))
		return arena_printf(l->arena, "%s", url).p;
	n = strlen(url);
	while (n && url[n - 1] == '/')
		n--;
	return arena_printf(l->arena, "%.*s/v1/traces", (int)n, url).p;
}

/* BentoML's guide calls gRPC the default, but most URLs without a word on the protocol are meant for HTTP. */
static void warn_of_http_url(struct loader *l)
{
	const struct config *c = l->config;
	const char *host = c->otlp_endpoint ? strstr(c->otlp_endpoint, "://") : NULL;
	const char *path = host ? strchr(host + 3, '/') : NULL;

	if (config_is_set(c, CONFIG_otlp_protocol) || !host)
		return;
	if ((path && path[1]) || strstr(host, ":4318"))
		report_warning(l->report, c->marks[CONFIG_otlp_endpoint],
			       "without otlp.protocol this is gRPC, but the endpoint looks like one for "
			       "`protocol: http`");
}

static struct config_exporter otlp(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter e =
		begin(l, "otlp", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT OTEL_EXPORTER_OTLP_TIMEOUT");
	bool json, http;

	if (!config_is_set(c, CONFIG_otlp_protocol))
		c->otlp_protocol = l->alone ? CONFIG_OTLP_HTTP_PROTOBUF : CONFIG_OTLP_GRPC;
	http = c->otlp_protocol != CONFIG_OTLP_GRPC;
	json = c->otlp_protocol == CONFIG_OTLP_HTTP_JSON;
	if (!c->otlp_endpoint)
		c->otlp_endpoint = otlp_environment_endpoint(l, http);
	e.format = json ? "otlp-json" : "otlp-pb";
	e.transport = http ? "http" : "grpc";
	e.endpoint.gzip = c->otlp_compression == CONFIG_COMPRESSION_GZIP;
	e.endpoint.deflate = c->otlp_compression == CONFIG_COMPRESSION_DEFLATE;
	if (http) {
		e.endpoint.ca_file = first(c->otlp_http_ca, c->tls_ca);
		e.endpoint.headers = endpoint_headers(l, &c->otlp_http_headers, "otlp.http.headers");
		endpoint_http(l, &e, c->otlp_endpoint, "http://localhost:4318/v1/traces",
			      CONFIG_otlp_endpoint);
		endpoint_describe(l, &e, json ? "otlp over HTTP (JSON)" : "otlp over HTTP");
	} else {
		e.endpoint.ca_file = first(c->otlp_grpc_ca, c->tls_ca);
		e.endpoint.headers = endpoint_headers(l, &c->otlp_grpc_headers, "otlp.grpc.headers");
		e.endpoint.grpc_method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
		endpoint_grpc(l, &e, c->otlp_endpoint, "http://localhost:4317", c->otlp_grpc_insecure);
		warn_of_http_url(l);
		endpoint_describe(l, &e, "otlp over gRPC");
	}
	return e;
}

static struct config_exporter file(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter e = begin(l, "file", NULL);

	if (!c->file_path)
		report_error(l->report, c->marks[CONFIG_exporter_type],
			     "tracing.exporter_type: file wants a path; add `file: {path: "
			     "btrace-traces.jsonl}` below "
			     "`tracing`");
	e.format = "otlp-json";
	e.transport = "file";
	e.endpoint.path = c->file_path;
	e.endpoint.max_file_bytes = c->file_max_bytes;
	e.endpoint.max_files = (uint32_t)c->file_max_files;
	e.endpoint.label = e.what = arena_printf(l->arena, "file %s", first(c->file_path, "")).p;
	return e;
}

static struct config_exporter console(struct loader *l)
{
	struct config_exporter e = begin(l, "console", NULL);

	e.format = e.transport = e.endpoint.label = e.what = "console";
	return e;
}

static const struct {
	const char *name;
	struct config_exporter (*build)(struct loader *);
} builders[] = {
	{ "zipkin", zipkin }, { "jaeger", jaeger },   { "otlp", otlp },
	{ "file", file },     { "console", console },
};

/* Names which are not written but meant: the old zipkin.url alone, or OpenTelemetry's endpoint. */
static struct config_list implied(struct loader *l)
{
	struct config *c = l->config;
	const char *const *environment = l->source->environment;
	struct config_item *item = arena_take(l->arena, sizeof(*item));
	const char *name = NULL;

	if (c->zipkin_endpoint && l->by_older_name[CONFIG_zipkin_endpoint])
		name = "zipkin";
	else if (environment_get(environment, "OTEL_EXPORTER_OTLP_ENDPOINT") ||
		 environment_get(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
		name = "otlp";
	if (!item || !name)
		return (struct config_list){ NULL, 0 };
	*item = (struct config_item){ name, { 0 } };
	return (struct config_list){ item, 1 };
}

/* OpenTelemetry: a batch is not larger than the queue. */
static void fit_batch(struct loader *l)
{
	struct config *c = l->config;

	if (c->batch_spans <= c->queue_spans)
		return;
	report_warning(l->report, c->marks[CONFIG_queue_spans],
		       "queue.max_spans is less than batch.max_spans (%llu); batches will have %llu spans",
		       (unsigned long long)c->batch_spans, (unsigned long long)c->queue_spans);
	c->batch_spans = c->queue_spans;
}

void exporters_finish(struct loader *l)
{
	struct config *c = l->config;
	struct config_exporter *list =
		arena_take(l->arena, sizeof(builders) / sizeof(*builders) * sizeof(*list));

	if (!config_is_set(c, CONFIG_exporter_type))
		c->exporter_type = implied(l);
	if (!list)
		return;
	for (size_t i = 0; i < c->exporter_type.n; i++) {
		for (size_t b = 0; b < sizeof(builders) / sizeof(*builders); b++)
			if (!strcmp(builders[b].name, c->exporter_type.items[i].text))
				list[c->n_exporters++] = builders[b].build(l);
	}
	c->exporters = list;
	fit_batch(l);
	c->on = c->n_exporters > 0;
	if (c->on)
		return;
	c->why_off = c->exporter_type.n ? "exporter_type is none" : "no exporter_type";
	if (!c->exporter_type.n && l->file && !loader_failed(l))
		report_warning(l->report, (struct config_mark){ l->file, 0, 0 },
			       "no exporter_type below `tracing`: nothing is collected");
}
