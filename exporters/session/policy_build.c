/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/policy_build.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/http/http1.h"

/* Header fields without which a span would be poorer, whatever the config says. */
#define FIELDS_ALWAYS                                                                          \
	(1u << HTTP1_FIELD_HOST | 1u << HTTP1_FIELD_USER_AGENT | 1u << HTTP1_FIELD_FORWARDED | \
	 1u << HTTP1_FIELD_X_FORWARDED_FOR | 1u << HTTP1_FIELD_X_FORWARDED_HOST |              \
	 1u << HTTP1_FIELD_X_FORWARDED_PROTO)

static uint32_t fields_of(const uint8_t propagators[8], bool inject)
{
	uint32_t fields = FIELDS_ALWAYS;

	for (int i = 0; i < 8; i++)
		switch (propagators[i]) {
		case POLICY_PROPAGATOR_TRACECONTEXT:
			fields |= 1u << HTTP1_FIELD_TRACEPARENT | 1u << HTTP1_FIELD_TRACESTATE;
			break;
		case POLICY_PROPAGATOR_B3:
		case POLICY_PROPAGATOR_B3MULTI:
			fields |= 1u << HTTP1_FIELD_B3 | 1u << HTTP1_FIELD_X_B3_TRACEID |
				  1u << HTTP1_FIELD_X_B3_SPANID | 1u << HTTP1_FIELD_X_B3_SAMPLED |
				  1u << HTTP1_FIELD_X_B3_FLAGS;
			break;
		case POLICY_PROPAGATOR_BAGGAGE: /* to be handed on */
			fields |= inject ? 1u << HTTP1_FIELD_BAGGAGE : 0;
			break;
		case POLICY_PROPAGATOR_JAEGER: fields |= 1u << HTTP1_FIELD_UBER_TRACE_ID; break;
		default: break;
		}
	return fields;
}

static uint32_t flags_of(const struct config *config)
{
	uint32_t flags = 0;

	if (config->detail != CONFIG_DETAIL_MINIMAL)
		flags |= POLICY_FLAG_FULL_TIMING;
	if (config->keep_errors || config->keep_slower_than_ns)
		flags |= POLICY_FLAG_KEEP_TAIL;
	if (config->excluded_urls_host == CONFIG_HOST_HEADER)
		flags |= POLICY_FLAG_URL_FROM_HOST;
	if (config->client_spans)
		flags |= POLICY_FLAG_CLIENT_SPANS;
	if (config->client_spans && config->client_only)
		flags |= POLICY_FLAG_CLIENT_ONLY;
	if (config->client_spans && config->inject)
		flags |= POLICY_FLAG_INJECT;
	return flags;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the names in lower case and sorted, as the parser wants them; how many there was room for. */
static uint16_t add_captured(const struct config_list *list, struct policy *policy, size_t *used, size_t have)
{
	char names[POLICY_CAPTURED_MAX][HTTP1_NAME_MAX + 1];
	const char *sorted[POLICY_CAPTURED_MAX] = { NULL };
	uint16_t n = 0, added = 0;

	for (size_t i = 0; i < list->n && have + n < POLICY_CAPTURED_MAX; i++) {
		size_t length = strlen(list->items[i].text);

		if (!length || length > HTTP1_NAME_MAX)
			continue;
		for (size_t k = 0; k <= length; k++)
			names[n][k] = (char)tolower((unsigned char)list->items[i].text[k]);
		sorted[n] = names[n];
		n++;
	}
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (uint16_t i = 0; i < n; i++) {
		size_t bytes = strlen(sorted[i]) + 1;

		if (*used + bytes > POLICY_CAPTURED_BYTES || (i && !strcmp(sorted[i], sorted[i - 1])))
			continue;
		memcpy(policy->captured + *used, sorted[i], bytes);
		*used += bytes;
		added++;
	}
	return added;
}

static bool is_listed(const struct config_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcasecmp(list->items[i].text, name))
			return true;
	return false;
}

static void add_all_captured(const struct config *config, struct policy *policy)
{
	uint32_t n;
	size_t used = 0;
	const char *name = policy->captured;

	policy->captured_request = add_captured(&config->capture_request, policy, &used, 0);
	policy->captured_response =
		add_captured(&config->capture_response, policy, &used, policy->captured_request);
	n = (uint32_t)policy->captured_request + policy->captured_response;
	for (uint32_t i = 0; i < n; i++, name += strlen(name) + 1)
		if (is_listed(&config->redact_headers, name))
			policy->captured_secret |= 1u << i;
}

/* What there is no room for is redacted in the exporter alone. */
static void add_redacted(const struct config_list *list, struct policy *policy)
{
	for (size_t i = 0; i < list->n && i < POLICY_REDACTED_MAX; i++)
		policy->redacted[policy->n_redacted++] =
			policy_key_hash(list->items[i].text, strlen(list->items[i].text));
}

static void add_hosts(const struct config_list *list, char sign, struct policy *policy)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(list->items[i].text);
		uint32_t at = policy->inject_hosts_bytes;

		if (at >= POLICY_INJECT_HOSTS || n + 2 > POLICY_INJECT_HOSTS - at) {
			policy->inject_hosts_bytes = UINT32_MAX; /* rather none than one that was not to be */
			return;
		}
		policy->inject_hosts[at] = sign;
		memcpy(policy->inject_hosts + at + 1, list->items[i].text, n + 1);
		policy->inject_hosts_bytes = at + (uint32_t)n + 2;
	}
}

void policy_build(struct table *t, const struct config *config)
{
	uint32_t version;
	struct policy *policy = table_next_policy(t, &version);

	memset(policy, 0, sizeof(*policy));
	/* config_load() has seen to its size */
	if (config->exclusion.n && config->exclusion.n <= POLICY_BYTES - POLICY_HEAD_BYTES) {
		memcpy((uint8_t *)policy + POLICY_HEAD_BYTES, config->exclusion.p, config->exclusion.n);
		policy->automaton_bytes = (uint32_t)config->exclusion.n;
	}
	policy->version = version;
	policy->mode = config->on ? POLICY_ON : POLICY_OFF;
	policy->sample_bound = config->sampling.bound;
	policy->root = config->sampling.root;
	policy->parent = config->sampling.parent;
	policy->rate_limit = config->sampling.max_traces_per_second;
	policy->keep_slower_ns = config->keep_slower_than_ns;
	memcpy(policy->propagators, config->propagator, sizeof(policy->propagators));
	policy->wanted_fields = fields_of(config->propagator, config->client_spans && config->inject);
	policy->flags = flags_of(config);
	add_all_captured(config, policy);
	add_hosts(&config->inject_allow, '+', policy);
	add_hosts(&config->inject_deny, '-', policy);
	add_redacted(&config->redact_query, policy);
	table_publish_policy(t, version);
}

void policy_build_off(struct table *t)
{
	uint32_t version;
	struct policy *policy = table_next_policy(t, &version);

	memset(policy, 0, sizeof(*policy));
	policy->version = version;
	policy->mode = POLICY_OFF;
	table_publish_policy(t, version);
}
