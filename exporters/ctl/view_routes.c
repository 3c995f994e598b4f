/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "exporters/ctl/units.h"
#include "exporters/ctl/view.h"

#define MIN_ROUTE 12
#define MAX_ROUTE 48
#define NUMBER    10
#define BUCKETS   16 /* columns of the little histogram: powers of two from 64 us to 2 s */
#define FIRST_NS  64000.0

static void add_count(struct buf *out, const struct term *term, uint64_t n, enum term_style style)
{
	struct buf text;

	buf_init(&text);
	count_print(&text, n);
	term_cell(term, out, (struct slice){ text.p, text.n }, -NUMBER, style);
	buf_release(&text);
}

static void add_duration(struct buf *out, const struct term *term, uint64_t ns)
{
	struct buf text;

	buf_init(&text);
	duration_print(&text, ns, term->utf8 ? "\xc2\xb5" : "u");
	term_cell(term, out, (struct slice){ text.p, text.n }, -NUMBER, STYLE_PLAIN);
	buf_release(&text);
}

static void add_histogram(struct buf *out, const struct term *term, const struct route_row *row)
{
	static const char *const utf8[] = { " ",      "\u2581", "\u2582", "\u2583", "\u2584",
					    "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii[] = { " ", ".", ".", ":", ":", "|", "|", "#", "#" };
	uint64_t counts[BUCKETS] = { 0 }, most = 1;

	for (uint64_t i = 0; i < row->requests; i++) {
		double level = log2((double)row->durations_ns[i] / FIRST_NS) + 1;
		unsigned bucket = level < 0 ? 0 : level < BUCKETS - 1 ? (unsigned)level : BUCKETS - 1;

		counts[bucket]++;
		most = counts[bucket] > most ? counts[bucket] : most;
	}
	term_style(term, out, STYLE_BLUE);
	for (unsigned i = 0; i < BUCKETS; i++)
		buf_add_text(out, (term->utf8 ? utf8 : ascii)[(counts[i] * 8 + most - 1) / most]);
	term_style(term, out, STYLE_PLAIN);
}

static void add_name(struct buf *name, const struct route_row *row)
{
	buf_clear(name);
	buf_add_slice(name, row->method);
	if (row->method.n)
		buf_add_byte(name, ' ');
	buf_add_slice(name, row->route);
}

static void add_head(struct buf *out, const struct term *term, unsigned service, unsigned name,
		     bool histogram)
{
	static const char *const numbers[] = { "REQUESTS", "ERRORS", "P50", "P95", "P99", "MAX" };

	if (service)
		term_cell(term, out, SLICE("SERVICE"), (int)service + 2, STYLE_DIM);
	term_cell(term, out, SLICE("ROUTE"), (int)name, STYLE_DIM);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		term_cell(term, out, slice_of(numbers[i]), -NUMBER, STYLE_DIM);
	if (histogram)
		term_cell(term, out, SLICE("  64us..2s"), BUCKETS, STYLE_DIM);
	buf_add_byte(out, '\n');
}

static void measure(const struct term *term, const struct route_stats *stats, unsigned *service,
		    unsigned *route)
{
	struct buf name;
	bool services = false;

	buf_init(&name);
	*service = 7;
	*route = MIN_ROUTE;
	for (size_t i = 0; i < stats->n; i++) {
		unsigned columns = term_columns(term, stats->rows[i].service);

		*service = columns > *service ? columns : *service;
		add_name(&name, &stats->rows[i]);
		columns = term_columns(term, (struct slice){ name.p, name.n });
		*route = columns > *route ? columns : *route;
		services |= !slice_equal(stats->rows[i].service, stats->rows[0].service);
	}
	buf_release(&name);
	*service = !services ? 0 : *service < 20 ? *service : 20;
	*route = *route < MAX_ROUTE ? *route : MAX_ROUTE;
}

void view_routes(struct buf *out, const struct term *term, const struct route_stats *stats)
{
	unsigned service, route, rest;
	struct buf name;
	bool histogram;

	measure(term, stats, &service, &route);
	rest = 6 * NUMBER + (service ? service + 2 : 0);
	if (rest + route > term->width)
		route = term->width > rest + MIN_ROUTE ? term->width - rest : MIN_ROUTE;
	histogram = rest + route + 2 + BUCKETS <= term->width;
	add_head(out, term, service, route, histogram);
	buf_init(&name);
	for (size_t i = 0; i < stats->n; i++) {
		const struct route_row *row = &stats->rows[i];

		if (service) {
			term_cell(term, out, row->service, (int)service, STYLE_CYAN);
			buf_add_text(out, "  ");
		}
		add_name(&name, row);
		term_cell(term, out, (struct slice){ name.p, name.n }, (int)route, STYLE_PLAIN);
		add_count(out, term, row->requests, STYLE_PLAIN);
		add_count(out, term, row->errors, row->errors ? STYLE_RED : STYLE_DIM);
		add_duration(out, term, route_row_percentile(row, 0.5));
		add_duration(out, term, route_row_percentile(row, 0.95));
		add_duration(out, term, route_row_percentile(row, 0.99));
		add_duration(out, term, route_row_percentile(row, 1));
		if (histogram) {
			buf_add_text(out, "  ");
			add_histogram(out, term, row);
		}
		buf_add_byte(out, '\n');
	}
	buf_release(&name);
}
