/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/ctl/pending.h"
#include "exporters/ctl/trace_filter.h"
#include "exporters/ctl/trace_set.h"
#include "tests/unit/ctl_helper.h"

static struct trace_store store;
static struct trace_set set;
static struct buf spans;

static void start(void)
{
	trace_store_init(&store);
	buf_init(&spans);
}

static void stop(void)
{
	trace_set_release(&set);
	trace_store_release(&store);
	buf_release(&spans);
}

TestSuite(trace_set, .init = start, .fini = stop);

static void add(unsigned trace, unsigned span, unsigned parent, unsigned start_us)
{
	add_span(&spans, trace, span, parent, start_us, 100, "GET", "/", 200);
}

static void build(void)
{
	load_buf(&store, "app", &spans);
	cr_assert_eq(trace_set_init(&set, &store), 0);
}

/* The tree of a trace in one line: ids with their depth, the last child marked. */
static const char *tree(size_t trace)
{
	static char text[512];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < set.traces[trace].n; i++) {
		const struct trace_node *node = &set.nodes[set.traces[trace].first + i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u@%u%s", i ? " " : "",
				      trace_set_span(&set, node)->span_id[7], node->depth,
				      node->last ? "." : "");
	}
	return text;
}

Test(trace_set, spans_are_grouped_and_traces_ordered_by_their_start)
{
	add(7, 1, 0, 500);
	add(3, 2, 0, 100);
	add(7, 3, 1, 510);
	build();
	cr_assert_eq(set.n, 2);
	cr_expect_str_eq(tree(0), "2@0.");
	cr_expect_str_eq(tree(1), "1@0. 3@1.");
	cr_expect_eq(set.traces[1].end_unix_ns - set.traces[1].start_unix_ns, 110000);
}

Test(trace_set, children_follow_their_parent_in_order_of_start_whatever_the_order_in_the_file)
{
	add(1, 5, 2, 40);
	add(1, 4, 1, 30);
	add(1, 3, 2, 20);
	add(1, 2, 1, 10);
	add(1, 1, 0, 0);
	build();
	cr_expect_str_eq(tree(0), "1@0. 2@1 3@2 5@2. 4@1.");
}

Test(trace_set, a_span_whose_parent_is_elsewhere_is_a_root)
{
	add(1, 1, 99, 0);
	add(1, 2, 98, 10);
	build();
	cr_expect_str_eq(tree(0), "1@0 2@0.");
	cr_expect_eq(set.nodes[0].parent, TRACE_NO_PARENT);
}

Test(trace_set, a_circle_of_parents_is_opened_and_all_its_spans_are_there)
{
	add(1, 1, 3, 0);
	add(1, 2, 1, 10);
	add(1, 3, 2, 20);
	add(1, 4, 4, 30);
	build();
	cr_expect_eq(set.n_nodes, 4);
	cr_expect_str_eq(tree(0), "1@0 2@1. 3@2. 4@0.");
}

Test(trace_set, the_same_span_id_in_two_traces_does_not_join_them)
{
	add(1, 1, 0, 0);
	add(2, 2, 1, 10);
	build();
	cr_expect_eq(set.n, 2);
	cr_expect_str_eq(tree(1), "2@0.");
}

Test(trace_set, a_span_written_twice_is_there_twice)
{
	add(1, 1, 0, 0);
	add(1, 2, 1, 10);
	add(1, 1, 0, 0);
	build();
	cr_expect_eq(set.n_nodes, 3);
}

Test(trace_set, a_chain_as_long_as_the_file_is_walked_without_recursion)
{
	for (unsigned i = 0; i < 50000; i++)
		add(1, i + 1, i, i);
	build();
	cr_assert_eq(set.n_nodes, 50000);
	cr_expect_eq(set.nodes[49999].depth, 49999);
}

Test(trace_set, no_spans_are_no_traces)
{
	cr_assert_eq(trace_set_init(&set, &store), 0);
	cr_expect_eq(set.n, 0);
}

/* --- which traces are shown when a store grows --- */

Test(trace_set, a_trace_waits_until_nothing_was_added_for_a_while)
{
	struct pending pending;
	uint32_t chosen[4];

	pending_init(&pending);
	add(1, 2, 1, 10);
	load_buf(&store, "app", &spans);
	cr_assert_eq(pending_arrived(&pending, &store, 1000), 0);
	add(1, 1, 0, 0);
	add(2, 3, 0, 0);
	load_buf(&store, "app", &spans);
	cr_assert_eq(pending_arrived(&pending, &store, 2000), 0);
	cr_assert_eq(trace_set_init(&set, &store), 0);
	cr_expect_eq(pending_take(&pending, &set, 1500, chosen), 0, "a part of the trace is younger");
	cr_expect_eq(pending.waiting, 3);
	cr_expect_eq(pending_take(&pending, &set, 2000, chosen), 2);
	cr_expect_eq(pending.waiting, 0);
	cr_expect_eq(pending_take(&pending, &set, 9000, chosen), 0, "shown once");
	pending_release(&pending);
}

Test(trace_set, a_trace_is_shown_again_when_it_grows)
{
	struct pending pending;
	uint32_t chosen[4];

	pending_init(&pending);
	add(1, 1, 0, 0);
	build();
	cr_assert_eq(pending_arrived(&pending, &store, 1000), 0);
	cr_expect_eq(pending_take(&pending, &set, 1000, chosen), 1);
	trace_set_release(&set);
	add(1, 2, 1, 10);
	build();
	cr_assert_eq(pending_arrived(&pending, &store, 2000), 0);
	cr_expect_eq(pending_take(&pending, &set, 1999, chosen), 0);
	cr_expect_eq(pending_take(&pending, &set, 2000, chosen), 1);
	cr_expect_eq(set.traces[chosen[0]].n, 2);
	pending_release(&pending);
}

/* --- filters --- */

static size_t count_passing(struct trace_filter filter, size_t limit, uint32_t *first)
{
	uint32_t chosen[16];
	size_t passed, n = trace_filter_choose(&filter, &set, limit, chosen, &passed);

	*first = n ? chosen[0] : UINT32_MAX;
	cr_expect(!limit || n <= limit);
	return passed;
}

Test(trace_set, filters_choose_traces_by_one_span_for_which_all_holds)
{
	uint32_t first;

	add_span(&spans, 1, 1, 0, 0, 5000, "GET", "/users/{id}", 200);
	add_span(&spans, 1, 2, 1, 10, 200, "POST", "/orders", 503);
	add_span(&spans, 2, 3, 0, 100, 100, "GET", "/users", 404);
	add_span(&spans, 3, 4, 0, 200, 9000, "GET", "/health", 200);
	build();
	cr_expect_eq(count_passing((struct trace_filter){ .route = NULL }, 0, &first), 3);
	cr_expect_eq(count_passing((struct trace_filter){ .route = "/users*" }, 0, &first), 2);
	cr_expect_eq(count_passing((struct trace_filter){ .route = "/users*", .status = "5xx" }, 0, &first),
		     0);
	cr_expect_eq(count_passing((struct trace_filter){ .status = "5xx,404" }, 0, &first), 2);
	cr_expect_eq(count_passing((struct trace_filter){ .status = "error" }, 0, &first), 1);
	cr_expect_eq(count_passing((struct trace_filter){ .slower_than_ns = 5000000 }, 0, &first), 1);
	cr_expect_eq(first, 2);
	cr_expect_eq(count_passing((struct trace_filter){ .method = "POST" }, 0, &first), 1);
	cr_expect_eq(count_passing((struct trace_filter){ .service = "a*" }, 0, &first), 3);
	cr_expect_eq(count_passing((struct trace_filter){ .service = "b*" }, 0, &first), 0);
	cr_expect_eq(count_passing((struct trace_filter){ .trace = "00000000000000000000000000000002" }, 0,
				   &first),
		     1);
	cr_expect_eq(count_passing((struct trace_filter){ .trace = "1" }, 0, &first), 0);
	cr_expect_eq(count_passing((struct trace_filter){ .route = NULL }, 2, &first), 3);
	cr_expect_eq(first, 1, "the last two of three");
}
