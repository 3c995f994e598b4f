/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "exporters/ctl/span_facts.h"
#include "exporters/ctl/units.h"
#include "exporters/ctl/view.h"

#define MAX_INDENT  12 /* levels; deeper spans stand at this one */
#define MAX_SERVICE 20
#define MIN_BAR     10
#define MAX_BAR     60
#define MAX_EVENTS  3 /* named in a row */

struct glyphs {
	const char *branch, *corner, *line, *arrow, *event;
};

static const struct glyphs *glyphs_of(const struct term *term)
{
	static const struct glyphs utf8 = { "\u251c ", "\u2514 ", "\u2502 ", "\u2192 ", "  \u00b7 " };
	static const struct glyphs ascii = { "|-", "`-", "| ", "> ", "  * " };

	return term->utf8 ? &utf8 : &ascii;
}

/* "GET", "GET /users/{id}", "HTTP /users": named by convention, so that method and path say more than the
 * name. */
static bool is_conventional(struct slice name, struct slice method)
{
	struct slice first = { name.p, 0 };

	while (first.n < name.n && name.p[first.n] != ' ')
		first.n++;
	return method.n && (!name.n || slice_equal(first, method) || slice_is(first, "HTTP"));
}

/* What the span did: "GET /users/42"; "> GET shop:80/items" for a client; else its name. */
static void add_label(struct buf *out, const struct term *term, const struct span *span,
		      const struct span_facts *facts)
{
	if (span->kind == MODEL_KIND_CLIENT || span->kind == MODEL_KIND_PRODUCER)
		buf_add_text(out, glyphs_of(term)->arrow);
	if (!facts->path.n || !is_conventional(span->name, facts->method)) {
		buf_add_slice(out, span->name.n ? span->name : SLICE("(no name)"));
		return;
	}
	buf_add_slice(out, facts->method);
	buf_add_byte(out, ' ');
	if (span->kind == MODEL_KIND_CLIENT)
		buf_add_slice(out, facts->host);
	buf_add_slice(out, facts->path);
}

/* What happened in it; an exception is told as its error. */
static void add_events(struct buf *out, const struct term *term, const struct span *span)
{
	size_t shown = 0;

	for (size_t i = 0; i < span->n_events && shown < MAX_EVENTS; i++) {
		if (slice_is(span->events[i].name, "exception"))
			continue;
		buf_add_text(out, glyphs_of(term)->event);
		buf_add_slice(out, span->events[i].name);
		shown++;
	}
}

/* Everything of a row that is text, so that it can be measured before it is shown. */
struct row {
	const struct span *span;
	struct span_facts facts;
	struct buf label;
	unsigned indent;
};

static void row_fill(struct row *row, const struct term *term, const struct trace_set *set,
		     const struct trace_node *node)
{
	row->span = trace_set_span(set, node);
	row->facts = span_facts(row->span);
	row->indent = node->depth < MAX_INDENT ? node->depth : MAX_INDENT;
	buf_clear(&row->label);
	add_label(&row->label, term, row->span, &row->facts);
	if (row->facts.error_type.n && row->facts.failed) {
		buf_add_text(&row->label, "  ! ");
		buf_add_slice(&row->label, row->facts.error_type);
	}
	add_events(&row->label, term, row->span);
}

static unsigned at_most(unsigned value, unsigned limit) { return value < limit ? value : limit; }

void view_fit(struct view_layout *layout, const struct term *term, const struct trace_set *set,
	      const uint32_t *chosen, size_t n)
{
	struct slice service = { NULL, 0 };
	bool services = layout->service > 0;
	struct row row = { .span = NULL };
	unsigned fixed, rest;

	layout->time = 12;
	layout->service = layout->service > 7 ? layout->service : 7;
	layout->request = layout->request > 7 ? layout->request : 7;
	layout->status = 6;
	layout->duration = 9;
	for (size_t i = 0; i < n; i++) {
		const struct trace *trace = &set->traces[chosen[i]];

		if (trace->n == 1 && trace->end_unix_ns - trace->start_unix_ns > layout->slowest_ns)
			layout->slowest_ns = trace->end_unix_ns - trace->start_unix_ns;
		for (uint32_t k = 0; k < trace->n; k++) {
			unsigned columns;

			row_fill(&row, term, set, &set->nodes[trace->first + k]);
			columns = term_columns(term, (struct slice){ row.label.p, row.label.n }) +
				  2 * row.indent;
			layout->request = columns > layout->request ? columns : layout->request;
			columns = term_columns(term, row.span->resource->service_name);
			layout->service = columns > layout->service ? columns : layout->service;
			services |= service.p && !slice_equal(service, row.span->resource->service_name);
			service = row.span->resource->service_name;
		}
	}
	buf_release(&row.label);
	layout->service = services ? at_most(layout->service, MAX_SERVICE) : 0;
	fixed = layout->time + layout->status + layout->duration + 6 + (services ? layout->service + 2 : 0);
	rest = term->width > fixed + 20 ? term->width - fixed : 20;
	layout->request = at_most(layout->request, rest - MIN_BAR - 2);
	layout->bar = at_most(rest - layout->request - 2, MAX_BAR);
}

void view_head(struct buf *out, const struct term *term, const struct view_layout *layout)
{
	term_cell(term, out, SLICE("TIME"), (int)layout->time + 2, STYLE_DIM);
	if (layout->service)
		term_cell(term, out, SLICE("SERVICE"), (int)layout->service + 2, STYLE_DIM);
	term_cell(term, out, SLICE("REQUEST"), (int)layout->request + 2, STYLE_DIM);
	term_cell(term, out, SLICE("STATUS"), (int)layout->status, STYLE_DIM);
	term_cell(term, out, SLICE("DURATION"), -(int)layout->duration - 2, STYLE_DIM);
	buf_add_byte(out, '\n');
}

static void add_time(struct buf *out, const struct term *term, const struct view_layout *layout,
		     uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		snprintf(text, sizeof(text), "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
			 (unsigned)(unix_ns / 1000000 % 1000));
	term_cell(term, out, slice_of(text), (int)layout->time, STYLE_DIM);
	buf_add_text(out, "  ");
}

/* The lines of the tree before a span's label: which of its ancestors have more children to come. */
static void add_branches(struct buf *out, const struct term *term, const struct trace_set *set,
			 const struct trace_node *node, unsigned indent)
{
	const struct glyphs *glyphs = glyphs_of(term);
	bool more[MAX_INDENT + 1] = { false };
	const struct trace_node *at = node;

	for (unsigned level = indent; level > 0; level--) {
		more[level] = !at->last;
		at = &set->nodes[at->parent];
	}
	term_style(term, out, STYLE_DIM);
	for (unsigned level = 1; level < indent; level++)
		buf_add_text(out, more[level] ? glyphs->line : "  ");
	if (indent)
		buf_add_text(out, more[indent] ? glyphs->branch : glyphs->corner);
	term_style(term, out, STYLE_PLAIN);
}

static enum term_style status_style(const struct span_facts *facts)
{
	static const enum term_style by_class[] = { STYLE_PLAIN, STYLE_DIM,    STYLE_GREEN,
						    STYLE_CYAN,  STYLE_YELLOW, STYLE_RED };

	if (facts->failed && facts->status < 500)
		return STYLE_RED;
	return by_class[facts->status / 100 < 6 ? facts->status / 100 : 5];
}

static void add_status(struct buf *out, const struct term *term, const struct view_layout *layout,
		       const struct span_facts *facts)
{
	char text[16] = "-";

	if (facts->status)
		snprintf(text, sizeof(text), "%d", facts->status);
	else if (facts->failed)
		snprintf(text, sizeof(text), "error");
	term_cell(term, out, slice_of(text), (int)layout->status, status_style(facts));
}

static void add_duration(struct buf *out, const struct term *term, const struct view_layout *layout,
			 uint64_t duration_ns)
{
	struct buf text;

	buf_init(&text);
	duration_print(&text, duration_ns, term->utf8 ? "\xc2\xb5" : "u");
	buf_add_text(out, "  ");
	term_cell(term, out, (struct slice){ text.p, text.n }, -(int)layout->duration, STYLE_PLAIN);
	buf_add_text(out, "  ");
	buf_release(&text);
}

/* Where in its trace the span ran; alone in its trace: how long against the slowest of its like. */
static void add_bar(struct buf *out, const struct term *term, const struct view_layout *layout,
		    const struct trace *trace, const struct row *row)
{
	double whole = (double)(trace->end_unix_ns - trace->start_unix_ns);
	double from = (double)(row->span->start_unix_ns - trace->start_unix_ns);
	double to = from + (double)row->facts.duration_ns;
	enum term_style style = row->facts.failed                      ? STYLE_RED
				: row->facts.status >= 400             ? STYLE_YELLOW
				: trace->n == 1                        ? STYLE_DIM
				: row->span->kind == MODEL_KIND_CLIENT ? STYLE_CYAN
								       : STYLE_BLUE;

	if (trace->n == 1)
		whole = (double)layout->slowest_ns;
	whole = whole > 0 ? whole : 1;
	term_bar(term, out, from / whole, to / whole, layout->bar, style);
}

void view_trace(struct buf *out, const struct term *term, const struct view_layout *layout,
		const struct trace_set *set, const struct trace *trace)
{
	struct row row = { .span = NULL };

	for (uint32_t i = 0; i < trace->n; i++) {
		const struct trace_node *node = &set->nodes[trace->first + i];
		unsigned indent;

		row_fill(&row, term, set, node);
		indent = at_most(2 * row.indent, layout->request / 2) / 2;
		if (i == 0)
			add_time(out, term, layout, row.span->start_unix_ns);
		else
			term_repeat(out, " ", layout->time + 2);
		if (layout->service)
			term_cell(term, out, row.span->resource->service_name, (int)layout->service,
				  STYLE_CYAN);
		if (layout->service)
			buf_add_text(out, "  ");
		add_branches(out, term, set, node, indent);
		term_cell(term, out, (struct slice){ row.label.p, row.label.n },
			  (int)(layout->request - 2 * indent), row.facts.failed ? STYLE_RED : STYLE_PLAIN);
		buf_add_text(out, "  ");
		add_status(out, term, layout, &row.facts);
		add_duration(out, term, layout, row.facts.duration_ns);
		add_bar(out, term, layout, trace, &row);
		buf_add_byte(out, '\n');
	}
	buf_release(&row.label);
}
