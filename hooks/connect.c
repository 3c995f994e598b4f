/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t length)
{
	int result = real.connect(fd, addr, length);

	if (shim_armed())
		shim_connected(fd, addr.__sockaddr__, length, result);
	return result;
}
