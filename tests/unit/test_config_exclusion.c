/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* From the text of excluded_urls in a file to what is excluded: the table of what BentoML does. */
#include "shim/abi/automaton.h"
#include "tests/unit/config_helper.h"

static bool is_excluded(const struct config *config, const char *url)
{
	struct automaton a;

	if (!automaton_open(&a, config->exclusion.p, config->exclusion.n))
		return false;
	automaton_feed(&a, url, strlen(url));
	return automaton_end(&a);
}

static const char *const urls[3] = {
	"http://127.0.0.1:3000/metrics",
	"http://127.0.0.1:3000/summarize",
	"http://127.0.0.1:3000/v1/metrics_x",
};

static const struct {
	const char *value; /* as in the file */
	bool excluded[3];
} rows[] = {
	{ "readyz,livez,healthz,static_content,docs,metrics", { 1, 0, 1 } },
	{ "readyz, livez,\thealthz , metrics", { 1, 0, 1 } },
	{ "[readyz, livez, healthz, static_content, docs, metrics]", { 1, 0, 1 } },
	{ "'/metrics$'", { 1, 0, 0 } },
	{ "['/metrics$']", { 1, 0, 0 } },
	{ "^/metrics", { 0, 0, 0 } },
	{ "^http://127.0.0.1:3000/metrics", { 1, 0, 0 } },
	{ "METRICS", { 0, 0, 0 } },
	{ "3000", { 1, 1, 1 } },
	{ "127.0.0.1", { 1, 1, 1 } },
	{ "http", { 1, 1, 1 } },
	{ "a=1", { 0, 0, 0 } },
	{ "'summarize?a=1'", { 0, 0, 0 } },
	/* empty pieces exclude everything there; here they are nothing */
	{ "'summ,'", { 0, 1, 0 } },
	{ "','", { 0, 0, 0 } },
	{ "' '", { 0, 0, 0 } },
	{ "['']", { 0, 0, 0 } },
	{ "['', summ]", { 0, 1, 0 } },
	{ "''", { 0, 0, 0 } },
	{ "[]", { 0, 0, 0 } },
	{ "null", { 0, 0, 0 } },
	/* items of a list are neither stripped nor split, a string is */
	{ "['metrics ']", { 0, 0, 0 } },
	{ "'metrics '", { 1, 0, 1 } },
	{ "['b,metrics']", { 0, 0, 0 } },
	{ "'b,metrics'", { 1, 0, 1 } },
	{ "'\\d{2,3}'", { 0, 0, 0 } },
	{ "['\\d{2,3}']", { 1, 1, 1 } },
};

Test(config_exclusion, values_mean_what_they_mean_in_bentoml)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char yaml[256];
		struct loaded *l;

		snprintf(yaml, sizeof(yaml),
			 "tracing:\n  exporter_type: console\n  sample_rate: 1\n  excluded_urls: %s\n",
			 rows[i].value);
		l = load(yaml, NULL);
		cr_expect_eq(l->rc, 0, "%s", l->text);
		for (int u = 0; u < 3; u++)
			cr_expect_eq(is_excluded(&l->config, urls[u]), rows[i].excluded[u], "%s on %s",
				     rows[i].value, urls[u]);
		unload(l);
	}
}

Test(config_exclusion, a_pattern_that_is_none_is_an_error_where_it_stands)
{
	struct loaded *l =
		load("tracing:\n  exporter_type: console\n  sample_rate: 1\n  excluded_urls: '['\n", NULL);

	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "t.yml:4:19: error: tracing.excluded_urls"), "%s", l->text);
	cr_expect_eq(l->config.exclusion.n, 0);
	unload(l);
}
