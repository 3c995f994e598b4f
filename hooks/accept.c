/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

EXPORT int listen(int fd, int backlog)
{
	int result = real.listen(fd, backlog);

	if (result == 0 && shim_armed())
		shim_listening(fd);
	return result;
}

int report_accepted(int listener, int fd, const struct sockaddr *addr, socklen_t length)
{
	if (fd >= 0 && shim_armed())
		shim_accepted(listener, fd, addr, length);
	return fd;
}

/*
 * The peer's address is wanted even where the host does not ask for it: later
 * the kernel may refuse it (ENOTCONN after a reset), and asking would be one
 * more system call. Where the host gives a buffer it is not touched beyond what
 * the kernel wrote.
 */
static socklen_t known_length(socklen_t given, socklen_t real_length)
{
	return real_length < given ? real_length : given;
}

static socklen_t given_length(const socklen_t *length)
{
	return shim_plausible(length, sizeof(*length)) ? *length : 0;
}

EXPORT int accept4(int fd, __SOCKADDR_ARG addr, socklen_t *length, int flags)
{
	struct sockaddr_storage own;
	socklen_t own_length = sizeof(own), given;
	int got;

	if (!shim_armed())
		return real.accept4(fd, addr, length, flags);
	if (!addr.__sockaddr__) {
		got = real.accept4(fd, (struct sockaddr *)&own, &own_length, flags);
		return report_accepted(fd, got, (struct sockaddr *)&own, own_length);
	}
	given = given_length(length);
	got = real.accept4(fd, addr, length, flags);
	return report_accepted(fd, got, addr.__sockaddr__, got < 0 ? 0 : known_length(given, *length));
}

EXPORT int accept(int fd, __SOCKADDR_ARG addr, socklen_t *length)
{
	struct sockaddr_storage own;
	socklen_t own_length = sizeof(own), given;
	int got;

	if (!shim_armed())
		return real.accept(fd, addr, length);
	if (!addr.__sockaddr__) {
		got = real.accept(fd, (struct sockaddr *)&own, &own_length);
		return report_accepted(fd, got, (struct sockaddr *)&own, own_length);
	}
	given = given_length(length);
	got = real.accept(fd, addr, length);
	return report_accepted(fd, got, addr.__sockaddr__, got < 0 ? 0 : known_length(given, *length));
}
