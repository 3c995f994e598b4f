/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/trace_filter.h"

#include <string.h>
#include <strings.h>

#include "exporters/base/number.h"
#include "exporters/ctl/units.h"

static bool id_begins(const uint8_t *id, const char *digits)
{
	char text[32];
	size_t n = strlen(digits);

	number_hex(text, id, 16);
	return n <= sizeof(text) && !strncasecmp(text, digits, n);
}

bool trace_filter_span(const struct trace_filter *filter, const struct span *span)
{
	struct slice route = slice_of(filter->route);
	struct span_facts facts;

	if (filter->slower_than_ns && span_duration_ns(span) <= filter->slower_than_ns)
		return false;
	if (filter->trace && !id_begins(span->trace_id, filter->trace))
		return false;
	if (filter->service && !pattern_matches(slice_of(filter->service), span->resource->service_name))
		return false;
	if (!filter->route && !filter->method && !filter->status)
		return true;
	facts = span_facts(span);
	if (filter->route && !pattern_matches(route, facts.route) && !pattern_matches(route, facts.path))
		return false;
	if (filter->method && !slice_is(facts.method, filter->method))
		return false;
	return !filter->status || status_list_matches(slice_of(filter->status), facts.status, facts.failed);
}

bool trace_filter_trace(const struct trace_filter *filter, const struct trace_set *set,
			const struct trace *trace)
{
	for (uint32_t i = 0; i < trace->n; i++)
		if (trace_filter_span(filter, trace_set_span(set, &set->nodes[trace->first + i])))
			return true;
	return false;
}

size_t trace_filter_choose(const struct trace_filter *filter, const struct trace_set *set, size_t limit,
			   uint32_t *chosen, size_t *passed)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		if (trace_filter_trace(filter, set, &set->traces[i]))
			chosen[n++] = (uint32_t)i;
	*passed = n;
	if (!limit || n <= limit)
		return n;
	memmove(chosen, chosen + n - limit, limit * sizeof(*chosen));
	return limit;
}
