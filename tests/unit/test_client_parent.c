/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client_helper.h"

/* Where the thread does not tell the parent; and what has none. */

Test(client_parent, a_thread_that_had_two_open_may_send_what_either_left_over, .init = begin)
{
	struct conn *a = connection(CONN_SERVER), *b = connection(CONN_SERVER);
	struct span_slot child;

	feed(a, true, GET);
	feed(b, true, GET);
	feed(a, false, OK2);
	next();
	child = call(GET);
	cr_assert(is_root(&child));
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 1);
}

Test(client_parent, a_thread_that_works_on_after_its_answer_may_do_so_again, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child;

	feed(c, true, GET);
	feed(c, false, OK2);
	next();
	child = call(GET);
	cr_expect(is_root(&child));
	cr_expect(!is_ambiguous(&child));
	feed(c, true, GET);
	child = call(GET);
	cr_assert(is_root(&child));
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 1);
}

/* As node does with a request that waited for a socket: sent when the answer before it comes, with whatever
 * is open. */
Test(client_parent, what_is_sent_on_an_answer_to_an_older_request_may_be_that_ones, .init = begin)
{
	struct conn *old = connection(CONN_SERVER), *new = connection(CONN_SERVER), *kept;
	struct span_slot child;

	feed(old, true, GET);
	kept = connection(CONN_CLIENT);
	kept->opener = serving_opening(clock_now_ns());
	feed(kept, true, GET);
	feed(old, false, OK2);
	next();
	feed(new, true, GET);
	feed(kept, false, OK2);
	child = next();
	cr_expect(!is_root(&child));
	feed(kept, true, GET);
	feed(kept, false, OK2);
	child = next();
	cr_expect(is_root(&child));
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 1);
}

/* A client reads the body to its end, though whoever asked wanted no more than the status. */
Test(client_parent, rest_of_an_answer_is_no_work_beyond_it, .init = begin)
{
	struct conn *server = connection(CONN_SERVER), *probe = connection(CONN_CLIENT);
	struct span_slot child;

	feed(server, true, GET);
	feed(probe, true, GET);
	feed(probe, false, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
	feed(server, false, OK2);
	next();
	feed(probe, false, "ok");
	next();
	feed(server, true, GET);
	feed(connection(CONN_CLIENT), true, GET);
	feed(server, false, OK2);
	child = next();
	cr_expect_eq(child.head.kind, SPAN_KIND_SERVER);
	cr_expect_not(serving_was_mixed(clock_now_ns()));
}

Test(client_parent, a_connection_made_for_one_request_is_not_first_used_for_another, .init = begin)
{
	struct conn *a = connection(CONN_SERVER), *b = connection(CONN_SERVER),
		    *made = connection(CONN_CLIENT);
	struct span_slot child, parent;

	feed(a, true, GET);
	made->opener = serving_opening(1);
	feed(a, false, OK2);
	next();
	feed(b, true, GET);
	feed(made, true, GET);
	feed(made, false, OK2);
	child = next();
	cr_assert(is_root(&child));
	cr_expect(is_ambiguous(&child));
	feed(made, true, GET); /* kept, it is anybody's */
	feed(made, false, OK2);
	child = next();
	feed(b, false, OK2);
	parent = next();
	cr_expect(is_child(&child, &parent));
}

/* Requests that are read before the policy is there; table_policy() then gives NULL. */
static void hide_policy(bool hide) { atomic_store(&shim.table.header->policy, hide ? 0 : 1); }

Test(client_parent, a_parent_that_came_before_the_policy_is_judged_as_the_exporter_will, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	hide_policy(true);
	feed(c, true, WITH(CONTEXT));
	hide_policy(false);
	child = call(GET);
	cr_assert(!is_ambiguous(&child));
	feed(c, false, OK2);
	parent = next();
	cr_assert(parent.head.flags & SPAN_FLAG_UNDECIDED);
	cr_assert_eq(decide(NULL, policy, &parent, NULL, NULL), DECIDE_SAMPLED);
	cr_expect(is_child(&child, &parent));
	hide_policy(true);
	feed(c, true, WITH(UNSAMPLED));
	hide_policy(false);
	call(GET);
	cr_expect_eq(counter(LEDGER_CLIENT_SAMPLED_OUT), 1);
}

Test(client_parent, sent_before_the_policy_it_is_left_to_the_exporter, .init = begin)
{
	struct span_slot child;

	hide_policy(true);
	child = call(WITH(CONTEXT));
	cr_expect(child.head.flags & SPAN_FLAG_UNDECIDED);
	cr_assert_eq(decide_client_late(NULL, policy, &child), DECIDE_SAMPLED);
	cr_expect_eq(child.head.parent_span_id[7], 0xb7);
	child = call(WITH(UNSAMPLED));
	cr_expect_eq(decide_client_late(NULL, policy, &child), DECIDE_SAMPLED_OUT);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 2);
}

Test(client_parent, telemetry_of_the_programs_own_is_nobodys_request, .init = begin)
{
#define EXPORT(target) "POST " target " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
	static const char *const own[] = { EXPORT("/v1/traces"), EXPORT("/otlp/v1/metrics"),
					   EXPORT("/v1/logs?x=/y"), EXPORT("/api/v2/spans"),
					   EXPORT("/api/traces?format=jaeger.thrift") };
	static const char *const others[] = { EXPORT("/v1/tracesx"), EXPORT("/v1/traces/1"),
					      EXPORT("/a?b=/v1/traces"),
					      "GET /v1/traces HTTP/1.1\r\nHost: h\r\n\r\n" };
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	for (unsigned i = 0; i < 5; i++)
		cr_expect_eq(call(own[i]).head.kind, 0, "%s", own[i]);
	cr_expect_eq(counter(LEDGER_CLIENT_EXCLUDED), 5);
	for (unsigned i = 0; i < 4; i++)
		cr_expect_eq(call(others[i]).head.kind, SPAN_KIND_CLIENT, "%s", others[i]);
	feed(c, true, EXPORT("/v1/traces")); /* passed on, as a proxy does */
	child = call(EXPORT("/v1/traces"));
	feed(c, false, OK2);
	parent = next();
	cr_expect(is_child(&child, &parent));
}

Test(client_parent, pipelined_requests_make_no_event_loop, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	feed(c, true, GET GET);
	feed(c, false, OK2);
	next();
	child = call(GET);
	feed(c, false, OK2);
	parent = next();
	cr_assert(is_child(&child, &parent));
}

/* One that finds its connection closed by the server. */
static void find_closed(struct conn *c, const char *text)
{
	feed(c, true, text);
	cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY));
	connect_received(c, NULL, 0, 0, 0);
}

Test(client_resent, the_same_request_at_once_on_a_new_connection, .init = begin)
{
	find_closed(connection(CONN_CLIENT), GET);
	cr_expect_eq(next().head.resend_count, 0);
	find_closed(connection(CONN_CLIENT), GET);
	cr_expect_eq(next().head.resend_count, 1);
	cr_expect_eq(call(GET).head.resend_count, 2);
	cr_expect_eq(call(GET).head.resend_count, 0);
}

Test(client_resent, another_one_or_one_on_a_kept_connection_is_none, .init = begin)
{
	struct conn *kept = connection(CONN_CLIENT);

	feed(kept, true, GET);
	feed(kept, false, OK2);
	next();
	find_closed(connection(CONN_CLIENT), GET);
	next();
	cr_expect_eq(call("GET /b HTTP/1.1\r\nHost: h\r\n\r\n").head.resend_count, 0);
	cr_expect_eq(call(GET).head.resend_count, 0);
	find_closed(connection(CONN_CLIENT), GET);
	next();
	cr_expect_eq(call("GET /a HTTP/1.1\r\nHost: other\r\n\r\n").head.resend_count, 0);
	find_closed(connection(CONN_CLIENT), GET);
	next();
	feed(kept, true, GET);
	feed(kept, false, OK2);
	cr_expect_eq(next().head.resend_count, 0);
}
