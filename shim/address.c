/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shim/sys.h"

void address_parse(const struct sockaddr *addr, socklen_t length, struct span_address *out)
{
	memset(out, 0, sizeof(*out));
	if (!addr || length < sizeof(sa_family_t))
		return;
	out->family = addr->sa_family;
	if (addr->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;

		memcpy(&in, addr, sizeof(in));
		out->port = ntohs(in.sin_port);
		memcpy(out->addr, &in.sin_addr, 4);
	} else if (addr->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;

		memcpy(&in, addr, sizeof(in));
		out->port = ntohs(in.sin6_port);
		memcpy(out->addr, &in.sin6_addr, 16);
	}
}

uint8_t address_path(const struct sockaddr *addr, socklen_t length, char out[108])
{
	struct sockaddr_un un = { 0 };
	size_t n;

	if (!addr || length <= offsetof(struct sockaddr_un, sun_path) || addr->sa_family != AF_UNIX)
		return 0;
	memcpy(&un, addr, length < sizeof(un) ? length : sizeof(un));
	n = (length < sizeof(un) ? length : sizeof(un)) - offsetof(struct sockaddr_un, sun_path);
	if (un.sun_path[0])
		n = strnlen(un.sun_path, n);
	else
		un.sun_path[0] = '@';
	memcpy(out, un.sun_path, n);
	return (uint8_t)n;
}

bool address_followed(uint16_t family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

bool address_connected_tcp(int fd, struct sockaddr_storage *peer)
{
	socklen_t length = sizeof(*peer), type_length = sizeof(int);
	int type = 0;

	return sys5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (void *)&type, (void *)&type_length) >= 0 &&
	       type == SOCK_STREAM && sys3(SYS_getpeername, fd, (void *)peer, (void *)&length) >= 0 &&
	       (peer->ss_family == AF_INET ||
		peer->ss_family == AF_INET6); /* UNIX: mostly socketpairs between processes */
}

bool address_listens(int fd)
{
	int listens = 0, type = 0;
	socklen_t length = sizeof(int), type_length = sizeof(int);
	struct stat st;

	/* fstat() first, which no sandbox forbids */
	return sys2(SYS_fstat, fd, (void *)&st) == 0 && S_ISSOCK(st.st_mode) &&
	       sys5(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, (void *)&listens, (void *)&length) >= 0 &&
	       listens &&
	       sys5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (void *)&type, (void *)&type_length) >= 0 &&
	       type == SOCK_STREAM;
}
