/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/connect.h"
#include "shim/decide.h"
#include "shim/exchange.h"

/* Requests that a process makes while it answers others: whose children they are. Without sockets. */

#define GET           "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK2           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CONTEXT       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define UNSAMPLED     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
#define WITH(context) "GET /a HTTP/1.1\r\nHost: h\r\ntraceparent: " context "\r\n\r\n"

static struct shim_self *self_page;
static struct policy *policy;
static uint32_t cursor;

static void begin(void)
{
	static const uint8_t seed[32] = { 3 };
	size_t bytes = table_bytes(256);
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t version;

	cr_assert_neq(base, MAP_FAILED);
	self_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_eq(madvise(self_page, 4096, MADV_WIPEONFORK), 0);
	shim.self = self_page;
	shim.clock_gettime = clock_gettime;
	cr_assert_eq(table_create(&shim.table, base, bytes, 256, seed), 0);
	policy = table_next_policy(&shim.table, &version);
	policy->version = version;
	policy->mode = POLICY_ON;
	policy->root = POLICY_ROOT_ALWAYS;
	policy->flags = POLICY_FLAG_CLIENT_SPANS;
	policy->wanted_fields = UINT32_MAX;
	policy->propagators[0] = POLICY_PROPAGATOR_TRACECONTEXT;
	table_publish_policy(&shim.table, version);
}

static struct conn *connection(enum conn_role role) { return conn_at(conn_new(role)); }

/* On either kind of connection: a request goes by, or a response. */
static void feed(struct conn *c, bool request, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };

	cr_assert(conn_enter(c, atomic_load(&c->generation), request ? CONN_IN_BUSY : CONN_OUT_BUSY));
	if (!request) {
		exchange_output(c, &iov, 1, iov.iov_len);
		conn_leave(c, CONN_OUT_BUSY);
	} else if (c->role == CONN_CLIENT) {
		connect_sending(c, &iov, 1);
		connect_sent(c, &iov, 1, (ssize_t)iov.iov_len, 0);
	} else {
		exchange_input(c, &iov, 1, iov.iov_len);
		exchange_leave_input(c);
	}
}

static void *read_elsewhere(void *text)
{
	struct conn *c = connection(CONN_SERVER);

	feed(c, true, text);
	return c;
}

/* A request that another thread has read and not yet answered. */
static struct conn *other_thread(const char *text)
{
	pthread_t thread;
	void *c;

	cr_assert_eq(pthread_create(&thread, NULL, read_elsewhere, (void *)(uintptr_t)text), 0);
	cr_assert_eq(pthread_join(thread, &c), 0);
	return c;
}

static uint64_t counter(enum ledger what)
{
	uint64_t n = 0;

	for (unsigned p = 0; p < TABLE_PROCESSES; p++)
		for (unsigned s = 0; s < TABLE_SHARDS; s++)
			n += atomic_load(&shim.table.process[p].counter[s][what]);
	return n;
}

/* The next finished span; all zero if there is none. */
static struct span_slot next(void)
{
	struct span_slot copy = { 0 };
	uint32_t slot;

	cursor = 0;
	slot = table_take(&shim.table, &cursor, 1, &copy);
	if (slot != TABLE_NO_SLOT)
		table_release(&shim.table, slot, 1);
	return copy;
}

static struct span_slot call(const char *text)
{
	struct conn *c = connection(CONN_CLIENT);

	feed(c, true, text);
	feed(c, false, OK2);
	return next();
}

static unsigned links(const struct span_slot *s)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;
	unsigned found = 0;

	while (span_next_string(s, &pos, &tag, &value, &n))
		found += tag == TAG_LINK;
	return found;
}

static bool is_child(const struct span_slot *child, const struct span_slot *parent)
{
	return !memcmp(child->head.trace_id, parent->head.trace_id, 16) &&
	       !memcmp(child->head.parent_span_id, parent->head.span_id, 8);
}

static bool is_root(const struct span_slot *s)
{
	static const uint8_t zero[8];

	return span_record_valid(s) && s->head.kind == SPAN_KIND_CLIENT &&
	       !memcmp(s->head.parent_span_id, zero, 8);
}

static bool is_ambiguous(const struct span_slot *s) { return s->head.flags & SPAN_FLAG_AMBIGUOUS_PARENT; }

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

Test(client, a_thread_that_had_two_open_may_send_what_either_left_over, .init = begin)
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

Test(client, a_thread_that_works_on_after_its_answer_may_do_so_again, .init = begin)
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

Test(client, a_connection_made_for_one_request_is_not_first_used_for_another, .init = begin)
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

Test(client, a_parent_that_came_before_the_policy_is_judged_as_the_exporter_will, .init = begin)
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

Test(client, sent_before_the_policy_it_is_left_to_the_exporter, .init = begin)
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

Test(client, pipelined_requests_make_no_event_loop, .init = begin)
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
