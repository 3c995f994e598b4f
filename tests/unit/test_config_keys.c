/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* Every key of every generation, in each of the places, with the values which it takes. */
#include "exporters/config/option.h"
#include "tests/unit/config_helper.h"

struct row {
	const char *era; /* BentoML A = 0.12-0.13, B = 1.0.0-1.0.10, C = 1.0.11-1.1, D = 1.2-1.4; "-": ours */
	const char *key; /* as written, dotted, below tracing */
	const char *value;  /* YAML, flow style */
	const char *option; /* the option it sets; NULL: the key itself */
	const char *result; /* as `btracectl config` shows it; NULL: not set */
};

static const struct row rows[] = {
	/* era A, and B up to 1.0.10: the old names */
	{ "A", "type", "zipkin", "exporter_type", "zipkin" },
	{ "A", "type", "Jaeger", "exporter_type", "jaeger" },
	{ "A", "type", "null", "exporter_type", NULL },
	{ "A", "zipkin.url", "http://h:9411/api/v2/spans", "zipkin.endpoint", "http://h:9411/api/v2/spans" },
	{ "A", "zipkin.url", "null", "zipkin.endpoint", NULL },
	{ "A", "jaeger.address", "agent.example", "jaeger.thrift.agent_host_name", "agent.example" },
	{ "A", "jaeger.port", "6831", "jaeger.thrift.agent_port", "6831" },
	{ "A", "jaeger.port", "null", "jaeger.thrift.agent_port", NULL },
	{ "B", "type", "otlp", "exporter_type", "otlp" },
	{ "B", "sample_rate", "0.5", NULL, "0.5" },
	{ "B", "sample_rate", "1", NULL, "1" },
	{ "B", "sample_rate", "0", NULL, "0" },
	{ "B", "sample_rate", "'0.25'", NULL, "0.25" },
	{ "B", "sample_rate", "1e-3", NULL, "0.001" },
	{ "B", "sample_rate", "null", NULL, NULL },
	{ "B", "sample_rate", "~", NULL, NULL },
	{ "B", "sample_rate", "''", NULL, NULL },
	{ "B", "excluded_urls", "readyz, livez,healthz", NULL, "readyz, livez, healthz" },
	{ "B", "excluded_urls", "[readyz, 'live,z', ' x ']", NULL, "readyz, live,z,  x " },
	{ "B", "excluded_urls", "'a,,b, '", NULL, "a, b" },
	{ "B", "excluded_urls", "['', a]", NULL, "a" },
	{ "B", "excluded_urls", "[null, a]", NULL, "a" },
	{ "B", "excluded_urls", "[]", NULL, "" },
	{ "B", "excluded_urls", "''", NULL, "" },
	{ "B", "excluded_urls", "null", NULL, NULL },
	{ "B", "otlp.protocol", "grpc", NULL, "grpc" },
	{ "B", "otlp.url", "http://c:4318/v1/traces", "otlp.endpoint", "http://c:4318/v1/traces" },
	/* eras C and D */
	{ "C", "exporter_type", "zipkin", NULL, "zipkin" },
	{ "C", "exporter_type", "ZIPKIN", NULL, "zipkin" },
	{ "C", "exporter_type", "in_memory", NULL, "in_memory" },
	{ "C", "timeout", "10", NULL, "10s" },
	{ "C", "timeout", "0.25", NULL, "250ms" },
	{ "C", "timeout", "1500ms", NULL, "1500ms" },
	{ "C", "timeout", "2 m", NULL, "120s" },
	{ "C", "timeout", "null", NULL, NULL },
	{ "C", "max_tag_value_length", "256", NULL, "256" },
	{ "C", "max_tag_value_length", "-1", NULL, "-1" },
	{ "C", "zipkin.endpoint", "https://z/api/v2/spans", NULL, "https://z/api/v2/spans" },
	{ "C", "zipkin.local_node_ipv4", "192.0.2.1", NULL, "192.0.2.1" },
	{ "C", "zipkin.local_node_ipv4", "3221225985", NULL, "192.0.2.1" },
	{ "C", "zipkin.local_node_ipv6", "'2001:db8::1'", NULL, "2001:db8::1" },
	{ "C", "zipkin.local_node_port", "3000", NULL, "3000" },
	{ "C", "zipkin.local_node_port", "'3000'", NULL, "3000" },
	{ "C", "jaeger.protocol", "thrift", NULL, "thrift" },
	{ "C", "jaeger.protocol", "GRPC", NULL, "grpc" },
	{ "C", "jaeger.collector_endpoint", "http://c:14268/api/traces?format=jaeger.thrift", NULL,
	  "http://c:14268/api/traces" },
	{ "C", "jaeger.thrift.agent_host_name", "agent", NULL, "agent" },
	{ "C", "jaeger.thrift.agent_port", "6831", NULL, "6831" },
	{ "C", "jaeger.thrift.agent_port", "'6831'", NULL, "6831" },
	{ "C", "jaeger.thrift.udp_split_oversized_batches", "true", NULL, "true" },
	{ "C", "jaeger.grpc.insecure", "True", NULL, "true" },
	{ "C", "jaeger.grpc.endpoint", "c:14250", "jaeger.collector_endpoint", "c:14250" },
	{ "C", "otlp.protocol", "HTTP", NULL, "http" },
	{ "C", "otlp.endpoint", "http://c:4318/v1/traces", NULL, "http://c:4318/v1/traces" },
	{ "C", "otlp.compression", "gzip", NULL, "gzip" },
	{ "C", "otlp.compression", "deflate", NULL, "deflate" },
	{ "C", "otlp.compression", "none", NULL, "none" },
	{ "C", "otlp.http.certificate_file", "/ca.pem", NULL, "/ca.pem" },
	{ "C", "otlp.http.certificate_file", "ca.pem", NULL, "/etc/btrace/ca.pem" },
	{ "C", "otlp.http.headers", "{a: b, c: 1}", NULL, "a, c" },
	{ "C", "otlp.grpc.headers", "[[a, b], [c, d]]", NULL, "a, c" },
	{ "C", "otlp.grpc.headers", "'a=b, c=d'", NULL, "a, c" },
	{ "C", "otlp.grpc.headers", "{a: b}", NULL, "a" },
	{ "C", "otlp.grpc.headers", "[a=b, c=d=e]", NULL, "a, c" },
	{ "C", "otlp.grpc.insecure", "false", NULL, "false" },
	/* ours */
	{ "-", "exporter_type", "[otlp, console]", NULL, "otlp, console" },
	{ "-", "exporter_type", "otlp,console, otlp", NULL, "otlp, console" },
	{ "-", "exporter_type", "none", NULL, "none" },
	{ "-", "service_name", "shop", NULL, "shop" },
	{ "-", "service_name", "8080", NULL, "8080" },
	{ "-", "resource_attributes", "{deployment.environment.name: staging}", NULL,
	  "deployment.environment.name" },
	{ "-", "sampler", "traceidratio", NULL, "traceidratio" },
	{ "-", "sampler", "PARENTBASED_ALWAYS_OFF", NULL, "parentbased_always_off" },
	{ "-", "max_traces_per_second", "100", NULL, "100" },
	{ "-", "keep.errors", "true", NULL, "true" },
	{ "-", "keep.slower_than", "500ms", NULL, "500ms" },
	{ "-", "keep.slower_than", "2", NULL, "2s" },
	{ "-", "excluded_urls_host", "header", NULL, "header" },
	{ "-", "propagators", "[b3, tracecontext]", NULL, "b3, tracecontext" },
	{ "-", "propagators", "b3multi, jaeger,baggage", NULL, "b3multi, jaeger, baggage" },
	{ "-", "propagators", "none", NULL, "none" },
	{ "-", "client_spans", "off", NULL, "false" },
	{ "-", "client_spans", "on", NULL, "true" },
	{ "-", "client_only", "yes", NULL, "true" },
	{ "-", "inject", "no", NULL, "false" },
	{ "-", "inject_hosts.allow", "[a, b]", NULL, "a, b" },
	{ "-", "inject_hosts.deny", "a, b", NULL, "a, b" },
	{ "-", "semantic_conventions", "both", NULL, "both" },
	{ "-", "detail", "minimal", NULL, "minimal" },
	{ "-", "child_spans", "true", NULL, "true" },
	{ "-", "routes", "[\"/users/{id}\", \"/a,b\"]", NULL, "/users/{id}, /a,b" },
	{ "-", "routes_inference", "off", NULL, "off" },
	{ "-", "routes_max", "5", NULL, "5" },
	{ "-", "known_methods", "[GET, PURGE]", NULL, "GET, PURGE" },
	{ "-", "trust_forwarded", "never", NULL, "never" },
	{ "-", "capture.request_headers", "[X-Request-ID]", NULL, "X-Request-ID" },
	{ "-", "capture.response_headers", "content-type", NULL, "content-type" },
	{ "-", "redact.query", "[token]", NULL, "token" },
	{ "-", "redact.query", "[]", NULL, "" },
	{ "-", "redact.headers", "[x-key]", NULL, "x-key" },
	{ "-", "limits.attributes", "64", NULL, "64" },
	{ "-", "limits.attribute_value_length", "4096", NULL, "4096" },
	{ "-", "limits.events", "1", NULL, "1" },
	{ "-", "limits.links", "0", NULL, "0" },
	{ "-", "limits.event_attributes", "2", NULL, "2" },
	{ "-", "limits.link_attributes", "3", NULL, "3" },
	{ "-", "retry.max_time", "1h", NULL, "3600s" },
	{ "-", "batch.max_spans", "100", NULL, "100" },
	{ "-", "batch.delay", "100ms", NULL, "100ms" },
	{ "-", "queue.max_spans", "1000", NULL, "1000" },
	{ "-", "queue.max_bytes", "1MiB", NULL, "1MiB" },
	{ "-", "queue.max_bytes", "1000", NULL, "1000" },
	{ "-", "queue.max_bytes", "2 kB", NULL, "2000" },
	{ "-", "queue.max_bytes", "1.5GiB", NULL, "1536MiB" },
	{ "-", "spool.path", "spool", NULL, "/etc/btrace/spool" },
	{ "-", "spool.max_bytes", "1Gi", NULL, "1GiB" },
	{ "-", "use_proxy_environment", "true", NULL, "true" },
	{ "-", "tls.certificate_file", "a.pem", NULL, "/etc/btrace/a.pem" },
	{ "-", "tls.client_certificate_file", "/b.pem", NULL, "/b.pem" },
	{ "-", "tls.client_key_file", "/b.key", NULL, "/b.key" },
	{ "-", "tls.insecure_skip_verify", "true", NULL, "true" },
	{ "-", "reload", "false", NULL, "false" },
	{ "-", "zipkin.endpoint", "http://user:secret@z:1/p?token=x", NULL, "http://z:1/p" },
	{ "-", "zipkin.endpoint", "unix:/run/zipkin", NULL, "unix:/run/zipkin" },
	{ "-", "zipkin.headers", "{a: b}", NULL, "a" },
	{ "-", "jaeger.thrift.encoding", "binary", NULL, "binary" },
	{ "-", "jaeger.thrift.max_packet_size", "9000", NULL, "9000" },
	{ "-", "jaeger.grpc.certificate_file", "/j.pem", NULL, "/j.pem" },
	{ "-", "jaeger.user", "u", NULL, "u" },
	{ "-", "jaeger.password", "p", NULL, "(not shown)" },
	{ "-", "otlp.protocol", "http/json", NULL, "http/json" },
	{ "-", "otlp.protocol", "http/protobuf", NULL, "http/protobuf" },
	{ "-", "otlp.grpc.certificate_file", "/g.pem", NULL, "/g.pem" },
	{ "-", "file.path", "/t.jsonl", NULL, "/t.jsonl" },
	{ "-", "file.max_bytes", "10MB", NULL, "10000000" },
	{ "-", "file.max_files", "3", NULL, "3" },
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

static const struct {
	const char *name, *begin;
	int depth;
} places[] = {
	{ "tracing", "tracing:\n", 1 },
	{ "api_server.tracing", "api_server:\n  workers: 2\n  tracing:\n", 2 },
	{ "services.tracing", "services:\n  tracing:\n", 2 },
	{ "services.Shop.tracing", "services:\n  Shop:\n    traffic: {timeout: 3}\n    tracing:\n", 3 },
};

/* "a.b: v" as block mappings, below a place. */
static void write_yaml(char *out, size_t size, int place, const char *key, const char *value)
{
	int depth = places[place].depth;
	size_t n = (size_t)snprintf(out, size, "%s", places[place].begin);

	for (const char *p = key; *p; depth++) {
		size_t step = strcspn(p, ".");

		n += (size_t)snprintf(out + n, size - n, "%*s%.*s:%s", depth * 2, "", (int)step, p,
				      p[step] ? "\n" : " ");
		p += step + (p[step] == '.');
	}
	snprintf(out + n, size - n, "%s\n", value);
}

Test(config_keys, each_key_of_each_era_in_each_place)
{
	for (int place = 0; place < 4; place++) {
		for (int i = 0; i < ROWS; i++) {
			const struct row *row = &rows[i];
			char yaml[1024], shown[512];
			struct loaded *l;

			write_yaml(yaml, sizeof(yaml), place, row->key, row->value);
			l = load_with(yaml, NULL, "Shop");
			cr_expect_eq(l->rc == -EINVAL, false, "%s\n%s", yaml, l->text);
			cr_expect_str_eq(setting(l, row->option ? row->option : row->key, shown),
					 row->result ? row->result : "", "era %s:\n%s", row->era, yaml);
			cr_expect_null(strstr(l->text, "unknown"), "%s", l->text);
			unload(l);
		}
	}
}

/* A row too few here would be a key that nobody has tried. */
Test(config_keys, table_above_misses_no_key)
{
	for (int id = 0; id < CONFIG_OPTIONS; id++) {
		const char *others = config_options[id].others;
		char name[128];
		bool found;

		snprintf(name, sizeof(name), "%s", config_options[id].path);
		do {
			found = false;
			for (int i = 0; i < ROWS; i++)
				found |= !strcmp(rows[i].key, name);
			cr_expect(found, "no row for %s", name);
		} while (option_word(&others, ' ', name, sizeof(name)));
	}
}

/* What it was when nobody sets it. */
Test(config_keys, defaults)
{
	struct loaded *l = load("tracing: {}\n", NULL);
	const struct config *c = &l->config;

	cr_expect_eq(c->batch_spans, 512);
	cr_expect_eq(c->batch_delay_ns, 1000000000u);
	cr_expect_eq(c->queue_spans, 65536);
	cr_expect_eq(c->queue_bytes, 32u << 20);
	cr_expect_eq(c->retry_ns, 60000000000u);
	cr_expect_eq(c->limit_attributes, 128);
	cr_expect_eq(c->semantic_conventions, CONFIG_CONVENTIONS_STABLE);
	cr_expect_eq(c->routes_inference, CONFIG_INFERENCE_LEARNED);
	cr_expect_eq(c->routes_max, 200);
	cr_expect(c->client_spans && c->inject && c->reload);
	cr_expect(!c->client_only && !c->child_spans && !c->keep_errors && !c->proxy_environment);
	cr_expect_eq(c->propagator[0], POLICY_PROPAGATOR_TRACECONTEXT);
	cr_expect_eq(c->propagator[1], POLICY_PROPAGATOR_BAGGAGE);
	cr_expect_eq(c->propagator[2], POLICY_PROPAGATOR_NONE);
	cr_expect_eq(c->redact_query.n, 7);
	cr_expect_eq(c->known_methods.n, 10);
	cr_expect(c->sample_rate != c->sample_rate, "NAN: not set");
	for (int id = 0; id < CONFIG_OPTIONS; id++)
		cr_expect_not(config_is_set(c, (enum config_option_id)id), "%s", config_options[id].path);
	unload(l);
}

/* Each type refuses what is not of it: file, line and column, the key, the value, what is allowed. */
static const struct {
	const char *key, *value, *message;
} refused[] = {
	{ "sample_rate", "1.5", "'1.5' is not allowed: a number from 0 to 1" },
	{ "sample_rate", "-0.1", "'-0.1'" },
	{ "sample_rate", ".nan", "'.nan'" },
	{ "sample_rate", "nan", "'nan'" },
	{ "sample_rate", "inf", "'inf'" },
	{ "sample_rate", "0x1", "'0x1'" },
	{ "sample_rate", "yes", "'yes'" },
	{ "sample_rate", "80%", "'80%'" },
	{ "sample_rate", "[1]", "'a list' is not allowed" },
	{ "sample_rate", "{a: 1}", "'a mapping' is not allowed" },
	{ "exporter_type", "zipkn", "did you mean 'zipkin'?" },
	{ "exporter_type", "[otlp, jager]",
	  "'jager' is not allowed: one or a list of zipkin, jaeger, otlp, "
	  "file, console, none; did you mean 'jaeger'?" },
	{ "exporter_type", "[[otlp]]", "'a list'" },
	{ "type", "prometheus", "tracing.type: 'prometheus' is not allowed" },
	{ "sampler", "parentbased", "'parentbased'" },
	{ "timeout", "-1", "a duration" },
	{ "timeout", "true", "a duration" },
	{ "timeout", "10 weeks", "a duration" },
	{ "timeout", "1e300", "a duration" },
	{ "max_tag_value_length", "1.5", "a whole number from -2147483648 to 2147483647" },
	{ "max_tag_value_length", "99999999999", "a whole number" },
	{ "zipkin.endpoint", "localhost:9411", "a URL like http://host:port/path, or unix:/path" },
	{ "zipkin.endpoint", "ftp://h/", "a URL" },
	{ "zipkin.endpoint", "http://", "a URL" },
	{ "zipkin.endpoint", "http://h:0/", "a URL" },
	{ "zipkin.endpoint", "http://h:65536/", "a URL" },
	{ "zipkin.endpoint", "http://h:/", "a URL" },
	{ "zipkin.endpoint", "http://:1/", "a URL" },
	{ "zipkin.endpoint", "http://[::1/", "a URL" },
	{ "zipkin.endpoint", "'http://a b/'", "a URL" },
	{ "zipkin.endpoint", "unix:relative", "a URL" },
	{ "zipkin.url", "http://u:secret@h:x/", "tracing.zipkin.url: 'http://h:x/' is not allowed" },
	{ "zipkin.local_node_ipv4", "1.2.3", "an IPv4 address" },
	{ "zipkin.local_node_ipv4", "4294967296", "an IPv4 address" },
	{ "zipkin.local_node_ipv6", "1.2.3.4", "an IPv6 address" },
	{ "zipkin.local_node_port", "0", "a whole number from 1 to 65535" },
	{ "zipkin.local_node_port", "65536", "a whole number from 1 to 65535" },
	{ "jaeger.protocol", "udp", "thrift, grpc" },
	{ "jaeger.port", "http", "tracing.jaeger.port: 'http'" },
	{ "jaeger.thrift.udp_split_oversized_batches", "maybe", "true or false" },
	{ "otlp.protocol", "htpp", "did you mean 'http'?" },
	{ "otlp.compression", "zstd", "none, gzip, deflate" },
	{ "otlp.http.headers", "5", "a mapping, a list of pairs, or one text k=v,k2=v2" },
	{ "otlp.http.headers", "{a: [b]}", "'a list'" },
	{ "otlp.grpc.headers", "[[a]]", "'a list that is not [key, value]'" },
	{ "otlp.grpc.headers", "'key=secret,other'", "'...' is not allowed" },
	{ "queue.max_bytes", "10 apples", "a size" },
	{ "queue.max_bytes", "-1", "a size" },
	{ "propagators", "[tracecontext, xray]", "'xray' is not allowed" },
	{ "routes_inference", "learn", "did you mean 'learned'?" },
	{ "semantic_conventions", "stabel", "did you mean 'stable'?" },
	{ "jaeger.thrift", "5", "tracing.jaeger.thrift must be a mapping" },
	{ "zipkin", "[a]", "tracing.zipkin must be a mapping" },
};

Test(config_keys, values_that_are_not_allowed)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		char yaml[1024], where[256];
		struct loaded *l;

		write_yaml(yaml, sizeof(yaml), 0, refused[i].key, refused[i].value);
		l = load(yaml, NULL);
		cr_expect_eq(l->rc, -EINVAL, "%s", yaml);
		cr_expect_eq(l->report.errors, 1, "%s%s", yaml, l->text);
		cr_expect(strstr(l->text, refused[i].message), "%sgives: %s", yaml, l->text);
		snprintf(where, sizeof(where), "error: tracing.%.*s", (int)strcspn(refused[i].key, "."),
			 refused[i].key);
		cr_expect(strstr(l->text, where), "%s", l->text);
		cr_expect_null(strstr(l->text, "secret"), "%s", l->text);
		cr_expect_not(l->config.on);
		unload(l);
	}
}

Test(config_keys, unknown_keys_are_named_with_what_was_probably_meant)
{
	static const struct {
		const char *key, *meant;
	} table[] = {
		{ "sample_rat", "sample_rate" },
		{ "samplerate", "sample_rate" },
		{ "sampel_rate", "sample_rate" },
		{ "exluded_urls", "excluded_urls" },
		{ "Exporter_Type", "exporter_type" },
		{ "zipkin.endpont", "zipkin.endpoint" },
		{ "zipkins", "zipkin" },
		{ "jaeger.thrift.agent_hostname", "jaeger.thrift.agent_host_name" },
		{ "jaeger.thrift.agent_prot", "jaeger.thrift.agent_port" },
		{ "endpoint", "zipkin.endpoint" },
		{ "agent_port", "jaeger.thrift.agent_port" },
		{ "jaeger.agent_port", "jaeger.thrift.agent_port" },
		{ "otlp.header", "otlp.http.headers" },
		{ "something_else", NULL },
		{ "x", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char yaml[512], expected[256];
		struct loaded *l;

		write_yaml(yaml, sizeof(yaml), 0, table[i].key, "1");
		l = load(yaml, NULL);
		cr_expect_eq(l->rc, 0, "%s", l->text);
		snprintf(expected, sizeof(expected), "unknown key '%s' in tracing", table[i].key);
		cr_expect(strstr(l->text, expected), "%s", l->text);
		snprintf(expected, sizeof(expected), "did you mean '%s'?",
			 table[i].meant ? table[i].meant : "");
		if (table[i].meant)
			cr_expect(strstr(l->text, expected), "%s", l->text);
		unload(l);
	}
}
