/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/decide.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "exporters/policy/exclude.h"
#include "shim/exchange.h"
#include "shim/spill.h"
#include "tests/lib/traced.h"

/* The verdict at the end of a head, from bytes on: no sockets, no exporter. */

static struct conn *c;

static void begin(void)
{
	traced_table(512);
	c = conn_at(conn_new(CONN_SERVER));
}

/* A policy that samples all and excludes what this pattern finds. */
static void publish(const char *pattern, uint32_t flags)
{
	struct exclude_error error;
	struct policy *policy = traced_policy();
	size_t used;

	cr_assert_eq(exclude_compile(&pattern, 1, (uint8_t *)policy + POLICY_HEAD_BYTES,
				     POLICY_BYTES - POLICY_HEAD_BYTES, &used, &error),
		     0, "%s", error.text);
	policy->automaton_bytes = (uint32_t)used;
	policy->flags = flags;
	traced_publish(policy);
}

static void listen_at(struct conn *to, uint16_t family, uint16_t port, const void *address, size_t n)
{
	to->local.family = family;
	to->local.port = port;
	memcpy(to->local.addr, address, n);
}

static void send_to(struct conn *to, const char *text, size_t n, size_t piece)
{
	for (size_t at = 0; at < n; at += piece) {
		struct iovec iov = { (void *)(uintptr_t)(text + at), n - at < piece ? n - at : piece };

		cr_assert(conn_enter(to, atomic_load(&to->generation), CONN_IN_BUSY));
		exchange_input(to, &iov, 1, iov.iov_len);
		exchange_leave_input(to);
	}
}

static uint64_t counter(enum ledger what)
{
	uint64_t n = 0;

	for (unsigned p = 0; p < TABLE_PROCESSES; p++)
		for (unsigned s = 0; s < TABLE_SHARDS; s++)
			n += atomic_load(&shim.table.process[p].counter[s][what]);
	return n;
}

static void fresh_connection(void)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	conn_drop(c->index);
	c = conn_at(conn_new(CONN_SERVER));
	listen_at(c, 2, 3000, loopback, 4);
}

/* "GET /" + `before` bytes of a + what + `after` bytes of b, and the rest of a head. To be freed. */
static char *request_with(const char *what, size_t before, size_t after)
{
	static const char end[] = " HTTP/1.1\r\nHost: shop.example\r\n\r\n";
	size_t n = strlen(what);
	char *text = malloc(5 + before + n + after + sizeof(end)), *p = text;

	cr_assert_not_null(text);
	memcpy(p, "GET /", 5);
	memset(p + 5, 'a', before);
	memcpy(p + 5 + before, what, n);
	memset(p + 5 + before + n, 'b', after);
	memcpy(p + 5 + before + n + after, end, sizeof(end));
	return text;
}

static bool is_excluded(const char *what, size_t before, size_t after, size_t piece)
{
	char *text = request_with(what, before, after);
	uint64_t count = counter(LEDGER_EXCLUDED), requests = counter(LEDGER_REQUESTS);

	fresh_connection();
	send_to(c, text, strlen(text), piece);
	free(text);
	cr_assert_eq(counter(LEDGER_REQUESTS), requests + 1);
	return counter(LEDGER_EXCLUDED) > count;
}

/* Where the slot's copy of the target ends, what is behind it, up to the limit of a head. */
static const size_t places[] = { 0,    1,    1000, 1014, 1015, 1016, 1017, 1018,  1019,  1020,  1021, 1022,
				 1023, 1024, 1025, 2047, 5000, 8191, 8192, 16000, 30000, 60000, 65000 };
#define PLACES (sizeof(places) / sizeof(*places))

Test(decide, patterns_see_the_whole_path_however_it_arrives, .init = begin)
{
	static const size_t pieces[] = { SIZE_MAX / 2, 1, 7, 1024, 16384 };

	publish("^http://127\\.0\\.0\\.1:3000/a*/metrics/b*x?$", 0);
	for (size_t i = 0; i < PLACES; i++)
		for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
			cr_assert(is_excluded("/m%65tri%63s/", places[i], 3, pieces[k]), "at %zu by %zu",
				  places[i], pieces[k]);
			cr_assert_not(is_excluded("/metric/", places[i], 3, pieces[k]), "at %zu by %zu",
				      places[i], pieces[k]);
			cr_assert_not(is_excluded("?/metrics/", places[i], 3, pieces[k]),
				      "query at %zu by %zu", places[i], pieces[k]);
		}
}

Test(decide, a_secret_that_is_not_recorded_does_not_hide_what_is_behind_it, .init = begin)
{
	publish("/metrics/", 0);
	for (size_t i = 0; i < PLACES; i++) {
		cr_assert(is_excluded("/x;jsessionid=c0ffee/metrics/", places[i], 3, 100), "at %zu",
			  places[i]);
		cr_assert_not(is_excluded("/x?sig=c0ffee/metrics/", places[i], 3, 100), "at %zu", places[i]);
		cr_assert_not(is_excluded("/x#/metrics/", places[i], 3, 100), "at %zu", places[i]);
	}
}

Test(decide, the_host_header_stands_in_front_though_it_comes_behind, .init = begin)
{
	publish("^http://shop\\.example/a*/metrics/b*$", POLICY_FLAG_URL_FROM_HOST);
	for (size_t i = 0; i < PLACES; i++) {
		cr_assert(is_excluded("/metrics/", places[i], 9, SIZE_MAX / 2), "at %zu", places[i]);
		cr_assert(is_excluded("/metrics/", places[i], 300, 1000), "at %zu", places[i]);
		cr_assert_not(is_excluded("/metrics", places[i], 9, 1000), "at %zu", places[i]);
	}
}

Test(decide, the_rest_of_one_target_is_not_anothers, .init = begin)
{
	char *text = request_with("/metrics", 3000, 0);

	publish("metrics", 0);
	fresh_connection();
	send_to(c, text, 2000, 2000); /* not its end: the head is open */
	conn_drop(c->index);
	cr_assert_eq(counter(LEDGER_EXCLUDED), 0);
	c = conn_at(conn_new(CONN_SERVER));
	for (int i = 0; i < 3; i++) {
		send_to(c, "GET /a HTTP/1.1\r\n\r\n", 19, 19);
		cr_assert_eq(counter(LEDGER_EXCLUDED), (uint64_t)i);
		send_to(c, text, strlen(text), 100);
		cr_assert_eq(counter(LEDGER_EXCLUDED), (uint64_t)i + 1);
	}
	free(text);
}

Test(decide, long_targets_cannot_take_all_memory_and_give_back_what_they_took, .init = begin)
{
	char *text = request_with("/metrics", 3000, 0);
	static struct conn *many[SPILLS_MAX + 10];
	uint64_t excluded = 0;

	publish("metrics", 0);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < SPILLS_MAX + 10; i++) {
			many[i] = conn_at(conn_new(CONN_SERVER));
			send_to(many[i], text, 2000, 2000);
		}
		for (size_t i = 0; i < SPILLS_MAX + 10; i++) {
			if (round != 1) /* in the second round they are closed as they are */
				send_to(many[i], text + 2000, strlen(text) - 2000, SIZE_MAX / 2);
			conn_drop(many[i]->index);
		}
		excluded += round != 1 ? SPILLS_MAX : 0;
		cr_assert_eq(counter(LEDGER_EXCLUDED), excluded, "%lu in round %d",
			     (unsigned long)counter(LEDGER_EXCLUDED), round);
	}
	free(text);
}

static bool excluded_at(uint16_t family, uint16_t port, const void *address, size_t n, const char *pattern)
{
	uint64_t count = counter(LEDGER_EXCLUDED);

	publish(pattern, 0);
	fresh_connection();
	listen_at(c, family, port, address, n);
	send_to(c, "GET /a HTTP/1.1\r\nHost: other\r\n\r\n", 32, 32);
	return counter(LEDGER_EXCLUDED) > count;
}

Test(decide, what_is_kept_of_one_listener_or_policy_is_not_used_for_another, .init = begin)
{
	static const uint8_t here[4] = { 192, 0, 2, 10 }, there[4] = { 192, 0, 2, 11 };

	for (int round = 0; round < 3; round++) {
		cr_expect(excluded_at(2, 3000, here, 4, "^http://192\\.0\\.2\\.10:3000/a$"));
		cr_expect_not(excluded_at(2, 3000, here, 4, "^http://192\\.0\\.2\\.11:3000/a$"));
		cr_expect(excluded_at(2, 3000, there, 4, "^http://192\\.0\\.2\\.11:3000/a$"));
		cr_expect_not(excluded_at(2, 3001, there, 4, "^http://192\\.0\\.2\\.11:3000/a$"));
	}
	publish("^http://192\\.0\\.2\\.10:3000/a$", 0);
	for (int round = 0; round < 3; round++)
		for (int at = 0; at < 2; at++) {
			uint64_t count = counter(LEDGER_EXCLUDED);

			fresh_connection();
			listen_at(c, 2, 3000, at ? there : here, 4);
			send_to(c, "GET /a HTTP/1.1\r\nHost: other\r\n\r\n", 32, 32);
			cr_expect_eq(counter(LEDGER_EXCLUDED) > count, !at);
		}
}

Test(decide, the_address_of_the_listener_as_asgi_writes_it, .init = begin)
{
	static const struct {
		uint8_t address[16];
		uint16_t port;
		const char *pattern;
	} ipv6[] = {
		{ { [15] = 1 }, 3000, "^http://::1:3000/a$" },
		{ { [15] = 1 }, 80, "^http://::1/a$" },
		{ { 0 }, 8080, "^http://:::8080/a$" },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x42 }, 65535, "^http://2001:db8::42:65535/a$" },
		{ { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
		  1,
		  "^http://2001:db8:0:1:1:1:1:1:1/a$" },
		{ { 0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 }, 1, "^http://2001:0:0:1::1:1/a$" },
		{ { 0xfe, 0x80 }, 1, "^http://fe80:::1/a$" },
		{ { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde,
		    0xf0 },
		  65535,
		  "^http://1234:5678:9abc:def0:1234:5678:9abc:def0:65535/a$" },
		{ { [10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1 },
		  3000,
		  "^http://::ffff:192\\.0\\.2\\.1:3000/a$" },
	};
	static const uint8_t ipv4[4] = { 192, 0, 2, 10 };

	for (size_t i = 0; i < sizeof(ipv6) / sizeof(*ipv6); i++)
		cr_expect(excluded_at(10, ipv6[i].port, ipv6[i].address, 16, ipv6[i].pattern), "%s",
			  ipv6[i].pattern);
	cr_expect(excluded_at(2, 3000, ipv4, 4, "^http://192\\.0\\.2\\.10:3000/a$"));
	cr_expect(excluded_at(2, 80, ipv4, 4, "^http://192\\.0\\.2\\.10/a$"));
	cr_expect(excluded_at(1, 0, ipv4, 0, "^http://0\\.0\\.0\\.0/a$"));
	cr_expect_not(excluded_at(10, 80, ipv6[0].address, 16, "other"),
		      "the Host header is not the listener");
}

Test(decide, long_headers_do_not_push_out_those_that_decide, .init = begin)
{
	static const char *const headers[] = { "User-Agent: ", "X-Forwarded-For: ", "Forwarded: ",
					       "X-Forwarded-Host: " };
	char text[8192], filler[601];
	struct span_slot copy;
	uint32_t cursor = 0;
	int n;

	memset(filler, 'f', 600);
	filler[600] = 0;
	publish("nothing", 0);
	fresh_connection();
	n = snprintf(text, sizeof(text), "GET /%s%s HTTP/1.1\r\nHost: h\r\n", filler, filler);
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s\r\n", headers[i], filler);
	n += snprintf(text + n, sizeof(text) - (size_t)n,
		      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n\r\n");
	send_to(c, text, (size_t)n, (size_t)n);
	cr_assert_eq(counter(LEDGER_SAMPLED_OUT), 1, "the parent says no");
	cr_assert_eq(table_take(&shim.table, &cursor, 1, &copy), TABLE_NO_SLOT);
}
