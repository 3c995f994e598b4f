/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/options.h"

#include "exporters/base/version.h"

static const struct slice known_methods[] = {
	{ "GET", 3 },     { "POST", 4 },    { "HEAD", 4 },  { "PUT", 3 },   { "DELETE", 6 },
	{ "OPTIONS", 7 }, { "CONNECT", 7 }, { "TRACE", 5 }, { "PATCH", 5 }, { "QUERY", 5 },
};

static const struct slice secret_headers[] = {
	{ "authorization", 13 }, { "proxy-authorization", 19 }, { "cookie", 6 }, { "set-cookie", 10 },
	{ "x-api-key", 9 },
};

#define SCHEMA "https://opentelemetry.io/schemas/1.43.0"

const struct scope span_scope = {
	.name = { "btrace", 6 },
	.version = { BTRACE_VERSION, sizeof BTRACE_VERSION - 1 },
	.schema_url = { SCHEMA, sizeof SCHEMA - 1 },
};

const struct scope span_scope_legacy = {
	.name = { "btrace", 6 },
	.version = { BTRACE_VERSION, sizeof BTRACE_VERSION - 1 },
	.schema_url = { "", 0 },
};

void span_options_init(struct span_options *o)
{
	*o = (struct span_options){
		.conventions = SPAN_CONVENTIONS_STABLE,
		.detail = SPAN_DETAIL_NORMAL,
		.trust = SPAN_TRUST_ALL,
		.redact_query = redact_default,
		.redact_headers = { secret_headers, sizeof secret_headers / sizeof *secret_headers },
		.known_methods = known_methods,
		.n_known_methods = sizeof known_methods / sizeof *known_methods,
		.attribute_limit = 128,
		.event_limit = 128,
		.link_limit = 128,
		.event_attribute_limit = 128,
		.value_chars = UINT32_MAX,
		.scope = &span_scope,
	};
}

void span_options_conventions(struct span_options *o, enum span_conventions conventions)
{
	o->conventions = conventions;
	o->scope = conventions == SPAN_CONVENTIONS_STABLE ? &span_scope : &span_scope_legacy;
}
