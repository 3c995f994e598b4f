/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"

struct row {
	const char *yaml; /* below tracing; NULL: no file */
	const char *environment;
	bool on;
	double rate;
	enum policy_root root;
	enum policy_parent parent;
	const char *what; /* in the description */
};

#define FOLLOW POLICY_PARENT_FOLLOW
#define IGNORE POLICY_PARENT_IGNORE

static const struct row rows[] = {
	{ "sample_rate: 0.3", NULL, true, 0.3, POLICY_ROOT_RATIO, FOLLOW, "30 % of new traces" },
	{ "sample_rate: 0.8", NULL, true, 0.8, POLICY_ROOT_RATIO, FOLLOW, "80 % of new traces" },
	{ "sample_rate: 1.0", NULL, true, 1, POLICY_ROOT_ALWAYS, FOLLOW, "100 % of new traces" },
	{ "sample_rate: 1", NULL, true, 1, POLICY_ROOT_ALWAYS, FOLLOW, "100 % of new traces" },
	{ "sample_rate: 0", NULL, true, 0, POLICY_ROOT_NEVER, FOLLOW, "only requests with a sampled parent" },
	{ "sample_rate: 0.0001", NULL, true, 0.0001, POLICY_ROOT_RATIO, FOLLOW, "0.01 % of new traces" },
	{ "timeout: 1", NULL, false, 0, POLICY_ROOT_NEVER, FOLLOW, "tracing is off: no sample_rate" },
	{ "sample_rate: null", NULL, false, 0, POLICY_ROOT_NEVER, FOLLOW, "tracing is off: no sample_rate" },
	{ "sampler: always_on", NULL, true, 1, POLICY_ROOT_ALWAYS, IGNORE, "100 % of all requests" },
	{ "sampler: always_off", NULL, true, 0, POLICY_ROOT_NEVER, IGNORE, "no request" },
	{ "sampler: parentbased_always_on", NULL, true, 1, POLICY_ROOT_ALWAYS, FOLLOW,
	  "100 % of new traces" },
	{ "sampler: parentbased_always_off", NULL, true, 0, POLICY_ROOT_NEVER, FOLLOW,
	  "only requests with a sampled parent" },
	{ "sampler: traceidratio, sample_rate: 0.25", NULL, true, 0.25, POLICY_ROOT_RATIO, IGNORE,
	  "25 % of all requests" },
	{ "sampler: parentbased_traceidratio, sample_rate: 0.25", NULL, true, 0.25, POLICY_ROOT_RATIO, FOLLOW,
	  "25 % of new traces" },
	{ "sampler: traceidratio", NULL, false, 0, POLICY_ROOT_NEVER, FOLLOW, "no sample_rate" },
	{ "sampler: parentbased_traceidratio", NULL, false, 0, POLICY_ROOT_NEVER, FOLLOW, "no sample_rate" },
	{ "max_traces_per_second: 100", NULL, true, 1, POLICY_ROOT_ALWAYS, FOLLOW,
	  "100 % of new traces, at most 100 per second" },
	{ "max_traces_per_second: 100, sample_rate: 0.5", NULL, true, 0.5, POLICY_ROOT_RATIO, FOLLOW,
	  "50 % of new traces, at most 100 per second" },
	{ "max_traces_per_second: 0", NULL, false, 0, POLICY_ROOT_NEVER, FOLLOW, "no sample_rate" },
	/* the environment fills in what the file leaves open */
	{ "timeout: 1", "OTEL_TRACES_SAMPLER=always_on", true, 1, POLICY_ROOT_ALWAYS, IGNORE,
	  "100 % of all requests" },
	{ "timeout: 1", "OTEL_TRACES_SAMPLER=parentbased_traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.25", true,
	  0.25, POLICY_ROOT_RATIO, FOLLOW, "25 % of new traces" },
	{ "timeout: 1", "OTEL_TRACES_SAMPLER_ARG=0.25", false, 0, POLICY_ROOT_NEVER, FOLLOW,
	  "no sample_rate" },
	{ "sample_rate: 0.5", "OTEL_TRACES_SAMPLER=always_off", true, 0.5, POLICY_ROOT_RATIO, FOLLOW,
	  "50 % of new traces" },
	{ "sampler: always_on", "OTEL_TRACES_SAMPLER=always_off", true, 1, POLICY_ROOT_ALWAYS, IGNORE,
	  "100 %" },
	/* the environment alone */
	{ NULL, "", true, 1, POLICY_ROOT_ALWAYS, FOLLOW, "100 % of new traces" },
	{ NULL, "OTEL_TRACES_SAMPLER=always_on", true, 1, POLICY_ROOT_ALWAYS, IGNORE,
	  "100 % of all requests" },
	{ NULL, "OTEL_TRACES_SAMPLER=always_off", true, 0, POLICY_ROOT_NEVER, IGNORE, "no request" },
	{ NULL, "OTEL_TRACES_SAMPLER=PARENTBASED_ALWAYS_OFF", true, 0, POLICY_ROOT_NEVER, FOLLOW,
	  "sampled parent" },
	{ NULL, "OTEL_TRACES_SAMPLER=traceidratio", true, 1, POLICY_ROOT_ALWAYS, IGNORE,
	  "100 % of all requests" },
	{ NULL, "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.1", true, 0.1, POLICY_ROOT_RATIO,
	  IGNORE, "10 %" },
	{ NULL, "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=x", true, 1, POLICY_ROOT_ALWAYS,
	  IGNORE, "100 %" },
	{ NULL, "OTEL_TRACES_SAMPLER=jaeger_remote", true, 1, POLICY_ROOT_ALWAYS, FOLLOW,
	  "100 % of new traces" },
	{ NULL, "OTEL_TRACES_SAMPLER_ARG=0.1", true, 1, POLICY_ROOT_ALWAYS, FOLLOW, "100 % of new traces" },
	/* a config without a file is one all the same */
	{ NULL, "BENTOML_CONFIG_OPTIONS=tracing.exporter_type=zipkin", false, 0, POLICY_ROOT_NEVER, FOLLOW,
	  "no sample_rate" },
	{ NULL, "BENTOML_CONFIG_OPTIONS=tracing.sample_rate=0.5", true, 0.5, POLICY_ROOT_RATIO, FOLLOW,
	  "50 %" },
};

Test(config_sampling, rule_and_rate)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		char yaml[512], environment[512], what[1024];
		struct loaded *l;
		const struct config_sampling *s;

		snprintf(yaml, sizeof(yaml), "tracing: {exporter_type: zipkin, %s}\n",
			 row->yaml ? row->yaml : "");
		snprintf(environment, sizeof(environment), "%s%s", row->environment ? row->environment : "",
			 row->yaml ? "" : "\nOTEL_TRACES_EXPORTER=zipkin");
		l = load(row->yaml ? yaml : NULL, environment);
		s = &l->config.sampling;
		cr_assert_eq(l->rc, 0, "row %zu: %s", i, l->text);
		cr_expect_eq(l->config.on, row->on, "row %zu: %s", i, l->text);
		cr_expect_eq(s->rate, row->rate, "row %zu: %g", i, s->rate);
		cr_expect_eq(s->bound, policy_bound(row->rate));
		cr_expect_eq(s->root, row->root, "row %zu", i);
		cr_expect_eq(s->parent, row->parent, "row %zu", i);
		cr_expect(strstr(describe(l, what), row->what), "row %zu: %s", i, what);
		unload(l);
	}
}

Test(config_sampling, exporter_without_a_rate_is_warned_of_once_with_the_remedy)
{
	static const char *const files[] = {
		"tracing:\n  type: jaeger\n  jaeger:\n    address: h\n    port: 1\n",
		"tracing:\n  exporter_type: [zipkin, console]\n",
		"api_server:\n  tracing:\n    exporter_type: otlp\n",
		"tracing:\n  zipkin:\n    url: http://z/x\n",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct loaded *l = load(files[i], NULL);

		cr_expect_eq(l->rc, 0, "a warning, no error");
		cr_expect_not(l->config.on);
		cr_expect_eq(l->report.warnings, 1, "%s", l->text);
		cr_expect(strstr(l->text, "add `sample_rate: 1.0`"), "%s", l->text);
		cr_expect_gt(l->report.messages[0].mark.line, 1, "it stands where the exporter is named");
		unload(l);
	}
}

Test(config_sampling, rate_beside_a_sampler_that_has_none_is_told)
{
	struct loaded *l =
		load("tracing: {exporter_type: zipkin, sampler: always_on, sample_rate: 0.5}\n", NULL);

	cr_expect(l->config.on);
	cr_expect(strstr(l->text, "sample_rate has no effect with this sampler"), "%s", l->text);
	unload(l);
}

Test(config_sampling, propagators_in_the_order_given)
{
	struct loaded *l = load("tracing: {propagators: [b3, jaeger, b3multi, tracecontext, b3]}\n", NULL);
	static const uint8_t expected[8] = { POLICY_PROPAGATOR_B3, POLICY_PROPAGATOR_JAEGER,
					     POLICY_PROPAGATOR_B3MULTI, POLICY_PROPAGATOR_TRACECONTEXT };

	cr_expect_arr_eq(l->config.propagator, expected, 8);
	unload(l);
	l = load("tracing: {propagators: none}\n", NULL);
	cr_expect_eq(l->config.propagator[0], POLICY_PROPAGATOR_NONE);
	unload(l);
}

Test(config_sampling, conventions_of_the_environment)
{
	static const struct {
		const char *yaml, *environment;
		enum config_conventions conventions;
	} table[] = {
		{ "tracing: {}\n", "OTEL_SEMCONV_STABILITY_OPT_IN=http/dup", CONFIG_CONVENTIONS_BOTH },
		{ "tracing: {}\n", "OTEL_SEMCONV_STABILITY_OPT_IN=database, http/dup",
		  CONFIG_CONVENTIONS_BOTH },
		{ "tracing: {}\n", "OTEL_SEMCONV_STABILITY_OPT_IN=http", CONFIG_CONVENTIONS_STABLE },
		{ "tracing: {semantic_conventions: legacy}\n", "OTEL_SEMCONV_STABILITY_OPT_IN=http/dup",
		  CONFIG_CONVENTIONS_LEGACY },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct loaded *l = load(table[i].yaml, table[i].environment);

		cr_expect_eq(l->config.semantic_conventions, table[i].conventions, "row %zu", i);
		unload(l);
	}
}

Test(config_sampling, description_tells_what_else_happens)
{
	struct loaded *l = load("tracing: {exporter_type: zipkin, sample_rate: 0.5, keep: {errors: true, "
				"slower_than: 1500ms}, "
				"excluded_urls: 'a,b', routes: [/x], service_name: shop}\n",
				NULL);
	char what[1024];

	cr_expect_str_eq(describe(l, what),
			 "zipkin to http://localhost:9411/api/v2/spans, 50 % of new traces, 2 excluded "
			 "patterns, kept in any case: errors and slower than 1500 ms, 1 route, service shop");
	cr_expect_gt(l->config.exclusion.n, 0, "the patterns are compiled");
	unload(l);
}
