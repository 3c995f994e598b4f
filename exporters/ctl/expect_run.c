/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "exporters/ctl/expect.h"
#include "exporters/ctl/expect_shapes.h"
#include "exporters/ctl/request_list.h"
#include "exporters/ctl/units.h"

#define MAX_DETAILS 8

struct run {
	const struct trace_set *set;
	struct request_list requests;
	struct expect_result *result;
	struct buf name, wanted, got, detail;
	size_t details; /* lines in detail, also those left out */
	int rc;
};

static bool fits(struct slice pattern, struct slice text)
{
	return !pattern.p || pattern_matches(pattern, text);
}

static bool status_fits(struct slice list, int status, bool failed)
{
	if (!list.p)
		return true;
	return slice_is(list, "none") ? status == 0 : status_list_matches(list, status, failed);
}

static bool route_fits(const struct expect_check *check, const struct request *r)
{
	return fits(check->service, r->service) && fits(check->method, r->method) &&
	       fits(check->route, r->route);
}

static bool check_fits(const struct expect_check *check, const struct request *r)
{
	return route_fits(check, r) && status_fits(check->status, r->status, r->failed);
}

/* --- the finding that is being made --- */

static void begin(struct run *run)
{
	buf_clear(&run->name);
	buf_clear(&run->wanted);
	buf_clear(&run->got);
	buf_clear(&run->detail);
	run->details = 0;
}

static void end(struct run *run, bool ok, struct config_mark mark)
{
	if (run->details > MAX_DETAILS)
		buf_printf(&run->detail, "... and %zu more\n", run->details - MAX_DETAILS);
	if (expect_result_add(run->result,
			      &(struct expect_finding){ .ok = ok,
							.name = { run->name.p, run->name.n },
							.wanted = { run->wanted.p, run->wanted.n },
							.got = { run->got.p, run->got.n },
							.detail = { run->detail.p, ok ? 0 : run->detail.n },
							.mark = mark }))
		run->rc = -ENOMEM;
}

static void add_trace(struct run *run, uint32_t span)
{
	buf_add_text(&run->detail, ", trace ");
	buf_add_hex(&run->detail, run->set->store->spans[span].trace_id, 16);
}

static void add_request(struct buf *out, const struct request *r)
{
	buf_add_slice(out, r->service);
	buf_add_byte(out, ' ');
	buf_add_slice(out, r->method);
	buf_add_byte(out, ' ');
	buf_add_slice(out, r->route);
	if (r->status)
		buf_printf(out, " %d", r->status);
	else
		buf_add_text(out, " without a status");
}

/* "nginx GET /menu 200: 3 requests, trace ..." */
static void detail_group(struct run *run, const struct request_group *group)
{
	const struct request *r = request_of(&run->requests, group);

	if (++run->details > MAX_DETAILS)
		return;
	add_request(&run->detail, r);
	buf_printf(&run->detail, ": %zu", group->n);
	add_trace(run, r->span);
	buf_add_byte(&run->detail, '\n');
}

/* --- checks of requests --- */

static void name_check(struct buf *out, const struct expect_check *check)
{
	if (check->service.p) {
		buf_add_slice(out, check->service);
		buf_add_text(out, ": ");
	}
	buf_add_text(out, expect_measure_names[check->measure]);
	if (check->route.p) {
		buf_add_text(out, " of ");
		buf_add_slice(out, check->method.p ? check->method : SLICE("*"));
		buf_add_byte(out, ' ');
		buf_add_slice(out, check->route);
	}
	if (check->status.p && slice_is(check->status, "none")) {
		buf_add_text(out, " without a status");
	} else if (check->status.p) {
		buf_add_text(out, " with status ");
		buf_add_slice(out, check->status);
	}
}

static int compare_u64(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* False: there is no request to take it of. */
static bool percentile(struct run *run, const struct expect_check *check, uint64_t *value)
{
	static const double shares[] = { [EXPECT_P50] = 0.5,
					 [EXPECT_P90] = 0.9,
					 [EXPECT_P95] = 0.95,
					 [EXPECT_P99] = 0.99,
					 [EXPECT_MAX] = 1 };
	uint64_t *durations = calloc(run->requests.n + 1, sizeof(*durations));
	double rank;
	size_t n = 0;

	if (!durations) {
		run->rc = -ENOMEM;
		return false;
	}
	for (size_t i = 0; i < run->requests.n_groups; i++) {
		const struct request_group *group = &run->requests.groups[i];

		if (!check_fits(check, request_of(&run->requests, group)))
			continue;
		for (size_t k = 0; k < group->n; k++)
			durations[n++] = run->requests.requests[group->first + k].duration_ns;
	}
	if (n) {
		qsort(durations, n, sizeof(*durations), compare_u64);
		rank = shares[check->measure] * (double)n;
		*value = durations[(size_t)rank - ((size_t)rank > 0 && (double)(size_t)rank >= rank)];
	}
	free(durations);
	return n > 0;
}

static uint64_t count(struct run *run, const struct expect_check *check)
{
	uint64_t n = 0;

	for (size_t i = 0; i < run->requests.n_groups; i++) {
		const struct request_group *group = &run->requests.groups[i];
		const struct request *r = request_of(&run->requests, group);

		if (check_fits(check, r) && (check->measure == EXPECT_REQUESTS || r->failed))
			n += group->n;
	}
	return n;
}

/* What there is instead: of that route with any status; if none, the other routes of the service. */
static void detail_count(struct run *run, const struct expect_check *check)
{
	for (size_t i = 0; i < run->requests.n_groups; i++) {
		const struct request *r = request_of(&run->requests, &run->requests.groups[i]);
		bool wanted = check->measure == EXPECT_ERRORS ? r->failed && check_fits(check, r)
			      : check->route.p                ? route_fits(check, r)
							      : check_fits(check, r);

		if (wanted)
			detail_group(run, &run->requests.groups[i]);
	}
	if (run->details || !check->route.p || !check->range.min)
		return;
	buf_add_text(&run->detail,
		     run->requests.n ? "no such request; there are\n" : "there are no requests at all\n");
	for (size_t i = 0; i < run->requests.n_groups; i++)
		if (fits(check->service, request_of(&run->requests, &run->requests.groups[i])->service))
			detail_group(run, &run->requests.groups[i]);
}

static void detail_slowest(struct run *run, const struct expect_check *check)
{
	const struct request *slowest = NULL;

	for (size_t i = 0; i < run->requests.n_groups; i++) {
		const struct request_group *group = &run->requests.groups[i];
		const struct request *last = &run->requests.requests[group->first + group->n - 1];

		if (check_fits(check, last) && (!slowest || last->duration_ns > slowest->duration_ns))
			slowest = last;
	}
	if (!slowest)
		return;
	buf_add_text(&run->detail, "slowest: ");
	expect_value_print(&run->detail, slowest->duration_ns, true);
	buf_add_text(&run->detail, ", ");
	add_request(&run->detail, slowest);
	add_trace(run, slowest->span);
	buf_add_byte(&run->detail, '\n');
}

static int compare_spans(const void *left, const void *right)
{
	const struct span *const *a = left, *const *b = right;
	int order = memcmp((*a)->trace_id, (*b)->trace_id, 16);

	return order ? order : memcmp((*a)->span_id, (*b)->span_id, 8);
}

static uint64_t count_duplicates(struct run *run)
{
	const struct trace_store *store = run->set->store;
	const struct span **sorted = calloc(store->n + 1, sizeof(const struct span *));
	uint64_t n = 0;

	if (!sorted) {
		run->rc = -ENOMEM;
		return 0;
	}
	for (size_t i = 0; i < store->n; i++)
		sorted[i] = &store->spans[i];
	qsort(sorted, store->n, sizeof(const struct span *), compare_spans);
	for (size_t i = 1; i < store->n; i++) {
		if (compare_spans(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		n++;
		if (++run->details > MAX_DETAILS)
			continue;
		buf_add_text(&run->detail, "span ");
		buf_add_hex(&run->detail, sorted[i]->span_id, 8);
		add_trace(run, (uint32_t)(sorted[i] - store->spans));
		buf_add_byte(&run->detail, '\n');
	}
	free(sorted);
	return n;
}

static void run_check(struct run *run, const struct expect_check *check)
{
	bool durations = expect_is_duration(check->measure), ok, none = false;
	uint64_t value = 0;

	begin(run);
	switch (check->measure) {
	case EXPECT_SPANS: value = run->set->store->n; break;
	case EXPECT_TRACES: value = run->set->n; break;
	case EXPECT_DUPLICATES: value = count_duplicates(run); break;
	case EXPECT_REQUESTS:
	case EXPECT_ERRORS: value = count(run, check); break;
	default: none = !percentile(run, check, &value); break;
	}
	ok = !none && value >= check->range.min && value <= check->range.max;
	if (!ok && durations)
		detail_slowest(run, check);
	else if (!ok && check->measure <= EXPECT_ERRORS)
		detail_count(run, check);
	name_check(&run->name, check);
	expect_range_print(&run->wanted, &check->range, durations);
	if (none)
		buf_add_text(&run->got, "no request");
	else
		expect_value_print(&run->got, value, durations);
	end(run, ok, check->mark);
}

/* Requests that no row of routes speaks of. */
static void run_only_routes(struct run *run, const struct expectation *e)
{
	uint64_t n = 0;

	begin(run);
	for (size_t i = 0; i < run->requests.n_groups; i++) {
		const struct request_group *group = &run->requests.groups[i];
		bool known = false;

		for (size_t k = 0; k < e->n_checks && !known; k++)
			known = e->checks[k].route.p &&
				check_fits(&e->checks[k], request_of(&run->requests, group));
		if (known)
			continue;
		n += group->n;
		detail_group(run, group);
	}
	buf_add_text(&run->name, "requests of other routes");
	buf_add_text(&run->wanted, "0");
	buf_add_u64(&run->got, n);
	end(run, n == 0, e->only_routes_mark);
}

int expect_run(const struct expectation *e, const struct trace_set *set, struct expect_result *r)
{
	struct run run = { .set = set, .result = r };

	if (request_list_init(&run.requests, set->store))
		return -ENOMEM;
	buf_init(&run.name);
	buf_init(&run.wanted);
	buf_init(&run.got);
	buf_init(&run.detail);
	for (size_t i = 0; i < e->n_checks; i++)
		run_check(&run, &e->checks[i]);
	if (e->only_routes)
		run_only_routes(&run, e);
	buf_release(&run.name);
	buf_release(&run.wanted);
	buf_release(&run.got);
	buf_release(&run.detail);
	request_list_release(&run.requests);
	return run.rc ? run.rc : expect_run_shapes(e, set, r);
}
