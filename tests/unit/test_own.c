/* SPDX-License-Identifier: Apache-2.0 */
/* Whose children own spans are. */

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/own_helper.h"

TestSuite(own, .init = begin);

Test(own, without_a_request_it_is_a_trace_of_its_own)
{
	struct span_slot s = ended(btrace_begin("boot"));

	cr_expect(is_root(&s));
	cr_expect(SAYS(&s, TAG_NAME, 0, "boot"));
	cr_expect_eq(s.head.flags, SPAN_FLAG_SAMPLED);
	cr_expect_leq(s.head.start_ns, s.head.end_ns);
	expect_balance(1, 0, 0);
}

Test(own, it_lies_in_the_request_and_what_is_asked_meanwhile_in_it)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot inner, outer, in_inner, in_outer, after, server;
	btrace_span a, b;

	feed(c, true, GET);
	a = btrace_begin("a");
	b = btrace_begin("b");
	in_inner = call();
	inner = ended(b);
	in_outer = call();
	outer = ended(a);
	after = call();
	feed(c, false, OK2);
	server = next();
	cr_expect(is_child(&outer, &server));
	cr_expect(is_child(&inner, &outer));
	cr_expect(is_child(&in_inner, &inner));
	cr_expect(is_child(&in_outer, &outer));
	cr_expect(is_child(&after, &server));
	cr_expect_eq(in_inner.head.flags & SPAN_FLAG_REMOTE_PARENT, 0);
	expect_balance(2, 0, 0);
}

Test(own, those_that_end_out_of_order_are_parents_as_long_as_they_are_open)
{
	btrace_span a = btrace_begin("a"), b = btrace_begin("b");
	struct span_slot outer = ended(a), between = call(), inner = ended(b), after = call();

	cr_expect(is_child(&inner, &outer));
	cr_expect(is_child(&between, &inner));
	cr_expect(is_root(&after));
}

static void *end_it(void *span)
{
	btrace_end(*(btrace_span *)span);
	return NULL;
}

static void elsewhere(void *(*what)(void *), void *arg)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, what, arg), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(own, it_may_end_on_another_thread)
{
	btrace_span span = btrace_begin("a");
	struct span_slot s, after;

	elsewhere(end_it, &span);
	s = next();
	cr_expect(SAYS(&s, TAG_NAME, 0, "a"));
	after = call();
	cr_expect(is_root(&after));
}

static void *begin_in_it(void *context)
{
	btrace_span span = btrace_begin_in("far", context, 0), other = btrace_begin("inner");

	btrace_end(other);
	btrace_end(span);
	return NULL;
}

static void *begin_alone(void *unused)
{
	btrace_end(btrace_begin("alone"));
	return unused;
}

Test(own, other_threads_know_nothing_unless_the_context_is_passed_on)
{
	struct conn *c = connection(CONN_SERVER);
	struct btrace_context here;
	struct span_slot inner, far, alone, server;

	feed(c, true, GET);
	cr_assert(btrace_current(&here));
	elsewhere(begin_in_it, &here);
	inner = next();
	far = next();
	elsewhere(begin_alone, NULL);
	alone = next();
	feed(c, false, OK2);
	server = next();
	if (SAYS(&inner, TAG_NAME, 0, "far")) { /* the table has no order */
		struct span_slot swap = inner;

		inner = far;
		far = swap;
	}
	cr_expect(is_child(&far, &server));
	cr_expect(is_child(&inner, &far));
	cr_expect_eq(far.head.flags & SPAN_FLAG_REMOTE_PARENT, 0);
	cr_expect(is_root(&alone));
	cr_expect(!is_ambiguous(&alone));
	cr_expect(!memcmp(here.trace_id, server.head.trace_id, 16));
	cr_expect(!memcmp(here.span_id, server.head.span_id, 8));
	cr_expect_eq(here.flags, 1);
}

Test(own, a_context_that_is_empty_is_a_new_trace_whatever_the_thread_works_at)
{
	struct btrace_context none;
	btrace_span outer;
	struct span_slot s;

	cr_expect_eq(btrace_current(&none), 0);
	outer = btrace_begin("outer");
	s = ended(btrace_begin_in("new", &none, 0));
	cr_expect(is_root(&s));
	btrace_end(outer);
}

Test(own, in_a_request_that_is_not_sampled_nothing_is_recorded_but_the_context_goes_on)
{
	struct conn *c = connection(CONN_SERVER);
	struct btrace_context server, own;
	btrace_span span;
	char text[BTRACE_TRACEPARENT_BYTES];

	feed(c, true, WITH(UNSAMPLED));
	cr_assert(btrace_current(&server));
	cr_expect_eq(server.flags, 0);
	span = btrace_begin("a");
	cr_expect_neq(span, 0);
	cr_expect_eq(btrace_recording(span), 0);
	btrace_set_int(span, "n", 1);
	cr_assert(btrace_context_of(span, &own));
	cr_expect_eq(own.flags, 0);
	cr_expect(!memcmp(own.trace_id, server.trace_id, 16));
	cr_expect(memcmp(own.span_id, server.span_id, 8));
	cr_expect(btrace_to_traceparent(&own, text));
	cr_expect(!strncmp(text, UNSAMPLED, 35), "%s", text);
	cr_expect_str_eq(text + 52, "-00");
	call();
	cr_expect_eq(counter(LEDGER_CLIENT_SAMPLED_OUT), 1);
	btrace_end(btrace_begin_in("b", &own, 0));
	btrace_end(span);
	cr_expect_eq(next().head.kind, 0);
	expect_balance(2, 2, 0);
}

Test(own, a_trace_of_its_own_is_drawn_and_its_children_follow)
{
	btrace_span a, b;

	policy->root = POLICY_ROOT_NEVER;
	a = btrace_begin("a");
	policy->root = POLICY_ROOT_ALWAYS;
	b = btrace_begin("b");
	cr_expect_eq(btrace_recording(b), 0);
	btrace_end(b);
	btrace_end(a);
	cr_expect_eq(next().head.kind, 0);
	expect_balance(2, 2, 0);
}

Test(own, a_request_that_was_read_since_goes_before_a_span_that_is_still_open)
{
	struct conn *c;
	btrace_span loop = btrace_begin("serve forever"), in_request;
	struct span_slot own, asked, server, after, outer;

	c = connection(CONN_SERVER);
	feed(c, true, GET);
	asked = call();
	in_request = btrace_begin("work");
	own = ended(in_request);
	feed(c, false, OK2);
	server = next();
	after = call();
	outer = ended(loop);
	cr_expect(is_child(&asked, &server));
	cr_expect(is_child(&own, &server));
	cr_expect(is_child(&after, &outer));
}

Test(own, several_requests_on_a_thread_are_no_parent_but_links)
{
	struct conn *a = connection(CONN_SERVER), *b = connection(CONN_SERVER);
	struct btrace_context none;
	struct span_slot s;

	feed(a, true, GET);
	feed(b, true, GET);
	cr_expect_eq(btrace_current(&none), 0);
	s = ended(btrace_begin("whose"));
	cr_expect(is_root(&s));
	cr_expect(is_ambiguous(&s));
	cr_expect_eq(strings(&s, TAG_LINK), 2);
}

Test(own, detached_ones_are_nobodys_parent_by_themselves)
{
	struct btrace_context context;
	btrace_span a = btrace_begin_in("a", NULL, BTRACE_DETACHED);
	struct span_slot other = ended(btrace_begin("b")), below, s;

	cr_expect(is_root(&other));
	cr_assert(btrace_context_of(a, &context));
	below = ended(btrace_begin_in("c", &context, BTRACE_DETACHED));
	s = ended(a);
	cr_expect(is_child(&below, &s));
}

Test(own, a_context_from_elsewhere_is_a_remote_parent_and_decides_by_the_samplers_rule)
{
	struct btrace_context context;
	char text[BTRACE_TRACEPARENT_BYTES];
	struct span_slot s;

	cr_assert(btrace_from_traceparent(CONTEXT, &context));
	cr_expect(btrace_to_traceparent(&context, text));
	cr_expect_str_eq(text, CONTEXT);
	s = ended(btrace_begin_in("consume", &context, 0));
	cr_expect_eq(s.head.flags, SPAN_FLAG_SAMPLED | SPAN_FLAG_REMOTE_PARENT);
	cr_expect(!memcmp(s.head.trace_id, context.trace_id, 16));
	cr_expect(!memcmp(s.head.parent_span_id, context.span_id, 8));
	cr_assert(btrace_from_traceparent(UNSAMPLED, &context));
	btrace_end(btrace_begin_in("not", &context, 0));
	expect_balance(2, 1, 0);
	policy->parent = POLICY_PARENT_IGNORE;
	ended(btrace_begin_in("all the same", &context, 0));
	cr_expect_eq(btrace_from_traceparent("00-nonsense", &context), 0);
	cr_expect_eq(btrace_to_traceparent(&context, text), 0);
	cr_expect_str_eq(text, "");
}

Test(own, a_forked_child_begins_below_but_its_parent_ends)
{
	btrace_span a = btrace_begin("a");
	struct span_slot child, after, s;
	int status;

	if (fork() == 0) {
		btrace_set_int(a, "from the child", 1);
		btrace_end(btrace_begin("in the child"));
		btrace_end(a);
		_exit(btrace_recording(a));
	}
	cr_assert_gt(wait(&status), 0);
	cr_expect_eq(status, 0);
	child = next();
	cr_expect(SAYS(&child, TAG_NAME, 0, "in the child"));
	cr_expect_eq(btrace_recording(a), 1);
	if (fork() == 0) {
		btrace_end(a);
		btrace_end(btrace_begin("after"));
		_exit(0);
	}
	cr_assert_gt(wait(&status), 0);
	after = next();
	s = ended(a);
	cr_expect(is_child(&child, &s));
	cr_expect(is_root(&after)); /* it had said that it is done with it */
	cr_expect_eq(strings(&s, TAG_ATTRIBUTE), 0);
}

Test(own, what_comes_before_the_policy_is_undecided_until_it_is_there, .init = begin_early)
{
	btrace_span a = btrace_begin("a"), b = btrace_begin("b");
	struct btrace_context context;
	struct span_slot inner, outer, asked;

	cr_assert(btrace_current(&context));
	cr_expect_eq(context.flags, 0);
	inner = ended(b);
	cr_expect_eq(inner.head.flags, SPAN_FLAG_UNDECIDED);
	traced_publish(policy);
	asked = call();
	cr_assert(btrace_context_of(a, &context));
	cr_expect_eq(context.flags, 1);
	outer = ended(a);
	cr_expect_eq(outer.head.flags, SPAN_FLAG_SAMPLED);
	cr_expect(is_child(&inner, &outer));
	cr_expect(is_child(&asked, &outer));
	expect_balance(2, 0, 0);
}

Test(own, what_was_undecided_and_lost_the_draw_is_counted, .init = begin_early)
{
	btrace_span a = btrace_begin("a");
	struct btrace_context context;

	policy->root = POLICY_ROOT_NEVER;
	traced_publish(policy);
	cr_assert(btrace_current(&context));
	cr_expect_eq(context.flags, 0);
	cr_expect_eq(btrace_recording(a), 0);
	btrace_end(a);
	cr_expect_eq(next().head.kind, 0);
	expect_balance(1, 1, 0);
}

Test(own, in_a_request_that_nobody_has_judged_the_exporter_judges, .init = begin_early)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot inner, s, server;
	btrace_span a;

	feed(c, true, GET);
	a = btrace_begin("a");
	traced_publish(policy);
	inner = ended(btrace_begin("b"));
	s = ended(a);
	feed(c, false, OK2);
	server = next();
	cr_expect_eq(s.head.flags, SPAN_FLAG_UNDECIDED | SPAN_FLAG_EARLY_REQUEST);
	cr_expect_eq(inner.head.flags, SPAN_FLAG_UNDECIDED | SPAN_FLAG_EARLY_REQUEST);
	cr_expect(is_child(&s, &server));
	cr_expect(is_child(&inner, &s));
}

Test(own, if_such_a_request_may_be_of_another_trace_nothing_is_begun_in_it, .init = begin_early)
{
	struct btrace_context context;

	feed(connection(CONN_SERVER), true, WITH(CONTEXT));
	cr_expect_eq(btrace_begin("a"), 0);
	cr_expect_eq(btrace_current(&context), 0);
	expect_balance(1, 0, 1);
}

Test(own, a_policy_that_says_off_begins_nothing)
{
	policy->mode = POLICY_OFF;
	cr_expect_eq(btrace_begin("a"), 0);
	expect_balance(0, 0, 0);
}

Test(own, the_context_that_one_open_request_came_with_stands_for_it)
{
	struct conn *one = connection(CONN_SERVER), *other = connection(CONN_SERVER);
	struct btrace_context context;
	struct span_slot s, elder, server;

	feed(one, true, WITH(CONTEXT));
	feed(other, true, GET);
	cr_assert(btrace_from_traceparent(CONTEXT, &context));
	s = ended(btrace_begin_in("in it", &context, 0));
	feed(one, false, OK2);
	server = next();
	cr_expect(is_child(&s, &server));
	cr_expect_eq(s.head.flags, SPAN_FLAG_SAMPLED);
	elder = ended(btrace_begin_in("too late", &context, 0));
	cr_expect(elder.head.flags & SPAN_FLAG_REMOTE_PARENT);
	cr_expect(!memcmp(elder.head.parent_span_id, context.span_id, 8));
}

Test(own, a_request_that_lost_the_draw_has_no_spans_nor_do_they_draw_again)
{
	struct conn *c = connection(CONN_SERVER);
	struct btrace_context context;

	policy->root = POLICY_ROOT_NEVER;
	feed(c, true, GET);
	policy->root = POLICY_ROOT_ALWAYS;
	cr_assert(btrace_current(&context));
	cr_expect_eq(context.flags, 0);
	btrace_end(btrace_begin("a"));
	cr_expect_eq(next().head.kind, 0);
	expect_balance(1, 1, 0);
}

Test(own, a_thread_that_worked_at_several_requests_does_not_say_whose_it_is)
{
	struct conn *a = connection(CONN_SERVER), *b = connection(CONN_SERVER);
	struct span_slot s;

	a->number = 1;
	b->number = 2;
	feed(a, true, GET);
	feed(b, true, GET);
	feed(a, false, OK2);
	next();
	s = ended(btrace_begin("left over from which?"));
	cr_expect(is_root(&s));
	cr_expect(is_ambiguous(&s));
	cr_expect_eq(strings(&s, TAG_LINK), 1);
}
