/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads as datagrams, for Jaeger's agent. Handed to the kernel is sent: UDP
 * tells no more. On a connected socket the kernel does tell, at the next send,
 * that nobody listens: said in the log, and the next address of the name is tried; the
 * new datagram is not lost for it.
 *
 * Datagrams are paced (pace.h), or a batch would overrun the agent's receive buffer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporters/transport/endpoint_url.h"
#include "exporters/transport/loop.h"
#include "exporters/transport/pace.h"
#include "exporters/transport/resolver.h"
#include "exporters/transport/transport.h"

enum {
	PACKET_MAX = 65000,
	PACKET_MIN = 512,
	DATAGRAM_MAX = 65507, /* of IPv4 */
	SEND_BUFFER = 1 << 20,
	RESOLVE_EVERY_MS = 60000,
	RESOLVE_AGAIN_MS = 5000, /* after trouble */
	FULL_MS = 1000,          /* how long a full socket or device queue is waited for */
	PAUSE_MS = 5,
	REFUSED_EVERY_MS = 10000,
};

struct udp {
	const struct endpoint *endpoint;
	struct transport_loop *loop;
	struct buf host; /* NUL-terminated */
	uint16_t port;
	bool direct; /* no name server is needed */
	struct addresses addresses;
	unsigned current;
	int fd;
	uint32_t limit; /* bytes of a datagram */
	struct pace pace;
	/* under way */
	struct slice bytes;
	bool busy;
	uint64_t until_ms; /* of the present wait */
	send_done *done;
	void *context;
	struct loop_timer timer;
	/* resolving */
	struct resolver *resolver;
	int resolver_fd;
	uint64_t resolved_ms; /* when it was last begun; 0 = never */
	/* what was told */
	uint64_t refused, refused_said_ms;
};

static void udp_try(struct udp *u);

/* --- addresses --- */

static void disconnect(struct udp *u)
{
	if (u->fd < 0)
		return;
	loop_remove_fd(u->loop, u->fd);
	close(u->fd);
	u->fd = -1;
}

/* Beginning with the current address, the first to which a socket can be connected. */
static int connect_any(struct udp *u)
{
	int rc = -EHOSTUNREACH, size = SEND_BUFFER;

	for (unsigned i = 0; i < u->addresses.n; i++) {
		const struct address *a = &u->addresses.item[u->current % u->addresses.n];

		u->fd = socket(a->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (u->fd >= 0 && connect(u->fd, (const struct sockaddr *)&a->at, a->length) == 0) {
			/* Less is taken if the system allows less; at least one datagram always fits. */
			(void)setsockopt(u->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
			return 0;
		}
		rc = -errno;
		disconnect(u);
		u->current++;
	}
	return rc;
}

static bool still_there(const struct addresses *list, const struct address *a)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->item[i].length == a->length && memcmp(&list->item[i].at, &a->at, a->length) == 0)
			return true;
	return false;
}

static void use_addresses(struct udp *u, const struct addresses *list)
{
	struct address now = { .length = 0 };

	if (u->addresses.n)
		now = u->addresses.item[u->current % u->addresses.n];
	if (now.length && still_there(list, &now))
		return;
	u->addresses = *list;
	u->current = 0;
	disconnect(u);
}

static void stop_resolving(struct udp *u)
{
	if (!u->resolver)
		return;
	loop_remove_fd(u->loop, u->resolver_fd);
	resolver_free(u->resolver);
	u->resolver = NULL;
}

static void report(struct udp *u, struct send_report r)
{
	loop_timer_cancel(u->loop, &u->timer);
	if (u->fd >= 0)
		loop_remove_fd(u->loop, u->fd);
	u->busy = false;
	u->done(u->context, &r);
}

static void report_text(struct udp *u, enum send_result result, const char *what, const char *why)
{
	struct send_report r = { .result = result };

	snprintf(r.message, sizeof(r.message), "%s%.180s", what, why);
	report(u, r);
}

static void resolved(void *context, short revents)
{
	struct udp *u = context;
	struct addresses list;
	int rc = resolver_result(u->resolver, &list);

	(void)revents;
	stop_resolving(u);
	if (rc == 0)
		use_addresses(u, &list);
	if (!u->busy || u->fd >= 0)
		return;
	if (u->addresses.n)
		udp_try(u);
	else
		report_text(u, SEND_RETRY, "cannot resolve the host: ", gai_strerror(rc));
}

/* In the background while there is an address to go on with. */
static void resolve(struct udp *u, uint64_t every_ms)
{
	uint64_t now = loop_now_ms();

	if (u->direct || u->resolver || (u->resolved_ms && now - u->resolved_ms < every_ms))
		return;
	u->resolved_ms = now;
	if (resolver_start(&u->resolver, u->host.p, u->port, &u->resolver_fd) < 0)
		return;
	if (loop_watch(u->loop, u->resolver_fd, POLLIN, resolved, u) < 0) {
		resolver_free(u->resolver);
		u->resolver = NULL;
	}
}

/* --- sending --- */

static void wait_over(void *context)
{
	struct udp *u = context;

	if (u->fd < 0 && !u->addresses.n)
		report_text(u, SEND_RETRY, "cannot resolve the host: ", "no answer in time");
	else
		udp_try(u);
}

static void wait_ready(void *context, short revents)
{
	(void)revents;
	udp_try(context);
}

static void say_refused(struct udp *u)
{
	uint64_t now = loop_now_ms();

	u->refused++;
	if (u->refused_said_ms && now - u->refused_said_ms < REFUSED_EVERY_MS)
		return;
	u->refused_said_ms = now;
	loop_say(u->loop, "%s: connection refused, does the agent listen? (%" PRIu64 " datagram%s)",
		 u->endpoint->label ? u->endpoint->label : "udp", u->refused, u->refused == 1 ? "" : "s");
	u->refused = 0;
}

/* EMSGSIZE: what the path takes, if the kernel knows, else half. */
static uint32_t smaller_limit(const struct udp *u)
{
	int mtu = 0;
	socklen_t size = sizeof(mtu);
	bool ip6 = u->addresses.item[u->current % u->addresses.n].at.ss_family == AF_INET6;
	uint32_t limit = (uint32_t)(u->bytes.n / 2), fits;

	if (getsockopt(u->fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_MTU : IP_MTU, &mtu, &size) == 0 &&
	    mtu > 48) {
		fits = (uint32_t)mtu - (ip6 ? 48 : 28);
		if (fits < u->bytes.n && fits <= DATAGRAM_MAX)
			limit = fits;
	}
	return limit < PACKET_MIN ? PACKET_MIN : limit;
}

static void too_large(struct udp *u)
{
	struct send_report r = { .result = SEND_TOO_LARGE, .max_bytes = u->limit };

	snprintf(r.message, sizeof(r.message), "a datagram of %zu bytes is too large", u->bytes.n);
	report(u, r);
}

/* Full for the moment: wait a little, but not for ever. */
static void wait_for_room(struct udp *u, int error)
{
	uint64_t now = loop_now_ms();

	if (!u->until_ms)
		u->until_ms = now + FULL_MS;
	if (now >= u->until_ms) {
		report_text(u, SEND_RETRY, "cannot send: ", strerror(error));
		return;
	}
	if (error == EAGAIN) {
		loop_remove_fd(u->loop, u->fd);
		if (loop_watch(u->loop, u->fd, POLLOUT, wait_ready, u) == 0) {
			loop_timer_set(u->loop, &u->timer, u->until_ms, wait_over, u);
			return;
		}
	}
	loop_timer_set(u->loop, &u->timer, now + PAUSE_MS, wait_over, u);
}

/* Another address of the name may be better off. */
static void next_address(struct udp *u)
{
	resolve(u, RESOLVE_AGAIN_MS);
	if (u->addresses.n < 2)
		return;
	disconnect(u);
	u->current++;
}

static int send_once(struct udp *u)
{
	int error = u->fd < 0 ? -connect_any(u) : 0;

	if (error)
		return error;
	while (send(u->fd, u->bytes.p, u->bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static void udp_try(struct udp *u)
{
	int error = 0;

	/* One round for each address, and one for the error of a datagram before. */
	for (unsigned i = 0; i <= u->addresses.n; i++) {
		error = send_once(u);
		if (error != ECONNREFUSED && error != ENETUNREACH && error != EHOSTUNREACH)
			break;
		if (error == ECONNREFUSED)
			say_refused(u);
		next_address(u);
	}
	switch (error) {
	case 0:
		pace_sent(&u->pace, u->bytes.n);
		report(u, (struct send_report){ .result = SEND_OK });
		break;
	case EMSGSIZE:
		u->limit = smaller_limit(u);
		too_large(u);
		break;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM: wait_for_room(u, error); break;
	default: disconnect(u); report_text(u, SEND_RETRY, "cannot send: ", strerror(error));
	}
}

static void udp_send(void *state, const struct payload *payload, send_done *done, void *context)
{
	struct udp *u = state;
	uint64_t now = loop_now_ms(), wait;

	u->bytes = payload->bytes;
	u->busy = true;
	u->until_ms = 0;
	u->done = done;
	u->context = context;
	if (payload->bytes.n > u->limit) {
		too_large(u);
		return;
	}
	resolve(u, u->addresses.n ? RESOLVE_EVERY_MS : 0);
	if (!u->addresses.n) {
		if (u->resolver)
			loop_timer_set(u->loop, &u->timer,
				       now + (u->endpoint->timeout_ms ? u->endpoint->timeout_ms : 10000),
				       wait_over, u);
		else
			report_text(u, SEND_RETRY, "cannot resolve the host: ", "no thread to do it");
		return;
	}
	wait = pace_wait_ms(&u->pace, now, u->bytes.n);
	if (wait)
		loop_timer_set(u->loop, &u->timer, now + wait, wait_over, u);
	else
		udp_try(u);
}

/* --- open and close --- */

static void udp_close(void *state)
{
	struct udp *u = state;

	stop_resolving(u);
	loop_timer_cancel(u->loop, &u->timer);
	disconnect(u);
	buf_release(&u->host);
	free(u);
}

static int udp_open(void **state, const struct endpoint *endpoint, const char *content_type,
		    struct transport_loop *loop, char error[256])
{
	struct endpoint_url url;
	struct udp *u = calloc(1, sizeof(*u));

	(void)content_type;
	snprintf(error, 256, "no memory");
	if (!u)
		return -ENOMEM;
	u->endpoint = endpoint;
	u->loop = loop;
	u->fd = -1;
	u->limit = endpoint->max_packet_bytes ? endpoint->max_packet_bytes : PACKET_MAX;
	if (!endpoint->url || !endpoint_url_parse(&url, slice_of(endpoint->url)) || !url.port) {
		snprintf(error, 256, "the endpoint is not of the form host:port");
		udp_close(u);
		return -EINVAL;
	}
	buf_printf(&u->host, "%.*s", (int)url.host.n, url.host.p);
	buf_add_byte(&u->host, '\0');
	if (u->host.failed) {
		udp_close(u);
		return -ENOMEM;
	}
	u->port = url.port;
	u->direct = resolver_direct(&u->addresses, u->host.p, u->port) == 0;
	*state = u;
	return 0;
}

const struct transport transport_udp = {
	.name = "udp",
	.in_flight = 1,
	.max_payload_bytes = PACKET_MAX,
	.open = udp_open,
	.send = udp_send,
	.close = udp_close,
};
