/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporters/transport/loop.h"
#include "exporters/transport/resolver.h"
#include "exporters/transport/transport.h"

static struct transport_loop loop;
static struct send_report last;
static int reports, lines;
static char said[300];

static void take_report(void *context, const struct send_report *report)
{
	(void)context;
	last = *report;
	reports++;
}

static void take_line(void *context, const char *line)
{
	(void)context;
	lines++;
	snprintf(said, sizeof(said), "%s", line);
}

/* A bound socket; port 0: any. */
static int receiver(int family, uint16_t *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *at = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t length = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	v6.sin6_port = v4.sin_port = htons(*port);
	cr_assert_eq(bind(fd, at, length), 0, "%s", strerror(errno));
	cr_assert_eq(getsockname(fd, at, &length), 0);
	*port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return fd;
}

static void *open_udp(struct endpoint *endpoint, const char *host, uint16_t port)
{
	static char url[100];
	char error[256];
	void *state = NULL;

	snprintf(url, sizeof(url), "%s:%u", host, port);
	endpoint->url = endpoint->label = url;
	loop_init(&loop, take_line, NULL);
	cr_assert_eq(transport_udp.open(&state, endpoint, NULL, &loop, error), 0, "%s", error);
	return state;
}

static enum send_result send_bytes(void *state, const char *p, size_t n)
{
	struct payload payload = { { p, n }, 1, false };
	int before = reports;

	transport_udp.send(state, &payload, take_report, NULL);
	while (reports == before)
		cr_assert_eq(loop_wait(&loop, 10000), 0);
	return last.result;
}

static void assert_received(int fd, const char *text)
{
	char got[100];
	ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	cr_assert_eq(n, (ssize_t)strlen(text), "%s: %zd", text, n);
	cr_assert_eq(memcmp(got, text, strlen(text)), 0);
}

static void arrives(int family, const char *host)
{
	struct endpoint endpoint = { 0 };
	uint16_t port = 0;
	int fd = receiver(family, &port);
	void *state = open_udp(&endpoint, host, port);

	cr_assert_eq(send_bytes(state, "one", 3), SEND_OK);
	cr_assert_eq(send_bytes(state, "two", 3), SEND_OK);
	assert_received(fd, "one");
	assert_received(fd, "two");
	transport_udp.close(state);
}

Test(udp, arrives_over_ip4) { arrives(AF_INET, "127.0.0.1"); }

Test(udp, arrives_over_ip6) { arrives(AF_INET6, "[::1]"); }

Test(udp, arrives_at_localhost) { arrives(AF_INET, "localhost"); }

Test(udp, error_of_the_datagram_before_does_not_lose_the_new_one)
{
	struct endpoint endpoint = { 0 };
	uint16_t port = 0;
	int fd = receiver(AF_INET, &port);
	void *state;

	close(fd);
	state = open_udp(&endpoint, "127.0.0.1", port);
	cr_assert_eq(send_bytes(state, "lost", 4), SEND_OK, "the kernel took it");
	fd = receiver(AF_INET, &port);
	cr_assert_eq(send_bytes(state, "new", 3), SEND_OK);
	assert_received(fd, "new");
	cr_assert_eq(lines, 1);
	cr_assert_not_null(strstr(said, "connection refused, does the agent listen? (1 datagram)"), "%s",
			   said);
	transport_udp.close(state);
}

Test(udp, next_address_of_the_name_is_tried_after_a_refusal)
{
	struct endpoint endpoint = { 0 };
	uint16_t port = 0;
	int fd = receiver(AF_INET6, &port);
	void *state = open_udp(&endpoint, "localhost", port);

	cr_assert_eq(send_bytes(state, "to 127.0.0.1", 12), SEND_OK);
	cr_assert_eq(send_bytes(state, "to ::1", 6), SEND_OK);
	assert_received(fd, "to ::1");
	transport_udp.close(state);
}

Test(udp, payload_beyond_the_limit_is_too_large_and_says_the_limit)
{
	struct endpoint endpoint = { .max_packet_bytes = 1000 };
	static char bytes[70000];
	uint16_t port = 0;
	int fd = receiver(AF_INET, &port);
	void *state = open_udp(&endpoint, "127.0.0.1", port);

	cr_assert_eq(send_bytes(state, bytes, 1001), SEND_TOO_LARGE);
	cr_assert_eq(last.max_bytes, 1000);
	cr_assert_eq(send_bytes(state, bytes, 1000), SEND_OK);
	transport_udp.close(state);
	close(fd);
}

Test(udp, kernel_that_says_emsgsize_lowers_the_limit)
{
	struct endpoint endpoint = { .max_packet_bytes = 70000 };
	static char bytes[70000];
	uint16_t port = 0;
	uint32_t limit;
	int fd = receiver(AF_INET, &port);
	void *state = open_udp(&endpoint, "127.0.0.1", port);

	cr_assert_eq(send_bytes(state, bytes, 65508), SEND_TOO_LARGE);
	limit = last.max_bytes;
	cr_assert_lt(limit, 65508);
	cr_assert_eq(send_bytes(state, bytes, limit), SEND_OK);
	cr_assert_eq(send_bytes(state, bytes, limit + 1), SEND_TOO_LARGE, "learnt");
	transport_udp.close(state);
	close(fd);
}

Test(udp, burst_is_paced_and_whole, .timeout = 20)
{
	struct endpoint endpoint = { 0 };
	static char bytes[32768];
	uint16_t port = 0;
	int fd = receiver(AF_INET, &port), got = 0;
	void *state = open_udp(&endpoint, "127.0.0.1", port);
	uint64_t begin = loop_now_ms();

	for (int i = 0; i < 40; i++) {
		cr_assert_eq(send_bytes(state, bytes, sizeof(bytes)), SEND_OK);
		while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			got++;
	}
	cr_assert_eq(got, 40);
	cr_assert_geq(loop_now_ms() - begin, 30, "4 at once, then 1 a millisecond");
	transport_udp.close(state);
	close(fd);
}

/* A label of 64 characters is no name: getaddrinfo says so without asking anybody. */
#define NO_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test"

Test(udp, name_that_cannot_be_resolved_is_tried_again_later, .timeout = 20)
{
	struct endpoint endpoint = { .timeout_ms = 5000 };
	void *state = open_udp(&endpoint, NO_NAME, 6831);

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(send_bytes(state, "x", 1), SEND_RETRY);
		cr_assert_not_null(strstr(last.message, "cannot resolve the host: "), "%s", last.message);
	}
	transport_udp.close(state);
}

Test(udp, closing_never_waits_for_a_name_server, .timeout = 20)
{
	struct endpoint endpoint = { 0 };
	struct payload payload = { SLICE("x"), 1, false };

	for (int i = 0; i < 50; i++) {
		void *state = open_udp(&endpoint, NO_NAME, 6831);

		transport_udp.send(state, &payload, take_report, NULL);
		transport_udp.close(state);
	}
	cr_assert_eq(reports, 0, "what was under way is cancelled");
}

Test(udp, endpoint_without_a_port_is_refused)
{
	struct endpoint endpoint = { .url = "localhost" };
	char error[256] = "";
	void *state;

	loop_init(&loop, NULL, NULL);
	cr_assert_eq(transport_udp.open(&state, &endpoint, NULL, &loop, error), -EINVAL);
	cr_assert_str_eq(error, "the endpoint is not of the form host:port");
}

Test(udp, numbers_and_localhost_need_no_name_server)
{
	struct addresses list;

	cr_assert_eq(resolver_direct(&list, "127.0.0.1", 1), 0);
	cr_assert_eq(list.n, 1);
	cr_assert_eq(resolver_direct(&list, "::1", 1), 0);
	cr_assert_eq(resolver_direct(&list, "LocalHost", 1), 0);
	cr_assert_eq(list.n, 2);
	cr_assert_eq(resolver_direct(&list, "agent.example", 1), -EAGAIN);
	cr_assert_eq(list.n, 0);
}
