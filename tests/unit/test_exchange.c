/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "shim/exchange.h"
#include "tests/unit/exchange_helper.h"

/* The pairing of requests and responses, in a process of its own and without sockets. */

Test(exchange, one_request_is_one_span_at_any_split, .init = begin)
{
	for (size_t piece = 1; piece < 60; piece++) {
		feed(true, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", piece);
		feed(false, OK2, piece);
		expect(200, SPAN_END_COMPLETE, 5, 2);
	}
	cr_assert_eq(counter(LEDGER_REQUESTS), 59);
}

Test(exchange, pipelined_requests_get_their_own_responses, .init = begin)
{
	request(GET GET GET);
	respond(OK2 NONE OK2);
	cr_assert_eq(finished(), 3);
	expect(200, SPAN_END_COMPLETE, 0, 2);
	expect(204, SPAN_END_COMPLETE, 0, 0);
	expect(200, SPAN_END_COMPLETE, 0, 2);
}

Test(exchange, a_hundred_pipelined_requests_keep_their_order, .init = begin)
{
	for (int i = 0; i < 100; i++)
		request(GET);
	for (int i = 0; i < 100; i++) {
		respond(i % 2 ? OK2 : NONE);
		expect(i % 2 ? 200 : 204, SPAN_END_COMPLETE, 0, i % 2 ? 2 : 0);
	}
}

Test(exchange, too_many_unanswered_requests_are_counted_and_given_up, .init = begin)
{
	for (int i = 0; i < 200; i++)
		request(GET);
	cr_assert_eq(counter(LEDGER_DROPPED_PIPELINE), 1);
	cr_assert_eq(counter(LEDGER_OPAQUE_BROKEN), 1);
	cr_assert_eq(counter(LEDGER_REQUESTS), counter(LEDGER_CLAIMED) + counter(LEDGER_DROPPED_PIPELINE));
}

Test(exchange, interim_responses_end_nothing, .init = begin)
{
	request("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	respond("HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n");
	cr_assert_eq(finished(), 0);
	request("ab");
	respond(OK2);
	expect(200, SPAN_END_COMPLETE, 2, 2);
}

Test(exchange, a_head_request_has_no_body_in_its_answer, .init = begin)
{
	request("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" GET);
	respond("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" OK2);
	expect(200, SPAN_END_COMPLETE, 0, 0);
	expect(200, SPAN_END_COMPLETE, 0, 2);
}

Test(exchange, an_answer_before_the_request_is_complete_ends_the_span, .init = begin)
{
	struct span_slot s;

	request("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc");
	respond("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	s = next();
	cr_assert_eq(s.head.status, 413);
	cr_assert(s.head.flags & SPAN_FLAG_REQUEST_BODY_CUT);
	request("the rest of the body is drained" GET);
	cr_assert_eq(counter(LEDGER_REQUESTS), 1);
}

Test(exchange, an_answer_in_the_middle_of_the_head_ends_the_span, .init = begin)
{
	request("GET /slow HTTP/1.1\r\nHost: h\r\nX-Half");
	respond("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	expect(408, SPAN_END_COMPLETE, 0, 0);
	request("-Header: y\r\n\r\n");
	cr_assert_eq(finished(), 0);
}

Test(exchange, a_body_that_looks_like_requests_makes_no_span, .init = begin)
{
	request("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\n" GET
		"\r\n0\r\n\r\n");
	respond(OK2);
	cr_assert_eq(counter(LEDGER_REQUESTS), 1);
	expect(200, SPAN_END_COMPLETE, 28, 2);
}

Test(exchange, a_close_delimited_body_ends_with_the_stream, .init = begin)
{
	request("GET /a HTTP/1.0\r\n\r\n");
	respond("HTTP/1.0 200 OK\r\n\r\nabc");
	cr_assert_eq(finished(), 0);
	conn_drop(c->index);
	expect(200, SPAN_END_COMPLETE, 0, 3);
}

Test(exchange, what_is_never_answered_ends_with_the_connection, .init = begin)
{
	request(GET GET);
	respond(OK2);
	conn_drop(c->index);
	expect(200, SPAN_END_COMPLETE, 0, 2);
	expect(0, SPAN_END_NO_RESPONSE, 0, 0);
}

Test(exchange, a_reset_leaves_the_real_status, .init = begin)
{
	request(GET);
	respond("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart");
	exchange_output_failed(c, ECONNRESET);
	conn_drop(c->index);
	expect(200, SPAN_END_RESET, 0, 4);
}

Test(exchange, unseen_bytes_count_as_body, .init = begin)
{
	request(GET);
	respond("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
	exchange_output_unseen(c, 4000);
	cr_assert_eq(finished(), 0);
	exchange_output_unseen(c, 1000);
	expect(200, SPAN_END_COMPLETE, 0, 5000);
}

Test(exchange, an_upgrade_ends_the_span_and_the_rest_is_left_alone, .init = begin)
{
	request("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	respond("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
		"websocket\r\n\r\n\x81\x02hi");
	cr_assert_eq(next().head.status, 101);
	request(GET);
	cr_assert_eq(counter(LEDGER_REQUESTS), 1);
	cr_assert_eq(counter(LEDGER_SWITCHED), 1);
}

Test(exchange, an_answer_without_a_status_line_is_one_malformed_answer, .init = begin)
{
	request("GET /a HTTP/1.1\r\n\r\n");
	respond("<html>Bad request</html>");
	expect(0, SPAN_END_MALFORMED, 0, 0);
}

Test(exchange, tls_and_other_protocols_are_left_alone, .init = begin)
{
	request("\x16\x03\x01\x02\x00\x01");
	cr_assert_eq(counter(LEDGER_OPAQUE_TLS), 1);
	c = conn_at(conn_new(CONN_SERVER));
	request("*1\r\n$4\r\nPING\r\n");
	cr_assert_eq(counter(LEDGER_OPAQUE_NOT_HTTP), 1);
	cr_assert_eq(counter(LEDGER_REQUESTS), 0);
	cr_assert_eq(finished(), 0);
}

Test(exchange, a_foretold_end_is_in_the_slot_before_the_write_and_taken_back_if_it_fails, .init = begin)
{
	struct iovec iov = { (void *)(uintptr_t)OK2, strlen(OK2) };

	request(GET);
	exchange_output_predict(c, &iov, 1, iov.iov_len);
	cr_assert_eq(shim.table.slot[0].head.end, SPAN_END_COMPLETE);
	cr_assert_eq(shim.table.slot[0].head.status, 200);
	exchange_output_unpredict(c);
	cr_assert_eq(shim.table.slot[0].head.end, SPAN_END_OPEN);
	respond(OK2);
	expect(200, SPAN_END_COMPLETE, 0, 2);
}

Test(exchange, a_close_delimited_answer_in_the_middle_of_the_head_ends_with_the_connection, .init = begin)
{
	request("GET /a HTTP/1.1\r\nHos");
	respond("HTTP/1.1 408 Timeout\r\nConnection: close\r\n\r\nlate");
	conn_drop(c->index);
	expect(408, SPAN_END_COMPLETE, 0, 4);
}

Test(exchange, a_malformed_request_line_is_answered_at_the_close_though_another_request_came, .init = begin)
{
	request("GET /a HTTP/1.x\r\n");
	respond("HTTP/1.1 400 Bad\r\n\r\n");
	request(GET);
	conn_drop(c->index);
	cr_expect_eq(finished(), 2u);
	cr_expect_eq(counter(LEDGER_REQUESTS), 2u);
}

Test(exchange, a_proxy_header_is_seen_in_any_split, .init = begin)
{
	for (size_t piece = 1; piece < 9; piece++) {
		begin();
		feed(true, "PROXY TCP4 192.0.2.7 127.0.0.1 5555 80\r\n" GET, piece);
		respond(OK2);
		cr_expect_eq(shim.table.slot[0].head.proxied.port, 5555);
		expect(200, SPAN_END_COMPLETE, 0, 2);
	}
}

Test(exchange, what_begins_like_a_proxy_header_and_is_none_is_http, .init = begin)
{
	for (size_t piece = 1; piece < 9; piece++) {
		begin();
		feed(true, "\r\nPROPFIND /a HTTP/1.1\r\n\r\n", piece);
		respond(OK2);
		expect(200, SPAN_END_COMPLETE, 0, 2);
		begin();
		feed(true, "PRO /a HTTP/1.1\r\n\r\n", piece);
		respond(OK2);
		expect(200, SPAN_END_COMPLETE, 0, 2);
	}
}

Test(exchange, after_a_contradiction_an_answer_is_followed_and_foretold_again, .init = begin)
{
	static const char again[] = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
	struct iovec iov = { (void *)(uintptr_t)again, sizeof(again) - 1 };

	request("HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
	respond("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	expect(200, SPAN_END_COMPLETE, 0, 0);
	respond("hello");
	cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY));
	exchange_output_predict(c, &iov, 1, iov.iov_len);
	conn_leave(c, CONN_OUT_BUSY);
	cr_expect_eq(shim.table.slot[pending_at(ring_front(c))->slot].head.end, SPAN_END_COMPLETE,
		     "not foretold");
	respond(again);
	expect(201, SPAN_END_COMPLETE, 0, 2);
	cr_expect_eq(counter(LEDGER_RESYNC), 1u);
}

Test(exchange, two_callers_on_one_direction_make_it_opaque, .init = begin)
{
	request(GET);
	cr_assert(conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY));
	cr_assert_not(conn_enter(c, atomic_load(&c->generation), CONN_OUT_BUSY));
	conn_leave(c, CONN_OUT_BUSY);
	cr_assert_eq(counter(LEDGER_OPAQUE_CONTENDED), 1);
	expect(0, SPAN_END_NO_RESPONSE, 0, 0);
}

Test(exchange, the_parent_comes_from_traceparent, .init = begin)
{
	struct span_slot s;

	request("GET /a HTTP/1.1\r\nHost: h\r\n"
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n");
	respond(OK2);
	s = next();
	cr_assert_eq(s.head.trace_id[0], 0x4b);
	cr_assert_eq(s.head.parent_span_id[7], 0xb7);
	cr_assert(s.head.flags & SPAN_FLAG_REMOTE_PARENT);
}

static struct span_slot served(const char *fields, size_t piece)
{
	char text[2048];

	snprintf(text, sizeof(text), "GET /a HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
	feed(true, text, piece);
	feed(false, OK2, SIZE_MAX / 2);
	return next();
}

/* In one read the parent is found before there is a slot, in two in the slot. */
Test(exchange, the_parent_is_the_same_at_any_split, .init = begin)
{
#define PARENT(flags) "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-" flags
	static const char *const rows[] = {
		"traceparent: " PARENT("01") "\r\n",
		"traceparent: " PARENT("03") "\r\n",
		"Traceparent:\t" PARENT("03") " \r\n",
		"traceparent: " PARENT("01") "\r\ntraceparent: " PARENT("01") "\r\n",
		"traceparent: " PARENT("01") "\r\ntraceparent:\r\n",
		"traceparent:\r\ntraceparent: " PARENT("01") "\r\n",
		"traceparent:\r\n",
		"traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\r\n",
		"traceparent: 01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more\r\n",
		"traceparent: 01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-"
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678\r\n",
		"traceparent: " PARENT("01") "\r\ntracestate: a=b\r\n",
		"traceparent: " PARENT("01") "\r\nb3: 0\r\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span_slot a = served(rows[i], SIZE_MAX / 2), b = served(rows[i], 7);
		bool remote = a.head.flags & SPAN_FLAG_REMOTE_PARENT;

		cr_expect_eq(a.head.flags, b.head.flags, "row %zu: %#x, %#x", i, a.head.flags, b.head.flags);
		cr_expect_eq(a.head.trace_flags, b.head.trace_flags, "row %zu", i);
		cr_expect_eq(memcmp(a.head.parent_span_id, b.head.parent_span_id, 8), 0, "row %zu", i);
		cr_expect_eq(!memcmp(a.head.trace_id, b.head.trace_id, 16), remote, "row %zu", i);
		cr_expect_eq(a.head.policy_version, b.head.policy_version, "row %zu", i);
		cr_expect_eq(a.head.tail_bytes, b.head.tail_bytes, "row %zu", i);
		cr_expect_eq(memcmp(a.tail, b.tail, a.head.tail_bytes), 0, "row %zu", i);
		cr_expect_eq(remote, i < 3 || i >= 8, "row %zu", i);
	}
	request("GET /a HTTP/1.1\r\nHost: h\r\ntraceparent: " PARENT("00") "\r\n\r\n");
	respond(OK2);
	cr_expect_eq(finished(), 0);
	cr_expect_eq(counter(LEDGER_SAMPLED_OUT), 1);
}

/* Is the text anywhere in the table? */
static bool in_table(const char *text)
{
	return memmem(shim.table.header, table_bytes(256), text, strlen(text)) != NULL;
}

Test(exchange, secrets_of_a_target_never_reach_the_table, .init = begin)
{
	static const char *const rows[][2] = {
		{ "GET /a?x=1&sig=hush&y=2 HTTP/1.1\r\nHost: h\r\n\r\n", "/a?x=1&sig=REDACTED&y=2" },
		{ "GET http://u:hush@h/a HTTP/1.1\r\nHost: h\r\n\r\n", "http://REDACTED:REDACTED@h/a" },
		{ "GET /a;jsessionid=hush HTTP/1.1\r\nHost: h\r\n\r\n", "/a;jsessionid=REDACTED" },
	};
	struct policy *policy = (struct policy *)(uintptr_t)table_policy(&shim.table);

	policy->redacted[policy->n_redacted++] = policy_key_hash("sig", 3);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		feed(true, rows[i][0], SIZE_MAX / 2);
		cr_expect(in_table(rows[i][1]), "%s", rows[i][1]);
		cr_expect_not(in_table("hush"), "%s", rows[i][0]);
		respond(NONE);
		expect(204, SPAN_END_COMPLETE, 0, 0);
	}
}

Test(exchange, a_target_is_scrubbed_at_any_split, .init = begin)
{
	struct policy *policy = (struct policy *)(uintptr_t)table_policy(&shim.table);

	policy->redacted[policy->n_redacted++] = policy_key_hash("sig", 3);
	for (size_t piece = 1; piece < 40; piece++) {
		feed(true, "GET http://u:pw@h/a?sig=hush&y=2 HTTP/1.1\r\nHost: h\r\n\r\n", piece);
		cr_expect(in_table("http://REDACTED:REDACTED@h/a?sig=REDACTED&y=2"));
		cr_expect_not(in_table("hush"));
		respond(NONE);
		expect(204, SPAN_END_COMPLETE, 0, 0);
	}
}

/* However it is cut: a connection that begins with this word begins with a PROXY header, or is none of ours.
 */
Test(exchange, first_request_with_the_method_PROXY_is_a_bad_header, .init = begin)
{
	static const size_t pieces[] = { 1, 6, 1000 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		c = conn_at(conn_new(CONN_SERVER));
		feed(true, "PROXY / HTTP/1.1\r\nHost: h\r\nA: bcdefgh\r\n\r\n", pieces[i]);
		cr_expect_eq(counter(LEDGER_REQUESTS), 0, "%zu", pieces[i]);
		cr_expect_eq(counter(LEDGER_OPAQUE_NOT_HTTP), i + 1, "%zu", pieces[i]);
	}
	c = conn_at(conn_new(CONN_SERVER));
	request("PROPFIND / HTTP/1.1\r\nHost: h\r\nA: bcdefgh\r\n\r\n");
	cr_expect_eq(counter(LEDGER_REQUESTS), 1);
}

Test(exchange, captured_headers_of_the_deny_list_are_recorded_without_their_value, .init = begin)
{
	static const char names[] = "cookie\0x-a\0set-cookie\0x-b";
	struct policy *policy = (struct policy *)(uintptr_t)table_policy(&shim.table);

	memcpy(policy->captured, names, sizeof names);
	policy->captured_request = policy->captured_response = 2;
	policy->captured_secret = 1u << 0 | 1u << 2;
	for (size_t piece = 1; piece < 100; piece += 3) {
		feed(true, "GET /a HTTP/1.1\r\nHost: h\r\nCookie: hush\r\nX-A: seen\r\n\r\n", piece);
		feed(false, "HTTP/1.1 204 No Content\r\nSet-Cookie: hush\r\nX-B: told\r\n\r\n", piece);
		cr_expect_not(in_table("hush"));
		for (size_t i = 0; i < 4; i++) {
			static const char *const wanted[] = { "cookie\0REDACTED", "x-a\0seen",
							      "set-cookie\0REDACTED", "x-b\0told" };
			static const size_t size[] = { 15, 8, 19, 8 };

			cr_expect(memmem(shim.table.header, table_bytes(256), wanted[i], size[i]), "%s",
				  wanted[i]);
		}
		expect(204, SPAN_END_COMPLETE, 0, 0);
	}
}

/* What a call cuts off of a line is kept outside of the connection, and only as long as the head goes on. */
Test(exchange, cut_lines_of_connections_do_not_mix_and_are_not_kept, .init = begin)
{
	static const char *const texts[] = { "GET /first HTTP/1.1\r\nHost: one\r\n\r\n",
					     "GET /other HTTP/1.1\r\nHost: two\r\n\r\n" };
	struct conn *both[] = { c, conn_at(conn_new(CONN_SERVER)) };
	bool kept = false;

	for (size_t at = 0; at < strlen(texts[0]); at++)
		for (int i = 0; i < 2; i++) {
			char byte[] = { texts[i][at], 0 };

			c = both[i];
			request(byte);
			kept |= both[0]->in_carry && both[1]->in_carry;
		}
	cr_expect(kept);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(both[i]->in_carry, 0);
		cr_expect(in_table(i ? "/other" : "/first") && in_table(i ? "two" : "one"));
		c = both[i];
		feed(false, NONE, 1);
		cr_expect_eq(c->out_carry, 0);
		expect(204, SPAN_END_COMPLETE, 0, 0);
	}
}
