/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t length)
{
	uint64_t begun_ns = shim_connecting();
	int result = real.connect(fd, addr, length);

	if (shim_armed())
		shim_connected(fd, addr.__sockaddr__, length, result, begun_ns);
	return result;
}

static UNCOMMON int tracked_getsockopt(int fd, void *value, socklen_t *length)
{
	int result = real.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length);

	if (result == 0 && *length == sizeof(int))
		shim_socket_error(fd, value);
	return result;
}

/* How a connect() that was left under way has gone. */
EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	if (__builtin_expect(name != SO_ERROR || level != SOL_SOCKET || !shim_tracks(fd), 1))
		return real.getsockopt(fd, level, name, value, length);
	return tracked_getsockopt(fd, value, length);
}
