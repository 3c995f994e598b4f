/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall(2) by number: libuv closes sockets this way. Only the numbers that
 * move bytes or descriptors are looked at; everything is passed on unchanged at
 * full register width.
 */
#include "hooks/report.h"

#include <linux/seccomp.h>
#include <stdarg.h>

static bool locks_in(long number, const long a[6])
{
	if (number == SYS_prctl)
		return a[0] == PR_SET_SECCOMP;
	return number == SYS_seccomp && (a[0] == SECCOMP_SET_MODE_STRICT || a[0] == SECCOMP_SET_MODE_FILTER);
}

static long lock_in(long number, const long a[6])
{
	bool strict = number == SYS_prctl ? a[1] == SECCOMP_MODE_STRICT : a[0] == SECCOMP_SET_MODE_STRICT;
	bool ours = shim_locking_in();
	long result = real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);

	if (ours && result >= 0)
		shim_locked_in(strict);
	return result;
}

static void before(long number, const long a[6])
{
	int fd = (int)a[0];

	if (number == SYS_close && shim_tracks(fd))
		shim_closing(fd);
#ifdef SYS_close_range
	if (number == SYS_close_range)
		report_closing_range((unsigned)a[0], (unsigned)a[1], (unsigned)a[2]);
#endif
}

/* Of accept: how much of the peer's address the kernel will write. */
static socklen_t room_of(long number, const long a[6])
{
	bool accepts = number == SYS_accept4;

#ifdef SYS_accept
	accepts |= number == SYS_accept;
#endif
	return accepts && shim_plausible((void *)a[2], sizeof(socklen_t)) ? *(socklen_t *)a[2] : 0;
}

static void after_bytes(long number, const long a[6], long result)
{
	int fd = (int)a[0];

	if (!shim_tracks(fd) && number != SYS_splice)
		return;
	switch (number) {
	case SYS_read: report_buffer(fd, SHIM_IN, (void *)a[1], (size_t)a[2], result); break;
	case SYS_write: report_buffer(fd, SHIM_OUT, (void *)a[1], (size_t)a[2], result); break;
	case SYS_readv: report_vector(fd, SHIM_IN, (struct iovec *)a[1], (size_t)a[2], result); break;
	case SYS_writev: report_vector(fd, SHIM_OUT, (struct iovec *)a[1], (size_t)a[2], result); break;
	case SYS_recvfrom: report_received(fd, (void *)a[1], (size_t)a[2], (int)a[3], result); break;
	case SYS_sendto:
		if (!(a[3] & MSG_OOB))
			report_buffer(fd, SHIM_OUT, (void *)a[1], (size_t)a[2], result);
		break;
	case SYS_sendfile: shim_moved_unseen(fd, SHIM_OUT, result); break;
	case SYS_splice:
		if (shim_tracks(fd))
			shim_moved(fd, SHIM_IN, NULL, 0, result);
		if (shim_tracks((int)a[2]))
			shim_moved_unseen((int)a[2], SHIM_OUT, result);
		break;
	case SYS_getsockopt:
		if (result == 0 && a[1] == SOL_SOCKET && a[2] == SO_ERROR &&
		    *(socklen_t *)a[4] == sizeof(int))
			shim_socket_error(fd, (void *)a[3]);
		break;
	case SYS_shutdown:
		if (result == 0)
			shim_shut_down(fd, (int)a[1]);
		break;
	default: break;
	}
}

static void after(long number, const long a[6], socklen_t room, uint64_t begun_ns, long result)
{
	switch (number) {
#ifdef SYS_accept
	case SYS_accept:
#endif
	case SYS_accept4:
		if (result < 0 || !a[1])
			room = 0; /* the length may be nowhere */
		else if (*(socklen_t *)a[2] < room)
			room = *(socklen_t *)a[2];
		report_accepted((int)a[0], (int)result, (struct sockaddr *)a[1], room);
		break;
	case SYS_connect:
		shim_connected((int)a[0], (struct sockaddr *)a[1], (socklen_t)a[2], (int)result, begun_ns);
		break;
	case SYS_recvmsg:
		if (result >= 0 && ((struct msghdr *)a[1])->msg_controllen)
			shim_received_control((struct msghdr *)a[1]);
		report_received_message((int)a[0], (struct msghdr *)a[1], (int)a[2], result);
		break;
	case SYS_sendmsg: report_sent_message((int)a[0], (struct msghdr *)a[1], result); break;
	case SYS_dup:
#ifdef SYS_dup2
	case SYS_dup2:
#endif
	case SYS_dup3: report_duplicate((int)a[0], (int)result); break;
	case SYS_fcntl:
		if (a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC)
			report_duplicate((int)a[0], (int)result);
		break;
	default: after_bytes(number, a, result);
	}
}

EXPORT long syscall(long number, ...)
{
	va_list list;
	long a[6], result;
	socklen_t room;
	uint64_t begun_ns;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!shim_armed())
		return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	room = room_of(number, a);
	if (locks_in(number, a))
		return lock_in(number, a);
	before(number, a);
	begun_ns = number == SYS_connect ? shim_connecting() : 0;
	result = real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	after(number, a, room, begun_ns, result);
	return result;
}
