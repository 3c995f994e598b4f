/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

#include <stdarg.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1u << 1)
#endif

/* Before the real close: afterwards another thread may have the number already. */
EXPORT int close(int fd)
{
	if (shim_tracks(fd))
		shim_closing(fd);
	return real.close(fd);
}

void report_closing_range(unsigned first, unsigned last, unsigned flags)
{
	if (shim_armed() && first <= last && !(flags & ~CLOSE_RANGE_UNSHARE))
		shim_closing_range(first, last);
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	report_closing_range(first, last, (unsigned)flags);
	return real.close_range(first, last, flags);
}

EXPORT void closefrom(int first)
{
	if (shim_armed())
		shim_closing_range(first < 0 ? 0 : (unsigned)first, ~0u);
	real.closefrom(first);
}

EXPORT int shutdown(int fd, int how)
{
	int result;

	if (!shim_tracks(fd))
		return real.shutdown(fd, how);
	result = real.shutdown(fd, how);
	if (result == 0)
		shim_shut_down(fd, how);
	return result;
}

int report_duplicate(int from, int to)
{
	if (to >= 0 && (shim_tracks(from) || shim_tracks(to)))
		shim_duplicated(from, to);
	return to;
}

EXPORT int dup(int fd) { return report_duplicate(fd, real.dup(fd)); }

EXPORT int dup2(int from, int to) { return report_duplicate(from, real.dup2(from, to)); }

EXPORT int dup3(int from, int to, int flags) { return report_duplicate(from, real.dup3(from, to, flags)); }

static int report_fcntl(int fd, int command, int result)
{
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? report_duplicate(fd, result) : result;
}

/* The third argument is an int or a pointer: passed on at full width either way. */
EXPORT int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return report_fcntl(fd, command, real.fcntl(fd, command, argument));
}

EXPORT int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return report_fcntl(fd, command, real.fcntl64(fd, command, argument));
}
