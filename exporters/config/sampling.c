/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exporters/config/loader.h"

static bool uses_rate(int sampler)
{
	return sampler == CONFIG_SAMPLER_PARENT_RATIO || sampler == CONFIG_SAMPLER_RATIO;
}

/* OTEL_TRACES_SAMPLER and _ARG. False: not set, or not one that we know (warned of). */
static bool environment_sampler(struct loader *l, int *sampler, double *rate)
{
	static const char variable[] = "OTEL_TRACES_SAMPLER", argument[] = "OTEL_TRACES_SAMPLER_ARG";
	const struct value_rules rules = { .environment = true };
	const char *name = environment_get(l->source->environment, variable);
	const char *arg = environment_get(l->source->environment, argument);
	const char *allowed = config_options[CONFIG_sampler].allowed;
	char meant[64];

	if (!name)
		return false;
	*sampler = option_choice(allowed, name);
	if (*sampler < 0) {
		value_refuse(l, CONFIG_sampler, name, (struct config_mark){ variable, 0, 0 }, &rules,
			     option_meant(allowed, name, meant));
		return false;
	}
	*rate = 1.0;
	if (arg && uses_rate(*sampler) && (!text_number(arg, rate) || !(*rate >= 0 && *rate <= 1))) {
		*rate = 1.0;
		value_refuse(l, CONFIG_sample_rate, arg, (struct config_mark){ argument, 0, 0 }, &rules,
			     NULL);
	}
	return true;
}

static void turn_off(struct loader *l, const char *why)
{
	l->config->on = false;
	l->config->why_off = why;
}

/* What the config is worth without a rate. False: off. */
static bool choose(struct loader *l, int *sampler, double *rate)
{
	struct config *c = l->config;
	bool rated = config_is_set(c, CONFIG_sample_rate), named = config_is_set(c, CONFIG_sampler);

	*sampler = named ? c->sampler : CONFIG_SAMPLER_PARENT_RATIO;
	*rate = c->sample_rate;
	if (rated || (named && !uses_rate(*sampler)))
		return true;
	if (!named && environment_sampler(l, sampler, rate))
		return true;
	if (l->alone && !named) {
		*sampler = CONFIG_SAMPLER_PARENT_ON;
		return true;
	}
	*rate = 1.0;
	return c->max_traces_per_second > 0;
}

static void warn_unused_rate(struct loader *l, int sampler)
{
	struct config *c = l->config;

	if (config_is_set(c, CONFIG_sample_rate) && !uses_rate(sampler))
		report_warning(l->report, c->marks[CONFIG_sample_rate],
			       "tracing.sample_rate has no effect with this sampler");
}

void sampling_finish(struct loader *l)
{
	struct config *c = l->config;
	struct config_sampling *s = &c->sampling;
	double rate;
	int sampler;

	*s = (struct config_sampling){ .root = POLICY_ROOT_NEVER };
	if (!c->on || loader_failed(l))
		return;
	if (!choose(l, &sampler, &rate)) {
		report_warning(
			l->report,
			c->marks[CONFIG_exporter_type].source ? c->marks[CONFIG_exporter_type]
							      : c->marks[CONFIG_zipkin_endpoint],
			"an exporter but no sample_rate: nothing is collected; add `sample_rate: 1.0` (all "
			"requests) or a smaller share below `tracing`");
		turn_off(l, "no sample_rate");
		return;
	}
	warn_unused_rate(l, sampler);
	s->parent = sampler == CONFIG_SAMPLER_RATIO || sampler == CONFIG_SAMPLER_ON ||
				    sampler == CONFIG_SAMPLER_OFF
			    ? POLICY_PARENT_IGNORE
			    : POLICY_PARENT_FOLLOW;
	s->rate = uses_rate(sampler)                                                    ? rate
		  : sampler == CONFIG_SAMPLER_ON || sampler == CONFIG_SAMPLER_PARENT_ON ? 1.0
											: 0.0;
	s->root = s->rate >= 1.0 ? POLICY_ROOT_ALWAYS : s->rate > 0 ? POLICY_ROOT_RATIO : POLICY_ROOT_NEVER;
	s->bound = policy_bound(s->rate);
	s->max_traces_per_second = (uint32_t)c->max_traces_per_second;
}

void propagators_finish(struct loader *l)
{
	static const struct {
		const char *name;
		enum policy_propagator propagator;
	} known[] = {
		{ "tracecontext", POLICY_PROPAGATOR_TRACECONTEXT },
		{ "baggage", POLICY_PROPAGATOR_BAGGAGE },
		{ "b3", POLICY_PROPAGATOR_B3 },
		{ "b3multi", POLICY_PROPAGATOR_B3MULTI },
		{ "jaeger", POLICY_PROPAGATOR_JAEGER },
	};
	const struct config_list *list = &l->config->propagators;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
			if (!strcmp(known[k].name, list->items[i].text) && n < sizeof(l->config->propagator))
				l->config->propagator[n++] = (uint8_t)known[k].propagator;
}

void conventions_finish(struct loader *l)
{
	const char *p = environment_get(l->source->environment, "OTEL_SEMCONV_STABILITY_OPT_IN");
	char word[64];

	if (config_is_set(l->config, CONFIG_semantic_conventions))
		return;
	while (option_word(&p, ',', word, sizeof(word)))
		if (!strcmp(word + strspn(word, " "), "http/dup"))
			l->config->semantic_conventions = CONFIG_CONVENTIONS_BOTH;
}
