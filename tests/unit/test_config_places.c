/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several values wins: places, sources, generations, null. */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"

struct row {
	const char *why;
	const char *yaml, *environment, *service;
	const char *option, *result;
};

static const struct row rows[] = {
	{ "api_server beats the top level",
	  "tracing: {sample_rate: 0.1}\napi_server: {tracing: {sample_rate: 0.2}}\n", NULL, NULL,
	  "sample_rate", "0.2" },
	{ "whichever stands first",
	  "api_server: {tracing: {sample_rate: 0.2}}\ntracing: {sample_rate: 0.1}\n", NULL, NULL,
	  "sample_rate", "0.2" },
	{ "services beats api_server",
	  "api_server: {tracing: {sample_rate: 0.2}}\nservices: {tracing: {sample_rate: 0.3}}\n", NULL, NULL,
	  "sample_rate", "0.3" },
	{ "the service's own block beats services",
	  "services: {tracing: {sample_rate: 0.3}, Shop: {tracing: {sample_rate: 0.4}}}\n", NULL, "Shop",
	  "sample_rate", "0.4" },
	{ "each leaf for itself",
	  "tracing: {timeout: 7}\nservices: {tracing: {sample_rate: 0.3}, Shop: {tracing: {exporter_type: "
	  "zipkin}}}\n",
	  NULL, "Shop", "timeout", "7s" },
	{ "another service's block does nothing",
	  "services: {tracing: {sample_rate: 0.3}, Shop: {tracing: {sample_rate: 0.4}}, B: {tracing: "
	  "{timeout: 1}}}\n",
	  NULL, "C", "sample_rate", "0.3" },
	{ "the only service with a block is ours if we do not know better",
	  "services: {Shop: {tracing: {sample_rate: 0.4}}, B: {workers: 1}}\n", NULL, "python3.11",
	  "sample_rate", "0.4" },
	{ "and gives its name", "services: {Shop: {tracing: {sample_rate: 0.4}}}\n", NULL, "python3.11",
	  "service_name", "Shop" },
	{ "BTRACE_SERVICE says which block is ours",
	  "services: {A: {tracing: {sample_rate: 0.1}}, B: {tracing: {sample_rate: 0.2}}}\n",
	  "BTRACE_SERVICE=B", "A", "sample_rate", "0.2" },
	{ "OTEL_SERVICE_NAME too",
	  "services: {A: {tracing: {sample_rate: 0.1}}, B: {tracing: {sample_rate: 0.2}}}\n",
	  "OTEL_SERVICE_NAME=B", NULL, "sample_rate", "0.2" },
	{ "service.name of OTEL_RESOURCE_ATTRIBUTES too",
	  "services: {A: {tracing: {sample_rate: 0.1}}, B: {tracing: {sample_rate: 0.2}}}\n",
	  "OTEL_RESOURCE_ATTRIBUTES=service.name=B", NULL, "sample_rate", "0.2" },
	{ "service_name of the general places too",
	  "tracing: {service_name: B}\nservices: {A: {tracing: {sample_rate: 0.1}}, B: {tracing: "
	  "{sample_rate: 0.2}}}\n",
	  NULL, NULL, "sample_rate", "0.2" },
	{ "OPTIONS beat the file", "tracing: {sample_rate: 0.1}\n",
	  "BENTOML_CONFIG_OPTIONS=tracing.sample_rate=0.5", NULL, "sample_rate", "0.5" },
	{ "also where the file says it in api_server", "api_server: {tracing: {sample_rate: 0.1}}\n",
	  "BENTOML_CONFIG_OPTIONS=tracing.sample_rate=0.5", NULL, "sample_rate", "0.5" },
	{ "but not the service's own block, as in BentoML",
	  "services: {Shop: {tracing: {sample_rate: 0.1}}}\n",
	  "BENTOML_CONFIG_OPTIONS=services.tracing.sample_rate=0.5", "Shop", "sample_rate", "0.1" },
	{ "unless they name it", "services: {Shop: {tracing: {sample_rate: 0.1}}}\n",
	  "BENTOML_CONFIG_OPTIONS=services.Shop.tracing.sample_rate=0.5", "Shop", "sample_rate", "0.5" },
	{ "OVERRIDES beat the file", "tracing: {sample_rate: 0.1}\n",
	  "BENTOML_CONFIG_OVERRIDES={\"tracing\":{\"sample_rate\":0.6}}", NULL, "sample_rate", "0.6" },
	{ "OPTIONS beat OVERRIDES", "tracing: {sample_rate: 0.1}\n",
	  "BENTOML_CONFIG_OVERRIDES={\"tracing\":{\"sample_rate\":0.6}}\nBENTOML_CONFIG_OPTIONS=tracing."
	  "sample_rate=0.5",
	  NULL, "sample_rate", "0.5" },
	{ "our own OPTIONS beat BentoML's", NULL,
	  "BTRACE_CONFIG_OPTIONS=tracing.sample_rate=0.7\nBENTOML_CONFIG_OPTIONS=tracing.sample_rate=0.5",
	  NULL, "sample_rate", "0.7" },
	{ "the old name beats the new one", "tracing: {exporter_type: zipkin, type: jaeger}\n", NULL, NULL,
	  "exporter_type", "jaeger" },
	{ "whichever stands first", "tracing: {type: jaeger, exporter_type: zipkin}\n", NULL, NULL,
	  "exporter_type", "jaeger" },
	{ "the old port beats the new one", "tracing: {jaeger: {thrift: {agent_port: 1}, port: 2}}\n", NULL,
	  NULL, "jaeger.thrift.agent_port", "2" },
	{ "the old URLs beat the new ones",
	  "tracing: {zipkin: {url: 'http://old/', endpoint: 'http://new/'}}\n", NULL, NULL, "zipkin.endpoint",
	  "http://old/" },
	{ "generations may be mixed", "tracing: {exporter_type: jaeger, jaeger: {address: h}}\n", NULL, NULL,
	  "jaeger.thrift.agent_host_name", "h" },
	{ "but the new name in a stronger place beats the old one", "tracing: {type: jaeger}\n",
	  "BENTOML_CONFIG_OPTIONS=tracing.exporter_type=zipkin", NULL, "exporter_type", "zipkin" },
	{ "an old name that is null says nothing", "tracing: {type: null, exporter_type: zipkin}\n", NULL,
	  NULL, "exporter_type", "zipkin" },
	{ "null takes back what a weaker place said",
	  "tracing: {sample_rate: 0.1}\napi_server: {tracing: {sample_rate: null}}\n", NULL, NULL,
	  "sample_rate", "" },
	{ "an empty block does not", "tracing: {sample_rate: 0.1}\napi_server: {tracing: }\n", NULL, NULL,
	  "sample_rate", "0.1" },
	{ "lists are replaced", "tracing: {excluded_urls: [a, b]}\n",
	  "BENTOML_CONFIG_OPTIONS=tracing.excluded_urls=[c]", NULL, "excluded_urls", "c" },
	{ "or one item of them", "tracing: {excluded_urls: [a, b, d]}\n",
	  "BENTOML_CONFIG_OPTIONS=tracing.excluded_urls[1]=c", NULL, "excluded_urls", "a, c" },
	{ "mappings are merged", "tracing: {otlp: {http: {headers: {a: 1, b: 2}}}}\n",
	  "BENTOML_CONFIG_OPTIONS=tracing.otlp.http.headers.\"Keep-Alive\"=5", NULL, "otlp.http.headers",
	  "a, b, Keep-Alive" },
	{ "an option of the environment gives way to the file", "tracing: {propagators: [b3]}\n",
	  "OTEL_PROPAGATORS=jaeger", NULL, "propagators", "b3" },
	{ "and is back where the file says null", "tracing: {propagators: null}\n", "OTEL_PROPAGATORS=jaeger",
	  NULL, "propagators", "jaeger" },
	{ "merge keys of YAML",
	  "base: &base {sample_rate: 0.1, timeout: 5}\ntracing: {<<: *base, sample_rate: 0.2}\n", NULL, NULL,
	  "sample_rate", "0.2" },
	{ "merge keys of YAML, what is only there",
	  "base: &base {sample_rate: 0.1, timeout: 5}\ntracing: {<<: *base, sample_rate: 0.2}\n", NULL, NULL,
	  "timeout", "5s" },
	{ "a list of merge keys: the first wins",
	  "a: &a {timeout: 1}\nb: &b {timeout: 2, detail: minimal}\ntracing:\n  <<: [*a, *b]\n", NULL, NULL,
	  "timeout", "1s" },
	{ "aliases", "a: &rate 0.25\ntracing: {sample_rate: *rate}\n", NULL, NULL, "sample_rate", "0.25" },
	{ "an alias for a whole block", "tracing: &t {sample_rate: 0.25}\napi_server: {tracing: *t}\n", NULL,
	  NULL, "sample_rate", "0.25" },
	{ "the service name of the environment beats the file", "tracing: {service_name: file}\n",
	  "OTEL_SERVICE_NAME=env", NULL, "service_name", "env" },
	{ "ours beats OpenTelemetry's", NULL, "OTEL_SERVICE_NAME=otel\nBTRACE_SERVICE=ours", NULL,
	  "service_name", "ours" },
	{ "OTEL_SERVICE_NAME beats service.name", NULL,
	  "OTEL_RESOURCE_ATTRIBUTES=service.name=b\nOTEL_SERVICE_NAME=a", NULL, "service_name", "a" },
	{ "service.name of the environment beats the file", "tracing: {service_name: file}\n",
	  "OTEL_RESOURCE_ATTRIBUTES=service.name=b", NULL, "service_name", "b" },
	{ "service.name of the file's attributes",
	  "tracing: {resource_attributes: {service.name: r, a: b}}\n", NULL, NULL, "service_name", "r" },
	{ "which then is not among them", "tracing: {resource_attributes: {service.name: r, a: b}}\n", NULL,
	  NULL, "resource_attributes", "a" },
	{ "service_name beats it", "tracing: {service_name: s, resource_attributes: {service.name: r}}\n",
	  NULL, NULL, "service_name", "s" },
};

Test(config_places, what_wins)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct loaded *l = load_with(row->yaml, row->environment, row->service);
		char shown[512];

		cr_expect_eq(l->rc, 0, "%s: %s", row->why, l->text);
		cr_expect_str_eq(setting(l, row->option, shown), row->result, "%s: %s", row->why, shown);
		unload(l);
	}
}

Test(config_places, several_services_and_none_is_ours)
{
	struct loaded *l = load_with(
		"services:\n  A: {tracing: {sample_rate: 0.1}}\n  B: {tracing: {sample_rate: 0.2}}\n", NULL,
		"python3");

	cr_expect_eq(l->rc, 0);
	cr_expect(strstr(l->text, "t.yml:2:3: warning: several services have a tracing block and none is "
				  "named 'python3'; "
				  "set BTRACE_SERVICE"),
		  "%s", l->text);
	cr_expect_not(config_is_set(&l->config, CONFIG_sample_rate));
	unload(l);
}

Test(config_places, default_name_of_the_service_is_not_a_setting)
{
	struct loaded *l = load_with("tracing: {}\n", NULL, "nginx");

	cr_expect_str_eq(l->config.service_name, "nginx");
	cr_expect_not(config_is_set(&l->config, CONFIG_service_name));
	unload(l);
}

static const char *attribute(const struct config *c, const char *key)
{
	for (size_t i = 0; i < c->resource_attributes.n; i++)
		if (!strcmp(c->resource_attributes.pairs[i].key, key))
			return c->resource_attributes.pairs[i].value;
	return "";
}

Test(config_places, environment_beats_the_file_for_resource_attributes_key_by_key)
{
	struct loaded *l = load("tracing: {resource_attributes: {a: file, b: file, n: 3}}\n",
				"OTEL_RESOURCE_ATTRIBUTES=a=env, c=per%20cent%2C%3D ,d=");

	cr_expect_str_eq(attribute(&l->config, "a"), "env");
	cr_expect_str_eq(attribute(&l->config, "b"), "file");
	cr_expect_str_eq(attribute(&l->config, "n"), "3");
	cr_expect_str_eq(attribute(&l->config, "c"), "per cent,=");
	cr_expect_str_eq(attribute(&l->config, "d"), "");
	cr_expect_eq(l->config.resource_attributes.n, 5);
	unload(l);
}

Test(config_places, one_error_spoils_the_whole_of_OTEL_RESOURCE_ATTRIBUTES)
{
	static const char *const bad[] = { "a=1,b",     "a=1,=2",    "a=1,b=%4", "a=1,b=%zz",
					   "a=1,b=%ff", "a=1,%c3=b", "a=1,b=%0a" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char environment[128];
		struct loaded *l;

		snprintf(environment, sizeof(environment), "OTEL_RESOURCE_ATTRIBUTES=%s", bad[i]);
		l = load("tracing: {resource_attributes: {a: file}}\n", environment);
		cr_expect_eq(l->rc, 0, "a warning only");
		cr_expect(strstr(l->text, "OTEL_RESOURCE_ATTRIBUTES: warning: "), "%s: %s", bad[i], l->text);
		cr_expect_eq(l->config.resource_attributes.n, 1, "%s", bad[i]);
		cr_expect_str_eq(attribute(&l->config, "a"), "file");
		unload(l);
	}
}

Test(config_places, other_keys_of_a_bentoml_file_are_ignored_silently)
{
	struct loaded *l = load("version: 1\n"
				"api_server:\n"
				"  workers: 4\n"
				"  workers: 5\n" /* BentoML's business */
				"  http: {response: {trace_id: true}}\n"
				"runners: {resources: {nvidia.com/gpu: 1}}\n"
				"logging: {formatting: {trace_id_format: 032x}}\n"
				"services: {Summarization: {traffic: {timeout: 10}}, image: null}\n"
				"monitoring: {enabled: true}\n"
				"tracing: {exporter_type: zipkin, sample_rate: 1.0}\n",
				NULL);

	cr_expect_eq(l->rc, 0);
	cr_expect_str_empty(l->text);
	cr_expect(l->config.on);
	unload(l);
}
