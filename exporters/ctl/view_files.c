/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "exporters/ctl/trace_file.h"
#include "exporters/ctl/units.h"
#include "exporters/ctl/view_run.h"

static void add_footer(struct buf *out, const struct trace_set *set, size_t passed, size_t shown)
{
	uint64_t errors = 0;

	for (size_t i = 0; i < set->store->n; i++)
		errors += set->store->spans[i].status == MODEL_STATUS_ERROR;
	count_print(out, set->n);
	buf_add_text(out, set->n == 1 ? " trace, " : " traces, ");
	count_print(out, set->store->n);
	buf_add_text(out, set->store->n == 1 ? " span, " : " spans, ");
	count_print(out, errors);
	buf_add_text(out, errors == 1 ? " with an error" : " with errors");
	if (passed < set->n) {
		buf_add_text(out, "; ");
		count_print(out, passed);
		buf_add_text(out, " pass the filter");
	}
	if (shown < passed) {
		buf_add_text(out, "; the last ");
		count_print(out, shown);
		buf_add_text(out, " are shown, --limit 0 shows all");
	}
	buf_add_byte(out, '\n');
}

/* The table of routes counts the spans that pass the filter, of all traces and not only of those shown. */
static int add_routes(struct buf *out, const struct term *term, const struct view_options *o,
		      const struct trace_set *set)
{
	struct route_stats stats;
	int rc = 0;

	route_stats_init(&stats);
	for (size_t i = 0; i < set->store->n && !rc; i++)
		if (trace_filter_span(&o->filter, &set->store->spans[i]))
			rc = route_stats_add(&stats, &set->store->spans[i]);
	route_stats_finish(&stats);
	if (!rc && stats.n)
		view_routes(out, term, &stats);
	if (!rc && stats.n)
		buf_add_byte(out, '\n');
	route_stats_release(&stats);
	return rc;
}

static void flush(struct buf *out)
{
	if (out->n)
		fwrite(out->p, 1, out->n, stdout);
	buf_clear(out);
}

static int show(struct buf *out, const struct view_options *o, const struct trace_set *set, uint32_t *chosen)
{
	bool traces = !o->only || o->only[0] == 't', routes = !o->only || o->only[0] == 'r';
	size_t passed, n = trace_filter_choose(&o->filter, set, o->limit, chosen, &passed);
	struct view_layout layout = { .time = 0 };
	struct term term;
	int rc = 0;

	term_init(&term, STDOUT_FILENO, o->colour);
	if (traces && n && !o->json) {
		view_fit(&layout, &term, set, chosen, n);
		view_head(out, &term, &layout);
	}
	for (size_t i = 0; i < n && traces; i++) {
		if (o->json)
			view_trace_json(out, set, &set->traces[chosen[i]]);
		else
			view_trace(out, &term, &layout, set, &set->traces[chosen[i]]);
		flush(out);
	}
	if (o->json)
		return 0;
	if (traces && n)
		buf_add_byte(out, '\n');
	if (routes)
		rc = add_routes(out, &term, o, set);
	add_footer(out, set, passed, n);
	flush(out);
	return rc;
}

int view_files(const struct view_options *o, char *const *names, size_t n)
{
	struct trace_store store;
	struct trace_set set;
	struct buf out;
	uint32_t *chosen = NULL;
	int rc, read;

	trace_store_init(&store);
	buf_init(&out);
	read = trace_files_load(names, n, &store, stderr);
	rc = read < 0 ? read : trace_set_init(&set, &store);
	if (!rc) {
		chosen = calloc(set.n + 1, sizeof(*chosen));
		rc = chosen ? show(&out, o, &set, chosen) : -1;
		trace_set_release(&set);
	}
	free(chosen);
	buf_release(&out);
	trace_store_release(&store);
	return rc ? 2 : read;
}
