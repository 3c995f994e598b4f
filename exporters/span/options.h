/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SPAN_OPTIONS_H
#define BTRACE_SPAN_OPTIONS_H

/*
 * What the config says of the contents of spans. Filled by the session, read
 * by exporters/span; lists are borrowed and outlive the options.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/span/model.h"
#include "exporters/span/redact.h"

enum span_conventions { /* bits */
			SPAN_CONVENTIONS_STABLE = 1,
			SPAN_CONVENTIONS_LEGACY = 2, /* names of 2022 (BentoML) */
			SPAN_CONVENTIONS_BOTH = 3,
};

enum span_detail {
	SPAN_DETAIL_MINIMAL, /* what the conventions require or recommend, nothing else */
	SPAN_DETAIL_NORMAL,  /* and body sizes, timing (btrace.*_ns), transport of UNIX sockets */
	SPAN_DETAIL_FULL,    /* and the opt-in attributes, connection and request number */
};

/* Whom to believe Forwarded, X-Forwarded-* and the PROXY protocol. */
enum span_trust {
	SPAN_TRUST_ALL,
	SPAN_TRUST_PRIVATE, /* peers on loopback, private networks and UNIX sockets */
	SPAN_TRUST_NONE,
};

/* Gives the low-cardinality route of a request, or an empty slice; the result outlives the batch and is
 * UTF-8. */
struct span_router {
	struct slice (*find)(void *state, struct slice service, struct slice method, struct slice path,
			     unsigned int status);
	void *state;
};

struct span_options {
	enum span_conventions conventions;
	enum span_detail detail;
	enum span_trust trust;
	bool child_spans;                  /* for the caller: call span_children() */
	struct redact_list redact_query;   /* keys in queries and path parameters */
	struct redact_list redact_headers; /* captured headers whose value is not told, lower case */
	const struct slice *known_methods; /* replaces the whole list; case-sensitive */
	size_t n_known_methods;
	uint32_t attribute_limit, event_limit, link_limit; /* a span; UINT32_MAX: none */
	uint32_t event_attribute_limit;                    /* an event */
	uint32_t value_chars;      /* characters of a string value; UINT32_MAX: none */
	struct span_router router; /* find NULL: no routes */
	const struct scope *scope;
};

/*
 * Defaults: stable names, normal detail, everybody trusted, the lists of the
 * conventions (and authorization, proxy-authorization, cookie, set-cookie for
 * headers), limits 128, no route, span_scope.
 */
void span_options_init(struct span_options *o);

/* The conventions and the scope that goes with them. */
void span_options_conventions(struct span_options *o, enum span_conventions conventions);

/* Instrumentation scope "btrace", our version, and the schema of the names in names.def. */
extern const struct scope span_scope;
extern const struct scope span_scope_legacy; /* no schema URL: its names are of no single version */

#endif
