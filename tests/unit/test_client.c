/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client_helper.h"

Test(client, what_a_thread_asks_while_it_serves_one_request_is_its_child, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	feed(c, true, GET);
	child = call("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
	feed(c, false, OK2);
	parent = next();
	cr_assert(is_child(&child, &parent));
	cr_expect(!is_ambiguous(&child));
	cr_expect_eq(child.head.kind, SPAN_KIND_CLIENT);
	cr_expect_eq(child.head.request_body_bytes, 2);
	cr_expect_eq(child.head.response_body_bytes, 2);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 1);
	cr_expect_eq(counter(LEDGER_CLIENT_CLAIMED), 1);
	cr_expect_eq(counter(LEDGER_REQUESTS), 1);
}

Test(client, what_is_asked_after_the_answer_is_nobodys_child, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child;

	feed(c, true, GET);
	feed(c, false, OK2);
	next();
	child = call(GET);
	cr_assert(is_root(&child));
	cr_expect(!is_ambiguous(&child));
}

Test(client, a_kept_connection_does_not_remember, .init = begin)
{
	struct conn *c = connection(CONN_SERVER), *kept = connection(CONN_CLIENT);
	struct span_slot child, parent;

	for (int i = 0; i < 5; i++) {
		feed(c, true, GET);
		feed(kept, true, GET);
		feed(kept, false, OK2);
		child = next();
		feed(c, false, OK2);
		parent = next();
		cr_assert(is_child(&child, &parent));
	}
	feed(kept, true, GET);
	feed(kept, false, OK2);
	child = next();
	cr_assert(is_root(&child));
}

Test(client, with_two_open_requests_on_the_thread_it_has_links_to_both, .init = begin)
{
	struct span_slot child;

	feed(connection(CONN_SERVER), true, GET);
	feed(connection(CONN_SERVER), true, GET);
	child = call(GET);
	cr_assert(is_root(&child));
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 2);
	cr_expect_eq(counter(LEDGER_CLIENT_AMBIGUOUS), 1);
}

Test(client, another_threads_request_is_a_candidate_and_no_parent, .init = begin)
{
	struct span_slot child;

	other_thread(GET);
	child = call(GET);
	cr_assert(is_root(&child));
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 1);
}

Test(client, too_many_candidates_are_not_listed, .init = begin)
{
	struct span_slot child;

	for (int i = 0; i < 9; i++)
		feed(connection(CONN_SERVER), true, GET);
	child = call(GET);
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 0);
}

Test(client, the_threads_own_request_goes_before_those_of_other_threads, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;

	other_thread(GET);
	feed(c, true, GET);
	other_thread(GET);
	child = call(GET);
	feed(c, false, OK2);
	parent = next();
	cr_assert(is_child(&child, &parent));
	cr_expect(!is_ambiguous(&child));
}

Test(client, the_header_of_an_open_request_tells_the_parent_among_many, .init = begin)
{
	struct conn *c;
	struct span_slot child, parent;

	feed(connection(CONN_SERVER), true, GET);
	c = other_thread(WITH(CONTEXT));
	feed(connection(CONN_SERVER), true, GET);
	child = call(WITH(CONTEXT));
	feed(c, false, OK2);
	parent = next();
	cr_assert(is_child(&child, &parent));
	cr_expect(!is_ambiguous(&child));
}

Test(client, a_header_that_two_open_requests_came_with_stays_the_parent, .init = begin)
{
	struct span_slot child;

	other_thread(WITH(CONTEXT));
	other_thread(WITH(CONTEXT));
	child = call(WITH(CONTEXT));
	cr_expect(is_ambiguous(&child));
	cr_expect_eq(links(&child), 2);
	cr_expect_eq(child.head.trace_id[0], 0x4b);
	cr_expect_eq(child.head.parent_span_id[7], 0xb7);
}

Test(client, a_header_of_nobodys_is_kept_whatever_the_thread_serves, .init = begin)
{
	struct span_slot child;

	feed(connection(CONN_SERVER), true, GET);
	child = call(WITH(CONTEXT));
	cr_expect_eq(child.head.trace_id[0], 0x4b);
	cr_expect_eq(child.head.parent_span_id[7], 0xb7);
	cr_expect(!is_ambiguous(&child));
}

Test(client, children_of_what_is_not_recorded_are_not_recorded, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);

	feed(c, true, WITH(UNSAMPLED));
	call(GET);
	cr_expect_eq(counter(LEDGER_CLIENT_SAMPLED_OUT), 1);
	feed(c, false, OK2);
	call(WITH(UNSAMPLED));
	cr_expect_eq(counter(LEDGER_CLIENT_SAMPLED_OUT), 2);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 2);
	cr_expect_eq(counter(LEDGER_CLIENT_CLAIMED), 0);
}

Test(client, a_forked_child_asks_for_its_forkers_request_while_that_is_open, .init = begin)
{
	struct conn *c = connection(CONN_SERVER);
	struct span_slot child, parent;
	int status, go[2], gone[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(go) | pipe(gone), 0);
	other_thread(GET);
	feed(c, true, GET);
	pid = fork();
	if (!pid) {
		struct conn *kept = connection(CONN_CLIENT);

		feed(kept, true, GET);
		feed(kept, false, OK2);
		byte = write(gone[1], "1", 1) == 1 && read(go[0], &byte, 1) == 1;
		feed(kept, true, GET);
		feed(kept, false, OK2);
		_exit(!byte);
	}
	cr_assert_eq(read(gone[0], &byte, 1), 1);
	child = next();
	feed(c, false, OK2);
	parent = next();
	cr_expect(is_child(&child, &parent));
	cr_assert_eq(write(go[1], "2", 1), 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	child = next();
	cr_expect(is_root(&child));
}

Test(client, a_partial_write_is_not_parsed_twice, .init = begin)
{
	static const char text[] = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789" GET;
	struct conn *c = connection(CONN_CLIENT);
	size_t n = sizeof(text) - 1;
	struct span_slot s;

	for (size_t at = 0; at < n; at += 7) {
		struct iovec iov = { (void *)(uintptr_t)(text + at), n - at };
		bool again = at % 2;

		cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_IN_BUSY));
		connect_sending(c, &iov, 1);
		connect_sent(c, &iov, 1, again ? -1 : (ssize_t)(n - at < 7 ? n - at : 7), EAGAIN);
		if (again) {
			cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_IN_BUSY));
			connect_sending(c, &iov, 1);
			connect_sent(c, &iov, 1, (ssize_t)(n - at < 7 ? n - at : 7), 0);
		}
	}
	feed(c, false, OK2 OK2);
	s = next();
	cr_expect_eq(s.head.request_body_bytes, 10);
	cr_expect_eq(next().head.request_body_bytes, 0);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 2);
	cr_expect_eq(c->ahead, 0);
}

Test(client, how_it_ended, .init = begin)
{
	struct conn *c = connection(CONN_CLIENT);

	feed(c, true, GET);
	conn_drop(c->index);
	cr_expect_eq(next().head.end, SPAN_END_CLIENT_CLOSED);
	c = connection(CONN_CLIENT);
	feed(c, true, GET);
	cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY));
	connect_received(c, NULL, 0, 0, 0);
	cr_expect_eq(next().head.end, SPAN_END_NO_RESPONSE);
	c = connection(CONN_CLIENT);
	feed(c, true, GET);
	cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY));
	connect_received(c, NULL, 0, -1, ECONNRESET);
	conn_drop(c->index);
	cr_expect_eq(next().head.end, SPAN_END_RESET);
}

Test(client, other_protocols_are_left_alone, .init = begin)
{
	feed(connection(CONN_CLIENT), true, "*1\r\n$4\r\nPING\r\n");
	feed(connection(CONN_CLIENT), true, "\x16\x03\x01\x02\x00\x01");
	feed(connection(CONN_CLIENT), false, "220 mail ESMTP\r\n");
	cr_expect_eq(counter(LEDGER_CLIENT_OPAQUE), 3);
	cr_expect_eq(counter(LEDGER_CLIENT_REQUESTS), 0);
	cr_expect_eq(counter(LEDGER_OPAQUE_TLS) + counter(LEDGER_OPAQUE_NOT_HTTP), 0);
}
