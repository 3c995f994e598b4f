/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"

/* Variables alone, or filling in what the file leaves open. */
Test(config_environment, each_variable_sets_its_option)
{
	static const struct {
		const char *variable, *option, *result;
	} table[] = {
		{ "BTRACE_SERVICE=a", "service_name", "a" },
		{ "OTEL_SERVICE_NAME=a", "service_name", "a" },
		{ "OTEL_RESOURCE_ATTRIBUTES=a=b", "resource_attributes", "a" },
		{ "OTEL_TRACES_EXPORTER=zipkin,console", "exporter_type", "zipkin, console" },
		{ "OTEL_TRACES_EXPORTER=logging, zipkin", "exporter_type", "zipkin" },
		{ "OTEL_PROPAGATORS=b3multi, xray, jaeger", "propagators", "b3multi, jaeger" },
		{ "OTEL_PROPAGATORS=none", "propagators", "none" },
		{ "OTEL_PROPAGATORS=xray", "propagators", "" },
		{ "OTEL_BSP_SCHEDULE_DELAY=250", "batch.delay", "250ms" },
		{ "OTEL_BSP_SCHEDULE_DELAY=soon", "batch.delay", "" },
		{ "OTEL_BSP_SCHEDULE_DELAY=-1", "batch.delay", "" },
		{ "OTEL_BSP_EXPORT_TIMEOUT=30000", "retry.max_time", "30s" },
		{ "OTEL_BSP_MAX_QUEUE_SIZE=2048", "queue.max_spans", "2048" },
		{ "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100", "batch.max_spans", "100" },
		{ "OTEL_ATTRIBUTE_COUNT_LIMIT=10", "limits.attributes", "10" },
		{ "OTEL_ATTRIBUTE_COUNT_LIMIT=10\nOTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=11", "limits.attributes",
		  "11" },
		{ "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=10", "limits.attribute_value_length", "10" },
		{ "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=10\nOTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=11",
		  "limits.attribute_value_length", "11" },
		{ "OTEL_SPAN_EVENT_COUNT_LIMIT=1", "limits.events", "1" },
		{ "OTEL_SPAN_LINK_COUNT_LIMIT=2", "limits.links", "2" },
		{ "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT=3", "limits.event_attributes", "3" },
		{ "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT=4", "limits.link_attributes", "4" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "otlp.protocol", "grpc" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json",
		  "otlp.protocol", "http/json" },
		{ "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "otlp.compression", "gzip" },
		{ "OTEL_EXPORTER_OTLP_HEADERS=a=b,c=d%20e", "otlp.http.headers", "a, c" },
		{ "OTEL_EXPORTER_OTLP_HEADERS=a=b\nOTEL_EXPORTER_OTLP_TRACES_HEADERS=c=d",
		  "otlp.grpc.headers", "c" },
		{ "OTEL_EXPORTER_OTLP_INSECURE=true", "otlp.grpc.insecure", "true" },
		{ "OTEL_EXPORTER_OTLP_CERTIFICATE=/ca", "otlp.http.certificate_file", "/ca" },
		{ "OTEL_EXPORTER_OTLP_CERTIFICATE=/ca", "otlp.grpc.certificate_file", "/ca" },
		{ "OTEL_EXPORTER_OTLP_CLIENT_KEY=/k", "tls.client_key_file", "/k" },
		{ "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE=/c", "tls.client_certificate_file", "/c" },
		{ "OTEL_EXPORTER_ZIPKIN_ENDPOINT=http://z/", "zipkin.endpoint", "http://z/" },
		{ "OTEL_EXPORTER_JAEGER_ENDPOINT=http://j/", "jaeger.collector_endpoint", "http://j/" },
		{ "OTEL_EXPORTER_JAEGER_AGENT_HOST=h", "jaeger.thrift.agent_host_name", "h" },
		{ "OTEL_EXPORTER_JAEGER_AGENT_PORT=1", "jaeger.thrift.agent_port", "1" },
		{ "OTEL_EXPORTER_JAEGER_AGENT_PORT=0", "jaeger.thrift.agent_port", "" },
		{ "OTEL_EXPORTER_JAEGER_USER=u", "jaeger.user", "u" },
		{ "OTEL_EXPORTER_JAEGER_PASSWORD=p", "jaeger.password", "(not shown)" },
		{ "OTEL_EXPORTER_JAEGER_CERTIFICATE=/c", "jaeger.grpc.certificate_file", "/c" },
		{ "OTEL_EXPORTER_JAEGER_GRPC_INSECURE=true", "jaeger.grpc.insecure", "true" },
		{ "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS=GET,PURGE", "known_methods", "GET, PURGE" },
		{ "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=a,b", "capture.request_headers",
		  "a, b" },
		{ "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE=c", "capture.response_headers",
		  "c" },
		{ "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS=d", "redact.headers", "d" },
		{ "OTEL_SERVICE_NAME=", "service_name", "" }, /* empty = unset */
		{ "OTEL_SERVICE_NAME=\xff", "service_name", "" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l = load("tracing:\n", table[i].variable);
		char shown[512];

		cr_expect_eq(l->rc, 0, "the environment never makes an error: %s", l->text);
		cr_expect_str_eq(setting(l, table[i].option, shown), table[i].result, "%s",
				 table[i].variable);
		unload(l);
	}
}

Test(config_environment, bad_values_are_warned_of_and_ignored)
{
	static const struct {
		const char *variable, *text;
	} table[] = {
		{ "OTEL_BSP_SCHEDULE_DELAY=soon", "OTEL_BSP_SCHEDULE_DELAY: warning: 'soon' is not allowed" },
		{ "OTEL_BSP_MAX_QUEUE_SIZE=0", "OTEL_BSP_MAX_QUEUE_SIZE: warning: '0' is not allowed" },
		{ "OTEL_TRACES_EXPORTER=oltp", "did you mean 'otlp'?; ignored" },
		{ "OTEL_TRACES_EXPORTER=zipkin\nOTEL_TRACES_SAMPLER=magic",
		  "OTEL_TRACES_SAMPLER: warning: 'magic'" },
		{ "OTEL_TRACES_EXPORTER=zipkin\nOTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=2",
		  "OTEL_TRACES_SAMPLER_ARG: warning: '2' is not allowed: a number from 0 to 1; ignored" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT=ftp://x", "OTEL_EXPORTER_OTLP_ENDPOINT: warning: 'ftp://x'" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT=http://x\nOTEL_EXPORTER_OTLP_TIMEOUT=long",
		  "OTEL_EXPORTER_OTLP_TIMEOUT: warning: 'long'" },
		{ "OTEL_EXPORTER_OTLP_INSECURE=maybe", "OTEL_EXPORTER_OTLP_INSECURE: warning: 'maybe'" },
		{ "OTEL_SERVICE_NAME=\xff", "OTEL_SERVICE_NAME: warning: not UTF-8; ignored" },
		{ "OTEL_TRACES_EXPORTER=jaeger\nOTEL_EXPORTER_JAEGER_PROTOCOL=x",
		  "OTEL_EXPORTER_JAEGER_PROTOCOL: warning: not one of" },
		{ "OTEL_EXPORTER_OTLP_HEADERS=authorization secret",
		  "OTEL_EXPORTER_OTLP_HEADERS: warning: " },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l = load(NULL, table[i].variable);

		cr_expect_eq(l->rc, 0);
		cr_expect_eq(l->report.errors, 0);
		cr_expect(strstr(l->text, table[i].text), "%s: %s", table[i].variable, l->text);
		unload(l);
	}
}

Test(config_environment, kill_switches)
{
	static const struct {
		const char *variable;
		bool on;
	} table[] = {
		{ "BTRACE_DISABLED=1", false },      { "BTRACE_DISABLED=true", false },
		{ "BTRACE_DISABLED=yes", false },    { "BTRACE_DISABLED=0", true },
		{ "BTRACE_DISABLED=", true },        { "BTRACE_DISABLED=false", true },
		{ "OTEL_SDK_DISABLED=true", false }, { "OTEL_SDK_DISABLED=TRUE", false },
		{ "OTEL_SDK_DISABLED=1", true },     { "OTEL_SDK_DISABLED=false", true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l =
			load("tracing: {exporter_type: zipkin, sample_rate: 1}\n", table[i].variable);
		cr_expect_eq(l->rc, 0);
		cr_expect_eq(l->config.on, table[i].on, "%s", table[i].variable);
		unload(l);
	}
}

Test(config_environment, variables_in_values)
{
	static const struct {
		const char *yaml, *environment, *option, *result;
	} table[] = {
		{ "tracing: {sample_rate: '${RATE:-0.5}'}\n", NULL, "sample_rate", "0.5" },
		{ "tracing: {sample_rate: '${RATE:-0.5}'}\n", "RATE=0.25", "sample_rate", "0.25" },
		{ "tracing: {sample_rate: \"${RATE}\"}\n", "RATE=0.25", "sample_rate", "0.25" },
		{ "tracing:\n  sample_rate: ${RATE}\n", "RATE=1", "sample_rate", "1" },
		{ "tracing: {zipkin: {endpoint: 'http://${HOST}:${PORT:-9411}/${NAME:-}'}}\n", "HOST=z",
		  "zipkin.endpoint", "http://z:9411/" },
		{ "tracing: {excluded_urls: ['${A}', 'b${B:-c}', d]}\n", "A=a", "excluded_urls", "a, bc, d" },
		{ "tracing: {excluded_urls: '${LIST}'}\n", "LIST=a, b", "excluded_urls", "a, b" },
		{ "tracing: {service_name: 'a$b ${} ${1} ${x y} ${A'}\n", NULL, "service_name",
		  "a$b ${} ${1} ${x y} ${A" },
		{ "tracing: {service_name: '$${A:-x}'}\n", NULL, "service_name", "$x" },
		{ "tracing: {otlp: {http: {headers: {k: '${V:-v}'}}}}\n", NULL, "otlp.http.headers", "k" },
		{ "tracing: {exporter_type: ['${E:-zipkin}']}\n", NULL, "exporter_type", "zipkin" },
		{ "tracing: {reload: '${R:-no}'}\n", NULL, "reload", "false" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l = load(table[i].yaml, table[i].environment);
		char shown[512];

		cr_expect_eq(l->rc, 0, "%s%s", table[i].yaml, l->text);
		cr_expect_str_eq(setting(l, table[i].option, shown), table[i].result, "%s", table[i].yaml);
		unload(l);
	}
}

Test(config_environment, variable_that_is_not_there_is_told)
{
	struct loaded *l = load("tracing:\n  exporter_type: zipkin\n  sample_rate: ${RATE}\n", NULL);

	cr_expect_eq(l->rc, 0);
	cr_expect(strstr(l->text, "t.yml:3:16: warning: tracing.sample_rate: the variable RATE is not set"),
		  "%s", l->text);
	cr_expect_not(l->config.on, "as if there were no rate");
	unload(l);
}

Test(config_environment, options_syntax)
{
	static const struct {
		const char *options, *option, *result;
	} table[] = {
		{ "tracing.sample_rate=1", "sample_rate", "1" },
		{ "  tracing.sample_rate=0.5   tracing.type=zipkin\t", "sample_rate", "0.5" },
		{ "tracing.type=jaeger tracing.jaeger.address=h tracing.jaeger.port=1",
		  "jaeger.thrift.agent_port", "1" },
		{ "tracing.zipkin.url=http://h/?a=b", "zipkin.endpoint", "http://h/" },
		{ "tracing.excluded_urls=\"a b, c\"", "excluded_urls", "a b, c" },
		{ "tracing.excluded_urls='a b'", "excluded_urls", "a b" },
		{ "tracing.excluded_urls=[a,b]", "excluded_urls", "a, b" },
		{ "tracing.excluded_urls[0]=a tracing.excluded_urls[1]=b", "excluded_urls", "a, b" },
		{ "tracing.otlp.grpc.headers[0][0]=k tracing.otlp.grpc.headers[0][1]=v", "otlp.grpc.headers",
		  "k" },
		{ "tracing.otlp.http.headers.\"Keep-Alive\"=timeout=1", "otlp.http.headers", "Keep-Alive" },
		{ "tracing.otlp.http.headers.\"a b\"=1", "otlp.http.headers", "a b" },
		{ "tracing.service_name=", "service_name", "" },
		{ "tracing.service_name=null", "service_name", "" },
		{ "tracing.service_name=\"null\"", "service_name", "null" },
		/* nothing of ours: not read, not told */
		{ "api_server.workers x=[ runners.\"a=b api_server..x=1 tracing.sample_rate=1", "sample_rate",
		  "" },
		{ "api_server.workers x=[ =3 api_server..x=1 tracing.sample_rate=1", "sample_rate", "1" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char environment[512], shown[512];
		struct loaded *l;

		snprintf(environment, sizeof(environment), "BENTOML_CONFIG_OPTIONS=%s", table[i].options);
		l = load(NULL, environment);
		cr_expect_eq(l->rc == 0 || i == 14, true, "%s: %s", table[i].options, l->text);
		cr_expect_str_eq(setting(l, table[i].option, shown), table[i].result, "%s: %s",
				 table[i].options, shown);
		unload(l);
	}
}

Test(config_environment, options_that_cannot_be_read)
{
	static const struct {
		const char *options, *message;
	} table[] = {
		{ "tracing.sample_rate", "1:1: error: 'tracing.sample_rate' is not of the form key=value" },
		{ "a=b tracing..x=1", "1:5: error: the key in 'tracing..x=1' cannot be read" },
		{ "tracing.=1", "the key in" },
		{ "=tracing", "the key in" },
		{ "tracing.a[=1", "the key in" },
		{ "tracing.a[x]=1", "the key in" },
		{ "tracing.a[99999]=1", "the key in" },
		{ "tracing.a[0=1", "the key in" },
		{ "tracing.\"a=1", "is not of the form" },
		{ "services.\xa1.tracing.timeout=1", "the key in" },
		{ "tracing.excluded_urls[0]=a tracing.excluded_urls.b=c", "the key in" },
		{ "tracing.excluded_urls=a tracing.excluded_urls.b=c", "the key in" },
		{ "tracing.sample_rate=[", "1:22: error: not YAML" },
		{ "tracing.sample_rate=7", "1:21: error: tracing.sample_rate: '7' is not allowed" },
		{ "x=1 tracing.timeout=true", "1:21: error: tracing.timeout: 'true'" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char environment[512];
		struct loaded *l;

		snprintf(environment, sizeof(environment), "BENTOML_CONFIG_OPTIONS=%s", table[i].options);
		l = load(NULL, environment);
		cr_expect_eq(l->rc, -EINVAL, "%s", table[i].options);
		cr_expect(strstr(l->text, table[i].message), "%s: %s", table[i].options, l->text);
		unload(l);
	}
}

Test(config_environment, overrides_are_json)
{
	struct loaded *l = load(
		NULL, "BENTOML_CONFIG_OVERRIDES={\"tracing\":{\"exporter_type\":\"zipkin\",\"sample_rate\":1,"
		      "\"zipkin\":{\"endpoint\":\"http:\\/\\/z\\/p\"},\"excluded_urls\":[\"a\",\"b\"]},"
		      "\"api_server\":{\"workers\":null}}");
	char shown[512];

	cr_expect_eq(l->rc, 0, "%s", l->text);
	cr_expect(l->config.on);
	cr_expect_str_eq(setting(l, "zipkin.endpoint", shown), "http://z/p");
	cr_expect_eq(l->config.excluded_urls.n, 2);
	unload(l);
	l = load(NULL, "BENTOML_CONFIG_OVERRIDES={\"tracing\":{\"sample_rate\":2}}");
	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "BENTOML_CONFIG_OVERRIDES:1:27: error: tracing.sample_rate: '2'"), "%s",
		  l->text);
	unload(l);
	l = load(NULL, "BENTOML_CONFIG_OVERRIDES={\"tracing\":");
	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "BENTOML_CONFIG_OVERRIDES:1:12: error: not YAML"), "%s", l->text);
	unload(l);
	l = load(NULL, "BENTOML_CONFIG_OVERRIDES=[1]");
	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "must be a JSON object"), "%s", l->text);
	unload(l);
}
