/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/span_facts.h"

#include <stdio.h>

#include "exporters/ctl/trace_store.h"

static struct slice text_of(const struct span *span, struct slice key, struct slice old_key)
{
	struct slice text = attributes_text(span->attributes, key);

	return text.n ? text : attributes_text(span->attributes, old_key);
}

static int status_of(const struct span *span)
{
	const struct value *value = attributes_find(span->attributes, SLICE("http.response.status_code"));

	if (!value)
		value = attributes_find(span->attributes, SLICE("http.status_code"));
	return value && value->type == VALUE_INT && value->integer >= 100 && value->integer <= 999
		       ? (int)value->integer
		       : 0;
}

static struct slice from_to(const char *from, const char *to)
{
	return (struct slice){ from, (size_t)(to - from) };
}

/* scheme://host/path?query#fragment, cut into host and path; a bare path is a path. */
static void cut_url(struct slice url, struct slice *host, struct slice *path)
{
	const char *end, *p = url.p, *slash;

	*host = *path = (struct slice){ NULL, 0 };
	if (!url.n)
		return;
	end = url.p + url.n;
	for (const char *q = p; q < end; q++) {
		if (*q == '?' || *q == '#') {
			end = q;
			break;
		}
	}
	for (const char *q = p; q + 3 <= end; q++) {
		if (q[0] == ':' && q[1] == '/' && q[2] == '/') {
			p = q + 3;
			break;
		}
	}
	slash = p < end ? memchr(p, '/', (size_t)(end - p)) : NULL;
	if (p > url.p)
		*host = from_to(p, slash ? slash : end);
	if (slash)
		*path = from_to(slash, end);
}

static struct slice route_of(const struct span *span, const struct span_facts *facts)
{
	struct slice route = attributes_text(span->attributes, SLICE("http.route"));
	struct slice name = span->name;
	size_t n = facts->method.n;

	if (route.n)
		return route;
	if (n && name.n > n + 1 && !memcmp(name.p, facts->method.p, n) && name.p[n] == ' ')
		return (struct slice){ name.p + n + 1, name.n - n - 1 };
	if (facts->path.n && (slice_equal(name, facts->method) || slice_is(name, "HTTP")))
		return facts->path;
	return name;
}

struct span_facts span_facts(const struct span *span)
{
	struct span_facts facts = { .duration_ns = span_duration_ns(span), .status = status_of(span) };
	struct slice no_host;
	char status[16];

	facts.method = text_of(span, SLICE("http.request.method"), SLICE("http.method"));
	if (slice_is(facts.method, "_OTHER")) {
		struct slice original =
			attributes_text(span->attributes, SLICE("http.request.method_original"));

		facts.method = original.n ? original : facts.method;
	}
	facts.path = attributes_text(span->attributes, SLICE("url.path"));
	if (!facts.path.n)
		cut_url(text_of(span, SLICE("url.full"), SLICE("http.url")), &facts.host, &facts.path);
	if (!facts.path.n)
		cut_url(attributes_text(span->attributes, SLICE("http.target")), &no_host, &facts.path);
	facts.failed = span->status == MODEL_STATUS_ERROR;
	snprintf(status, sizeof(status), "%d", facts.status);
	facts.error_type = attributes_text(span->attributes, SLICE("error.type"));
	if (slice_is(facts.error_type, status))
		facts.error_type = (struct slice){ NULL, 0 };
	facts.route = route_of(span, &facts);
	return facts;
}
