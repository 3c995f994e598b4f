/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "exporters/ctl/top.h"
#include "exporters/ctl/units.h"
#include "exporters/encode/json.h"

enum { NUMBER = 10, ROUTE_MIN = 16, ROUTE_MAX = 60, SERVICE = 16 };

static void add_text(struct buf *out, const struct term *term, int columns, enum term_style style,
		     const struct buf *text)
{
	term_cell(term, out, (struct slice){ text->p, text->n }, columns, style);
}

static void add_count(struct buf *out, const struct term *term, uint64_t n, enum term_style style)
{
	struct buf text;

	buf_init(&text);
	count_print(&text, n);
	add_text(out, term, -NUMBER, style, &text);
	buf_release(&text);
}

static void add_duration(struct buf *out, const struct term *term, uint64_t ns, bool known)
{
	struct buf text;

	buf_init(&text);
	if (known)
		duration_print(&text, ns, term->utf8 ? "\xc2\xb5" : "u");
	else
		buf_add_byte(&text, '-');
	add_text(out, term, -NUMBER, known ? STYLE_PLAIN : STYLE_DIM, &text);
	buf_release(&text);
}

static void add_real(struct buf *out, const struct term *term, double value, const char *unit,
		     enum term_style style)
{
	struct buf text;

	buf_init(&text);
	buf_printf(&text, value < 10 ? "%.1f%s" : "%.0f%s", value, unit);
	add_text(out, term, -NUMBER, style, &text);
	buf_release(&text);
}

static bool many_services(const struct top_view *v)
{
	for (size_t i = 1; i < v->n_routes; i++)
		if (!slice_equal(v->routes[i].service, v->routes[0].service))
			return true;
	return false;
}

static void print_route(struct buf *out, const struct term *term, const struct top_route *r, unsigned route,
			bool service)
{
	double share = r->requests ? 100.0 * (double)r->errors / (double)r->requests : 0;

	if (service) {
		term_cell(term, out, r->service, SERVICE, STYLE_CYAN);
		buf_add_text(out, "  ");
	}
	term_cell(term, out, r->name.n ? r->name : SLICE("(all others)"), (int)route, STYLE_PLAIN);
	add_real(out, term, r->per_second, "", r->requests ? STYLE_PLAIN : STYLE_DIM);
	add_count(out, term, r->total, STYLE_PLAIN);
	add_real(out, term, share, " %", r->errors ? STYLE_RED : STYLE_DIM);
	add_duration(out, term, r->p50_ns, r->requests > 0);
	add_duration(out, term, r->p95_ns, r->requests > 0);
	add_duration(out, term, r->p99_ns, r->requests > 0);
	buf_add_byte(out, '\n');
}

static unsigned print_routes(struct buf *out, const struct term *term, const struct top_view *v,
			     unsigned lines)
{
	static const char *const heads[] = { "REQ/S", "REQUESTS", "ERRORS", "P50", "P95", "P99" };
	bool service = many_services(v);
	unsigned rest = 6 * NUMBER + (service ? SERVICE + 2 : 0), route = ROUTE_MIN, used = 1;

	for (size_t i = 0; i < v->n_routes; i++) {
		unsigned columns = term_columns(term, v->routes[i].name);

		route = columns > route ? columns : route;
	}
	route = route < ROUTE_MAX ? route : ROUTE_MAX;
	if (rest + route > term->width)
		route = term->width > rest + ROUTE_MIN ? term->width - rest : ROUTE_MIN;
	if (service)
		term_cell(term, out, SLICE("SERVICE"), SERVICE + 2, STYLE_DIM);
	term_cell(term, out, SLICE("ROUTE"), (int)route, STYLE_DIM);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		term_cell(term, out, slice_of(heads[i]), -NUMBER, STYLE_DIM);
	buf_add_byte(out, '\n');
	for (size_t i = 0; i < v->n_routes && (!lines || used < lines); i++, used++)
		print_route(out, term, &v->routes[i], route, service);
	return used;
}

static void print_peer(struct buf *out, const struct span_address *peer)
{
	char text[INET6_ADDRSTRLEN];

	if (peer->family == AF_INET && inet_ntop(AF_INET, peer->addr, text, sizeof(text)))
		buf_printf(out, "%s:%u", text, peer->port);
	else if (peer->family == AF_INET6 && inet_ntop(AF_INET6, peer->addr, text, sizeof(text)))
		buf_printf(out, "[%s]:%u", text, peer->port);
}

static void print_open(struct buf *out, const struct term *term, const struct top_view *v, unsigned lines)
{
	unsigned used = 2;
	struct buf text;

	if (!v->n_open || (lines && lines < 4))
		return;
	buf_init(&text);
	buf_add_byte(out, '\n');
	term_cell(term, out, SLICE("IN FLIGHT"), -NUMBER, STYLE_DIM);
	term_cell(term, out, SLICE("PID  CLIENT"), 36, STYLE_DIM);
	term_cell(term, out, SLICE("REQUEST"), 20, STYLE_DIM);
	buf_add_byte(out, '\n');
	for (size_t i = 0; i < v->n_open && (!lines || used + 1 < lines); i++, used++) {
		const struct top_open *o = &v->open[i];

		add_duration(out, term, o->age_ns, true);
		buf_clear(&text);
		buf_printf(&text, "  %-8u ", o->pid);
		print_peer(&text, &o->slot.head.peer);
		add_text(out, term, 36, STYLE_PLAIN, &text);
		buf_clear(&text);
		buf_add_slice(&text, top_method(&o->slot));
		buf_add_byte(&text, ' ');
		buf_add_slice(&text, top_path(&o->slot));
		term_text(term, out, (struct slice){ text.p, text.n },
			  term->width > 60 ? term->width - 46 : 20);
		buf_add_byte(out, '\n');
	}
	buf_release(&text);
}

void top_print(struct buf *out, const struct term *term, const struct top_view *v, unsigned lines)
{
	unsigned used = 2;
	struct buf count;

	buf_init(&count);
	count_print(&count, v->requests);
	term_style(term, out, STYLE_BOLD);
	buf_printf(out, "%.*s requests, %.1f/s", (int)count.n, count.p, v->per_second);
	term_style(term, out, STYLE_PLAIN);
	buf_printf(out, ", %llu in flight, %u process%s", (unsigned long long)v->in_flight, v->processes,
		   v->processes == 1 ? "" : "es");
	if (v->dropped)
		buf_printf(out, ", %llu without a span", (unsigned long long)v->dropped);
	buf_printf(out, "; exporter %u, ", v->session->keeper);
	term_text(term, out, slice_of(attach_config(v->session)), 60);
	buf_add_text(out, "\n\n");
	buf_release(&count);
	/* requests in flight get what is left, but at least a third */
	used += print_routes(out, term, v, lines ? (v->n_open ? lines - lines / 3 - 2 : lines - 2) : 0);
	print_open(out, term, v, lines > used ? lines - used : lines ? 1 : 0);
}

static void json_open(struct buf *out, const struct top_open *o)
{
	struct buf peer;

	buf_init(&peer);
	print_peer(&peer, &o->slot.head.peer);
	buf_printf(out, "{\"age_ns\":%llu,\"pid\":%u,\"service\":", (unsigned long long)o->age_ns, o->pid);
	json_string(out, slice_of(o->service));
	buf_add_text(out, ",\"method\":");
	json_string(out, top_method(&o->slot));
	buf_add_text(out, ",\"path\":");
	json_string(out, top_path(&o->slot));
	buf_add_text(out, ",\"client\":");
	json_string(out, (struct slice){ peer.p, peer.n });
	buf_add_text(out, ",\"trace_id\":\"");
	buf_add_hex(out, o->slot.head.trace_id, 16);
	buf_add_text(out, "\"}");
	buf_release(&peer);
}

static void json_route(struct buf *out, const struct top_route *r)
{
	buf_add_text(out, "{\"service\":");
	json_string(out, r->service);
	buf_add_text(out, ",\"name\":");
	json_string(out, r->name);
	buf_printf(out, ",\"total\":%llu,\"requests\":%llu,\"errors\":%llu,\"per_second\":",
		   (unsigned long long)r->total, (unsigned long long)r->requests,
		   (unsigned long long)r->errors);
	json_double(out, r->per_second);
	if (r->requests)
		buf_printf(out, ",\"p50_ns\":%llu,\"p95_ns\":%llu,\"p99_ns\":%llu",
			   (unsigned long long)r->p50_ns, (unsigned long long)r->p95_ns,
			   (unsigned long long)r->p99_ns);
	buf_add_byte(out, '}');
}

void top_json(struct buf *out, const struct top_view *v)
{
	buf_printf(out, "{\"exporter\":%u,\"config\":", v->session->keeper);
	json_string(out, slice_of(v->session->config));
	buf_printf(out,
		   ",\"processes\":%u,\"requests\":%llu,\"in_flight\":%llu,\"dropped\":%llu,\"per_second\":",
		   v->processes, (unsigned long long)v->requests, (unsigned long long)v->in_flight,
		   (unsigned long long)v->dropped);
	json_double(out, v->per_second);
	buf_add_text(out, ",\"window_s\":");
	json_double(out, v->window_s);
	buf_add_text(out, ",\"routes\":[");
	for (size_t i = 0; i < v->n_routes; i++) {
		buf_add_text(out, i ? "," : "");
		json_route(out, &v->routes[i]);
	}
	buf_add_text(out, "],\"open\":[");
	for (size_t i = 0; i < v->n_open; i++) {
		buf_add_text(out, i ? "," : "");
		json_open(out, &v->open[i]);
	}
	buf_add_text(out, "]}\n");
}
