/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/zipkin_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* An address with its port, or (no port) a name. */
struct rank {
	struct slice key, port;
};

#define NAME(key)                       \
	{                               \
		SLICE(key), { NULL, 0 } \
	}
#define ADDRESS(key, port)              \
	{                               \
		SLICE(key), SLICE(port) \
	}

static const struct rank server_ranks[] = {
	NAME("peer.service"),
	NAME("server.address"),
	NAME("net.peer.name"),
	ADDRESS("network.peer.address", "network.peer.port"),
	NAME("server.socket.domain"),
	ADDRESS("server.socket.address", "server.socket.port"),
	NAME("net.sock.peer.name"),
	ADDRESS("net.sock.peer.addr", "net.sock.peer.port"),
	NAME("peer.hostname"),
	NAME("peer.address"),
	NAME("db.name"),
};

static const struct rank client_ranks[] = {
	ADDRESS("client.address", "client.port"),
	ADDRESS("network.peer.address", "network.peer.port"),
	/* before 1.23 */
	ADDRESS("http.client_ip", "client.port"),
	ADDRESS("net.sock.peer.addr", "net.sock.peer.port"),
	ADDRESS("net.peer.ip", "net.peer.port"),
};

static const struct value *find(const struct span *span, struct slice key)
{
	for (size_t i = 0; i < span->attributes.n; i++)
		if (slice_equal(span->attributes.items[i].key, key))
			return &span->attributes.items[i].value;
	return NULL;
}

static bool is_address(int family, struct slice text)
{
	char terminated[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.n >= sizeof(terminated) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(terminated, text.p, text.n);
	terminated[text.n] = '\0';
	return inet_pton(family, terminated, &address) == 1;
}

/* False for what is no IP address: a UNIX socket's path, "unknown" of a proxy. */
static bool set_address(struct zipkin_endpoint *endpoint, struct slice text)
{
	static const struct slice mapped = SLICE("::ffff:");

	if (!text.n)
		return false;
	if (is_address(AF_INET, text)) {
		endpoint->ipv4 = text;
		return true;
	}
	if (!is_address(AF_INET6, text))
		return false;
	endpoint->ipv6 = text;
	if (text.n > mapped.n && memcmp(text.p, mapped.p, mapped.n) == 0) {
		struct slice rest = { text.p + mapped.n, text.n - mapped.n };

		if (is_address(AF_INET, rest))
			*endpoint = (struct zipkin_endpoint){ .ipv4 = rest };
	}
	return true;
}

static uint16_t port_of(const struct span *span, struct slice key)
{
	const struct value *port = find(span, key);

	if (!port || port->type != VALUE_INT || port->integer < 1 || port->integer > UINT16_MAX)
		return 0;
	return (uint16_t)port->integer;
}

static bool take_rank(struct zipkin_endpoint *endpoint, const struct span *span, const struct rank *rank)
{
	const struct value *value = find(span, rank->key);

	if (!value || value->type != VALUE_STRING || !value->string.n)
		return false;
	if (!rank->port.n) {
		endpoint->service_name = value->string;
		return true;
	}
	if (!set_address(endpoint, value->string))
		return false;
	endpoint->port = port_of(span, rank->port);
	return true;
}

bool zipkin_remote_endpoint(struct zipkin_endpoint *endpoint, const struct span *span)
{
	const struct rank *ranks = server_ranks;
	size_t n = sizeof(server_ranks) / sizeof(*server_ranks);

	*endpoint = (struct zipkin_endpoint){ 0 };
	if (span->kind == MODEL_KIND_INTERNAL || span->kind == MODEL_KIND_UNSPECIFIED)
		return false;
	if (span->kind == MODEL_KIND_SERVER || span->kind == MODEL_KIND_CONSUMER) {
		ranks = client_ranks;
		n = sizeof(client_ranks) / sizeof(*client_ranks);
	}
	for (size_t i = 0; i < n; i++)
		if (take_rank(endpoint, span, &ranks[i]))
			return true;
	return false;
}
