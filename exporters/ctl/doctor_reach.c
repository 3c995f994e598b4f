/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is anybody there where spans are to go? A connection is opened and closed
 * again; what a receiver says to spans only the exporter's own try can tell.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "exporters/ctl/doctor.h"
#include "exporters/transport/endpoint_url.h"

#define PATIENCE_MS 2000

/* 0 or an errno. */
static int try_address(const struct sockaddr *address, socklen_t n, int type)
{
	int fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(error);

	if (fd < 0)
		return errno;
	if (connect(fd, address, n) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&wait, 1, PATIENCE_MS) > 0)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	close(fd);
	return error;
}

/* A free UDP port can only be seen on this machine: binding to it would succeed. */
static bool is_free_here(const struct addrinfo *a)
{
	const struct sockaddr_in *ip4 = (const void *)a->ai_addr;
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = ip4->sin_port };
	bool free_port;
	int fd;

	if (a->ai_family != AF_INET || ntohl(ip4->sin_addr.s_addr) >> 24 != 127)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	free_port = fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0;
	if (fd >= 0)
		close(fd);
	return free_port;
}

static void told_unreachable(struct doctor *d, const struct config_exporter *e, const char *why)
{
	doctor_add(d, FINDING_PROBLEM, "start the receiver, or mend the endpoint in the config",
		   "%s: nobody can be reached there: %s", e->what ? e->what : e->name, why);
}

static void reach_unix(struct doctor *d, const struct config_exporter *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", e->endpoint.path);
	error = try_address((const struct sockaddr *)&address, sizeof(address), SOCK_STREAM);
	if (error)
		told_unreachable(d, e, strerror(error));
	else
		doctor_add(d, FINDING_OK, NULL, "%s: somebody listens", e->what ? e->what : e->name);
}

static void reach_host(struct doctor *d, const struct config_exporter *e, const char *host, unsigned port)
{
	bool udp = !strcmp(e->transport, "udp");
	struct addrinfo hints = { .ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM }, *found = NULL;
	char service[16];
	int rc, error = ENOENT;

	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &found);
	if (rc) {
		told_unreachable(d, e, gai_strerror(rc));
		return;
	}
	if (udp && found && is_free_here(found))
		told_unreachable(d, e, "no process has that UDP port");
	else if (udp)
		doctor_add(d, FINDING_NOTE, NULL, "%s: UDP tells nobody whether it arrives",
			   e->what ? e->what : e->name);
	for (const struct addrinfo *a = found; !udp && a && error; a = a->ai_next)
		error = try_address(a->ai_addr, a->ai_addrlen, SOCK_STREAM);
	if (!udp && error)
		told_unreachable(d, e, strerror(error));
	else if (!udp)
		doctor_add(d, FINDING_OK, NULL, "%s: somebody listens", e->what ? e->what : e->name);
	freeaddrinfo(found);
}

void doctor_reach(struct doctor *d, const struct config_exporter *e)
{
	struct endpoint_url url;
	char host[256];
	unsigned port;

	if (!strcmp(e->transport, "file") || !strcmp(e->transport, "console"))
		return; /* config_check_files() looks at those */
	if (e->endpoint.path) {
		reach_unix(d, e);
		return;
	}
	if (!e->endpoint.url || !endpoint_url_parse(&url, slice_of(e->endpoint.url)) || !url.host.n)
		return;
	port = url.port                                                         ? url.port
	       : slice_is(url.scheme, "https") || slice_is(url.scheme, "grpcs") ? 443
										: 80;
	snprintf(host, sizeof(host), "%.*s", (int)url.host.n, url.host.p);
	if (e->endpoint.use_proxy_environment)
		doctor_add(d, FINDING_NOTE, NULL,
			   "%s: a proxy of the environment may be used; that way was not tried",
			   e->what ? e->what : e->name);
	reach_host(d, e, host, port);
}
