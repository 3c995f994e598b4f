/* SPDX-License-Identifier: Apache-2.0 */
/* What the exporter part of a config comes to: format, transport, endpoint. */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"

#define JAEGER "/jaeger.api_v2.CollectorService/PostSpans"
#define OTLP   "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

struct row {
	const char *yaml; /* below tracing, flow style without the braces; NULL: no file */
	const char *environment;
	const char *format, *transport, *url, *unix_path, *method;
};

static const struct row rows[] = {
	/* zipkin */
	{ "type: zipkin", NULL, "zipkin", "http", "http://localhost:9411/api/v2/spans", NULL, NULL },
	{ "zipkin: {url: 'http://z/api/v2/spans'}", NULL, "zipkin", "http", "http://z/api/v2/spans", NULL,
	  NULL },
	{ "type: zipkin, zipkin: {endpoint: 'https://u:p@z:1/x?y=z'}", NULL, "zipkin", "http",
	  "https://u:p@z:1/x?y=z", NULL, NULL },
	{ "type: zipkin, zipkin: {endpoint: 'unix:/run/z'}", NULL, "zipkin", "http",
	  "http://localhost/api/v2/spans", "/run/z", NULL },
	{ "type: zipkin, zipkin: {local_node_port: 1}", NULL, "zipkin", "http",
	  "http://localhost:9411/api/v2/spans", NULL, NULL },
	{ "type: zipkin", "OTEL_EXPORTER_ZIPKIN_ENDPOINT=http://e/", "zipkin", "http", "http://e/", NULL,
	  NULL },
	{ "type: zipkin, zipkin: {url: 'http://file/x'}", "OTEL_EXPORTER_ZIPKIN_ENDPOINT=http://e/", "zipkin",
	  "http", "http://file/x", NULL, NULL },
	/* jaeger, agent */
	{ "type: jaeger", NULL, "jaeger-compact", "udp", "localhost:6831", NULL, NULL },
	{ "type: jaeger, jaeger: {address: h, port: 1}", NULL, "jaeger-compact", "udp", "h:1", NULL, NULL },
	{ "type: jaeger, jaeger: {address: h}", NULL, "jaeger-compact", "udp", "h:6831", NULL, NULL },
	{ "type: jaeger, jaeger: {address: '::1'}", NULL, "jaeger-compact", "udp", "[::1]:6831", NULL, NULL },
	{ "type: jaeger, jaeger: {address: '[::1]', port: 2}", NULL, "jaeger-compact", "udp", "[::1]:2", NULL,
	  NULL },
	{ "type: jaeger, jaeger: {thrift: {encoding: binary}}", NULL, "jaeger-binary", "udp",
	  "localhost:6832", NULL, NULL },
	{ "type: jaeger", "OTEL_EXPORTER_JAEGER_AGENT_HOST=e\nOTEL_EXPORTER_JAEGER_AGENT_PORT=5",
	  "jaeger-compact", "udp", "e:5", NULL, NULL },
	{ "type: jaeger, jaeger: {address: file}", "OTEL_EXPORTER_JAEGER_AGENT_HOST=e", "jaeger-compact",
	  "udp", "file:6831", NULL, NULL },
	{ "type: jaeger", "OTEL_EXPORTER_JAEGER_PROTOCOL=udp/thrift.binary", "jaeger-binary", "udp",
	  "localhost:6832", NULL, NULL },
	{ "type: jaeger", "OTEL_EXPORTER_JAEGER_PROTOCOL=udp/thrift.compact", "jaeger-compact", "udp",
	  "localhost:6831", NULL, NULL },
	/* jaeger, collector */
	{ "type: jaeger, jaeger: {collector_endpoint: 'http://c:14268/api/traces'}", NULL,
	  "jaeger-binary-batch", "http", "http://c:14268/api/traces", NULL, NULL },
	{ "type: jaeger, jaeger: {collector_endpoint: 'http://c/x', thrift: {agent_port: 1}}", NULL,
	  "jaeger-binary-batch", "http", "http://c/x", NULL, NULL },
	{ "type: jaeger", "OTEL_EXPORTER_JAEGER_ENDPOINT=http://e/x", "jaeger-binary-batch", "http",
	  "http://e/x", NULL, NULL },
	{ "type: jaeger", "OTEL_EXPORTER_JAEGER_PROTOCOL=http/thrift.binary", "jaeger-binary-batch", "http",
	  "http://localhost:14268/api/traces", NULL, NULL },
	{ "type: jaeger, jaeger: {address: h}", "OTEL_EXPORTER_JAEGER_PROTOCOL=http/thrift.binary",
	  "jaeger-compact", "udp", "h:6831", NULL, NULL },
	/* jaeger, gRPC */
	{ "type: jaeger, jaeger: {protocol: grpc}", NULL, "jaeger-pb", "grpc", "http://localhost:14250", NULL,
	  JAEGER },
	{ "type: jaeger, jaeger: {protocol: GRPC, collector_endpoint: 'c:14250'}", NULL, "jaeger-pb", "grpc",
	  "https://c:14250", NULL, JAEGER },
	{ "type: jaeger, jaeger: {protocol: grpc, collector_endpoint: 'c:14250', grpc: {insecure: true}}",
	  NULL, "jaeger-pb", "grpc", "http://c:14250", NULL, JAEGER },
	{ "type: jaeger, jaeger: {protocol: grpc, collector_endpoint: 'https://c:1/x', grpc: {insecure: "
	  "true}}",
	  NULL, "jaeger-pb", "grpc", "https://c:1", NULL, JAEGER },
	{ "type: jaeger, jaeger: {protocol: grpc, grpc: {endpoint: 'http://c:14250'}}", NULL, "jaeger-pb",
	  "grpc", "http://c:14250", NULL, JAEGER },
	{ "type: jaeger", "OTEL_EXPORTER_JAEGER_PROTOCOL=grpc", "jaeger-pb", "grpc", "http://localhost:14250",
	  NULL, JAEGER },
	{ "type: jaeger, jaeger: {protocol: thrift}", "OTEL_EXPORTER_JAEGER_PROTOCOL=grpc", "jaeger-compact",
	  "udp", "localhost:6831", NULL, NULL },
	/* otlp */
	{ "type: otlp", NULL, "otlp-pb", "grpc", "http://localhost:4317", NULL, OTLP },
	{ "type: otlp, otlp: {protocol: grpc, url: 'http://c:4317'}", NULL, "otlp-pb", "grpc",
	  "http://c:4317", NULL, OTLP },
	{ "type: otlp, otlp: {url: 'c:4317'}", NULL, "otlp-pb", "grpc", "https://c:4317", NULL, OTLP },
	{ "type: otlp, otlp: {url: 'c:4317', grpc: {insecure: true}}", NULL, "otlp-pb", "grpc",
	  "http://c:4317", NULL, OTLP },
	{ "type: otlp, otlp: {url: '[::1]:4317', grpc: {insecure: true}}", NULL, "otlp-pb", "grpc",
	  "http://[::1]:4317", NULL, OTLP },
	{ "type: otlp, otlp: {url: 'unix:/run/c'}", NULL, "otlp-pb", "grpc", "http://localhost", "/run/c",
	  OTLP },
	{ "type: otlp, otlp: {protocol: http}", NULL, "otlp-pb", "http", "http://localhost:4318/v1/traces",
	  NULL, NULL },
	{ "type: otlp, otlp: {protocol: HTTP, endpoint: 'http://c:4318/v1/traces'}", NULL, "otlp-pb", "http",
	  "http://c:4318/v1/traces", NULL, NULL },
	{ "type: otlp, otlp: {protocol: http, endpoint: 'http://c:4318/x/'}", NULL, "otlp-pb", "http",
	  "http://c:4318/x/", NULL, NULL }, /* as it is: nothing appended */
	{ "type: otlp, otlp: {protocol: http/protobuf}", NULL, "otlp-pb", "http",
	  "http://localhost:4318/v1/traces", NULL, NULL },
	{ "type: otlp, otlp: {protocol: http/json}", NULL, "otlp-json", "http",
	  "http://localhost:4318/v1/traces", NULL, NULL },
	{ "type: otlp, otlp: {protocol: http, endpoint: 'unix:/run/c'}", NULL, "otlp-pb", "http",
	  "http://localhost/v1/traces", "/run/c", NULL },
	{ "type: otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "otlp-pb", "http",
	  "http://localhost:4318/v1/traces", NULL, NULL },
	{ "type: otlp, otlp: {protocol: grpc}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "otlp-pb",
	  "grpc", "http://localhost:4317", NULL, OTLP },
	{ "type: otlp, otlp: {protocol: http}", "OTEL_EXPORTER_OTLP_ENDPOINT=http://e:4318", "otlp-pb",
	  "http", "http://e:4318/v1/traces", NULL, NULL },
	{ "type: otlp, otlp: {protocol: http, url: 'http://file/x'}",
	  "OTEL_EXPORTER_OTLP_ENDPOINT=http://e:4318", "otlp-pb", "http", "http://file/x", NULL, NULL },
	/* the environment alone: wire.md 1.5 */
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:4318", "otlp-pb", "http", "http://h:4318/v1/traces",
	  NULL, NULL },
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:4318/", "otlp-pb", "http", "http://h:4318/v1/traces",
	  NULL, NULL },
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:4318/x/", "otlp-pb", "http",
	  "http://h:4318/x/v1/traces", NULL, NULL },
	{ NULL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://h:4318", "otlp-pb", "http", "http://h:4318/", NULL,
	  NULL },
	{ NULL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://h:4318/x", "otlp-pb", "http", "http://h:4318/x",
	  NULL, NULL },
	{ NULL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://a/x\nOTEL_EXPORTER_OTLP_ENDPOINT=http://b/",
	  "otlp-pb", "http", "http://a/x", NULL, NULL },
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc", "otlp-pb",
	  "grpc", "http://h:4317", NULL, OTLP },
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=https://h:4317/x\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc", "otlp-pb",
	  "grpc", "https://h:4317", NULL, OTLP },
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=h:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc", "otlp-pb", "grpc",
	  "https://h:4317", NULL, OTLP },
	{ NULL,
	  "OTEL_EXPORTER_OTLP_ENDPOINT=h:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_INSECURE="
	  "true",
	  "otlp-pb", "grpc", "http://h:4317", NULL, OTLP },
	{ NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1\nOTEL_EXPORTER_OTLP_PROTOCOL=http/json", "otlp-json",
	  "http", "http://h:1/v1/traces", NULL, NULL },
	{ NULL, "OTEL_TRACES_EXPORTER=otlp", "otlp-pb", "http", "http://localhost:4318/v1/traces", NULL,
	  NULL },
	{ NULL, "OTEL_TRACES_EXPORTER=zipkin", "zipkin", "http", "http://localhost:9411/api/v2/spans", NULL,
	  NULL },
	{ NULL, "OTEL_TRACES_EXPORTER=jaeger", "jaeger-compact", "udp", "localhost:6831", NULL, NULL },
	{ NULL, "OTEL_TRACES_EXPORTER=console", "console", "console", NULL, NULL, NULL },
	/* ours */
	{ "exporter_type: console", NULL, "console", "console", NULL, NULL, NULL },
	{ "exporter_type: file, file: {path: /t}", NULL, "otlp-json", "file", NULL, NULL, NULL },
};

static struct loaded *load_row(const char *yaml, const char *environment)
{
	char text[1024];

	snprintf(text, sizeof(text), "tracing: {sample_rate: 1, %s}\n", yaml ? yaml : "");
	return load(yaml ? text : NULL, environment);
}

static void expect_text(const char *is, const char *should, const char *what, size_t row)
{
	cr_expect(should ? is && !strcmp(is, should) : !is, "row %zu, %s: %s, not %s", row, what,
		  is ? is : "(none)", should ? should : "(none)");
}

Test(config_exporters, what_is_sent_where)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct loaded *l = load_row(row->yaml, row->environment);
		const struct config_exporter *e = l->config.exporters;

		cr_assert_eq(l->rc, 0, "row %zu: %s", i, l->text);
		cr_assert_eq(l->config.n_exporters, 1, "row %zu", i);
		cr_expect(l->config.on, "row %zu", i);
		expect_text(e->format, row->format, "format", i);
		expect_text(e->transport, row->transport, "transport", i);
		expect_text(e->endpoint.url, row->url, "url", i);
		expect_text(e->endpoint.unix_path, row->unix_path, "unix path", i);
		expect_text(e->endpoint.grpc_method, row->method, "method", i);
		cr_expect_not_null(e->endpoint.label);
		unload(l);
	}
}

Test(config_exporters, several_at_once_in_the_order_given)
{
	struct loaded *l =
		load_row("exporter_type: [console, otlp, file, zipkin, jaeger], file: {path: x}", NULL);
	static const char *const names[] = { "console", "otlp", "file", "zipkin", "jaeger" };
	char what[1024];

	cr_assert_eq(l->config.n_exporters, 5);
	for (int i = 0; i < 5; i++)
		cr_expect_str_eq(l->config.exporters[i].name, names[i]);
	cr_expect_str_eq(
		describe(l, what),
		"console and otlp over gRPC to http://localhost:4317 and file /etc/btrace/x and zipkin to "
		"http://localhost:9411/api/v2/spans and jaeger thrift over UDP to localhost:6831, 100 % of "
		"new traces");
	unload(l);
}

Test(config_exporters, none_is_off)
{
	static const char *const none[] = { "type: none", "type: in_memory", "type: null", "type: []",
					    "type: ''" };

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		struct loaded *l = load_row(none[i], NULL);

		cr_expect_eq(l->rc, 0);
		cr_expect_eq(l->config.n_exporters, 0);
		cr_expect_not(l->config.on);
		cr_expect_not_null(l->config.why_off);
		unload(l);
	}
}

Test(config_exporters, none_in_the_environment_is_off)
{
	struct loaded *l = load(NULL, "OTEL_TRACES_EXPORTER=none\nOTEL_EXPORTER_OTLP_ENDPOINT=http://x");

	cr_expect_not(l->config.on);
	cr_expect_eq(l->config.n_exporters, 0);
	unload(l);
	l = load(NULL, "OTEL_SERVICE_NAME=x");
	cr_expect_not(l->config.on);
	cr_expect_str_empty(l->text);
	unload(l);
}

/* Era C made a file without exporter_type do nothing; only A and B had zipkin as default. */
Test(config_exporters, new_zipkin_key_alone_does_not_mean_zipkin)
{
	struct loaded *l = load_row("zipkin: {endpoint: 'http://z/x'}", NULL);

	cr_expect_not(l->config.on);
	cr_expect(strstr(l->text, "no exporter_type"), "%s", l->text);
	unload(l);
}

static const char *header(const struct endpoint *e, size_t i) { return e->headers ? e->headers[i] : NULL; }

Test(config_exporters, headers_become_lines)
{
	struct loaded *l = load_row(
		"type: otlp, otlp: {protocol: http, http: {headers: {Authorization: Bearer x, n: 1}}}",
		"OTEL_EXPORTER_OTLP_HEADERS=from=env");

	cr_assert_eq(l->rc, 0, "%s", l->text);
	cr_expect_str_eq(header(&l->config.exporters->endpoint, 0), "Authorization: Bearer x");
	cr_expect_str_eq(header(&l->config.exporters->endpoint, 1), "n: 1");
	cr_expect_null(header(&l->config.exporters->endpoint, 2),
		       "the file's headers replace the environment's");
	unload(l);
	l = load(NULL, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"
		       "x\nOTEL_EXPORTER_OTLP_HEADERS=api-key=a%20b%3D%2C, x = y ");
	cr_expect_str_eq(header(&l->config.exporters->endpoint, 0), "api-key: a b=,");
	cr_expect_str_eq(header(&l->config.exporters->endpoint, 1), "x: y");
	unload(l);
	l = load_row("type: otlp, otlp: {grpc: {headers: [[a, b]]}, http: {headers: {c: d}}}", NULL);
	cr_expect_str_eq(header(&l->config.exporters->endpoint, 0), "a: b");
	cr_expect_null(header(&l->config.exporters->endpoint, 1));
	unload(l);
	l = load_row("type: zipkin", NULL);
	cr_expect_null(l->config.exporters->endpoint.headers);
	unload(l);
}

Test(config_exporters, timeouts)
{
	static const struct {
		const char *yaml, *environment;
		uint32_t ms;
	} table[] = {
		{ "type: otlp", NULL, 10000 },
		{ "type: otlp, timeout: 3", "OTEL_EXPORTER_OTLP_TIMEOUT=5", 3000 },
		{ "type: otlp", "OTEL_EXPORTER_OTLP_TIMEOUT=5", 5 },
		{ "type: otlp", "OTEL_EXPORTER_OTLP_TIMEOUT=5\nOTEL_EXPORTER_OTLP_TRACES_TIMEOUT=6", 6 },
		{ "type: otlp, timeout: null", "OTEL_EXPORTER_OTLP_TIMEOUT=5", 5 },
		{ "type: zipkin", "OTEL_EXPORTER_ZIPKIN_TIMEOUT=7", 7 },
		{ "type: zipkin", "OTEL_EXPORTER_OTLP_TIMEOUT=5", 10000 },
		{ "type: jaeger", "OTEL_EXPORTER_JAEGER_TIMEOUT=8", 8 },
		{ "type: jaeger, timeout: 1ns", NULL, 1 },
		{ "type: jaeger, timeout: 0", NULL, 0 },
		{ "type: jaeger, timeout: 2000h", NULL, UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l = load_row(table[i].yaml, table[i].environment);

		cr_assert_eq(l->config.n_exporters, 1, "%s", l->text);
		cr_expect_eq(l->config.exporters->endpoint.timeout_ms, table[i].ms, "row %zu: %u", i,
			     l->config.exporters->endpoint.timeout_ms);
		cr_expect_eq(l->config.exporters->endpoint.total_timeout_ms, 60000);
		unload(l);
	}
}

Test(config_exporters, rest_of_the_endpoint)
{
	struct loaded *l = load_row(
		"type: [otlp, zipkin, jaeger], timeout: 1, max_tag_value_length: 99, use_proxy_environment: "
		"true, "
		"retry: {max_time: 5}, "
		"otlp: {protocol: http, compression: gzip, http: {certificate_file: o.pem}}, "
		"tls: {certificate_file: ca.pem, client_certificate_file: c.pem, client_key_file: k.pem, "
		"insecure_skip_verify: yes}, "
		"zipkin: {local_node_ipv4: 192.0.2.1, local_node_ipv6: '::1', local_node_port: 80}, "
		"jaeger: {thrift: {max_packet_size: 1400}}",
		NULL);
	const struct config_exporter *e = l->config.exporters;

	cr_assert_eq(l->rc, 0, "%s", l->text);
	cr_expect(e[0].endpoint.gzip && !e[0].endpoint.deflate && !e[1].endpoint.gzip);
	cr_expect_str_eq(e[0].endpoint.ca_file, "/etc/btrace/o.pem");
	cr_expect_str_eq(e[1].endpoint.ca_file, "/etc/btrace/ca.pem");
	for (int i = 0; i < 3; i++) {
		cr_expect_str_eq(e[i].endpoint.cert_file, "/etc/btrace/c.pem");
		cr_expect_str_eq(e[i].endpoint.key_file, "/etc/btrace/k.pem");
		cr_expect(e[i].endpoint.insecure && e[i].endpoint.use_proxy_environment);
		cr_expect_eq(e[i].endpoint.total_timeout_ms, 5000);
		cr_expect_eq(e[i].encode.max_tag_value_bytes, 99);
	}
	cr_expect(slice_is(e[1].encode.local_ipv4, "192.0.2.1"));
	cr_expect(slice_is(e[1].encode.local_ipv6, "::1"));
	cr_expect_eq(e[1].encode.local_port, 80);
	cr_expect_eq(e[2].endpoint.max_packet_bytes, 1400);
	cr_expect_eq(e[2].encode.max_payload_bytes, 1400);
	unload(l);
}

Test(config_exporters, compression_does_what_it_says)
{
	static const struct {
		const char *name;
		bool gzip, deflate;
	} table[] = { { "gzip", true, false },
		      { "deflate", false, true },
		      { "none", false, false },
		      { "null", false, false } };

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char yaml[128];
		struct loaded *l;

		snprintf(yaml, sizeof(yaml), "type: otlp, otlp: {compression: %s}", table[i].name);
		l = load_row(yaml, NULL);
		cr_expect_eq(l->config.exporters->endpoint.gzip, table[i].gzip);
		cr_expect_eq(l->config.exporters->endpoint.deflate, table[i].deflate);
		unload(l);
	}
}

Test(config_exporters, jaeger_collector_takes_user_and_password)
{
	struct loaded *l = load_row("type: jaeger, jaeger: {collector_endpoint: 'http://c/x', user: u}",
				    "OTEL_EXPORTER_JAEGER_PASSWORD=p");

	cr_expect_str_eq(l->config.exporters->endpoint.user, "u");
	cr_expect_str_eq(l->config.exporters->endpoint.password, "p");
	unload(l);
}

Test(config_exporters, file_and_its_rotation)
{
	struct loaded *l = load_row("type: file, file: {path: t.jsonl, max_bytes: 1MiB, max_files: 3}", NULL);

	cr_expect_str_eq(l->config.exporters->endpoint.path, "/etc/btrace/t.jsonl");
	cr_expect_eq(l->config.exporters->endpoint.max_file_bytes, 1u << 20);
	cr_expect_eq(l->config.exporters->endpoint.max_files, 3);
	unload(l);
}

Test(config_exporters, labels_have_no_secrets)
{
	struct loaded *l =
		load_row("type: zipkin, zipkin: {endpoint: 'http://user:secret@z:1/p?key=secret'}", NULL);
	char what[1024];

	cr_expect_str_eq(l->config.exporters->endpoint.label, "zipkin at http://z:1/p");
	cr_expect_str_eq(describe(l, what), "zipkin to http://z:1/p, 100 % of new traces");
	unload(l);
}

Test(config_exporters, endpoints_that_look_wrong_are_warned_of)
{
	static const struct {
		const char *yaml, *text;
	} table[] = {
		{ "type: zipkin, zipkin: {url: 'http://z:9411'}",
		  "'http://z:9411' has no path and is used as it is; such a "
		  "receiver mostly listens at /api/v2/spans" },
		{ "type: otlp, otlp: {protocol: http, url: 'http://c:4318/'}", "/v1/traces" },
		{ "type: otlp, otlp: {url: 'http://c:4318/v1/traces'}", "otlp.protocol" },
		{ "type: otlp, otlp: {url: 'http://c:4318'}", "otlp.protocol" },
		{ "type: jaeger, jaeger: {thrift: {udp_split_oversized_batches: false}}",
		  "split in any case" },
		{ "type: zipkin, queue: {max_spans: 100}", "batches will have 100 spans" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l = load_row(table[i].yaml, NULL);

		cr_expect_eq(l->rc, 0);
		cr_expect_eq(l->report.warnings, 1, "%s: %s", table[i].yaml, l->text);
		cr_expect(strstr(l->text, table[i].text), "%s: %s", table[i].yaml, l->text);
		unload(l);
	}
}
