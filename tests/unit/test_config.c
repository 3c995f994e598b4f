/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"

Test(config, samples_of_the_guides)
{
	static const struct {
		const char *file, *what;
		bool on;
		double rate;
		size_t excluded;
	} table[] = {
		{ "guide-013-1", "jaeger thrift over UDP to localhost:6831", false, 0, 0 },
		{ "guide-013-2", "zipkin to http://localhost:9411/api/v2/spans", false, 0, 0 },
		{ "guide-013-3", "jaeger thrift over UDP to localhost:6831", false, 0, 0 },
		{ "guide-1x-1", "jaeger thrift over UDP to localhost:6831", true, 0.8, 0 },
		{ "guide-1x-2", "zipkin to http://localhost:9411/api/v2/spans", true, 1, 0 },
		{ "guide-1x-3", "jaeger thrift over UDP to localhost:6831", true, 1, 0 },
		{ "guide-1x-4", "jaeger thrift over UDP to localhost:6831", true, 1, 6 },
		{ "guide-1x-5", "otlp over gRPC to http://localhost:4317", true, 1, 0 },
		{ "guide-1x-6", "otlp over HTTP to http://localhost:4318/v1/traces", true, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct config_source source = CONFIG_SOURCE_INIT;
		struct config_report report = CONFIG_REPORT_INIT;
		struct config config;
		char path[128];

		snprintf(path, sizeof(path), "tests/config/samples/%s.yml", table[i].file);
		source.path = path;
		cr_assert_eq(config_load(&config, &source, &report), 0, "%s", path);
		cr_assert_eq(config.n_exporters, 1);
		cr_expect_str_eq(config.exporters[0].what, table[i].what);
		cr_expect_eq(config.on, table[i].on);
		cr_expect_eq(report.warnings, table[i].on ? 0 : 1,
			     "only the files without a rate are warned of");
		cr_expect_eq(config.sampling.rate, table[i].rate);
		cr_expect_eq(config.excluded_urls.n, table[i].excluded);
		config_release(&config);
		config_report_release(&report);
	}
}

Test(config, rate_out_of_the_environment_makes_an_old_file_work)
{
	struct loaded *l =
		load("tracing:\n  type: jaeger\n  jaeger:\n    address: localhost\n    port: 6831\n",
		     "BENTOML_CONFIG_OPTIONS=tracing.sample_rate=0.3");

	cr_assert_eq(l->rc, 0);
	cr_expect(l->config.on);
	cr_expect_eq(l->config.sampling.rate, 0.3);
	cr_expect_eq(l->config.sampling.bound, policy_bound(0.3));
	cr_expect_str_empty(l->text);
	unload(l);
}
