/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "exporters/config/config.h"

static void describe_sampling(const struct config *c, struct buf *out)
{
	const struct config_sampling *s = &c->sampling;

	if (s->root == POLICY_ROOT_NEVER)
		buf_add_text(out, s->parent == POLICY_PARENT_FOLLOW
					  ? "no new traces, only requests with a sampled parent"
					  : "no request");
	else
		buf_printf(out, "%.6g %% of %s", s->rate * 100,
			   s->parent == POLICY_PARENT_FOLLOW ? "new traces" : "all requests");
	if (s->max_traces_per_second)
		buf_printf(out, ", at most %u per second", s->max_traces_per_second);
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

void config_describe(const struct config *c, struct buf *out)
{
	if (!c->on) {
		buf_printf(out, "tracing is off: %s", c->why_off ? c->why_off : "not configured");
		return;
	}
	for (size_t i = 0; i < c->n_exporters; i++)
		buf_printf(out, "%s%s", i ? " and " : "", c->exporters[i].what);
	buf_add_text(out, ", ");
	describe_sampling(c, out);
	if (c->client_only && c->client_spans)
		buf_add_text(out, ", programs that never serve as well");
	if (c->excluded_urls.n)
		buf_printf(out, ", %zu excluded pattern%s", c->excluded_urls.n, plural(c->excluded_urls.n));
	if (c->keep_errors || c->keep_slower_than_ns) {
		buf_add_text(out, ", kept in any case:");
		if (c->keep_errors)
			buf_add_text(out, " errors");
		if (c->keep_slower_than_ns)
			buf_printf(out, "%s slower than %.6g ms", c->keep_errors ? " and" : "",
				   (double)c->keep_slower_than_ns / 1e6);
	}
	if (c->routes.n)
		buf_printf(out, ", %zu route%s", c->routes.n, plural(c->routes.n));
	if (c->service_name)
		buf_printf(out, ", service %s", c->service_name);
}
