/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

static UNCOMMON ssize_t tracked_read(int fd, void *p, size_t n)
{
	return report_buffer(fd, SHIM_IN, p, n, real.read(fd, p, n));
}

EXPORT ssize_t read(int fd, void *p, size_t n)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.read(fd, p, n);
	return tracked_read(fd, p, n);
}

static UNCOMMON ssize_t tracked___read_chk(int fd, void *p, size_t n, size_t size)
{
	return report_buffer(fd, SHIM_IN, p, n, real.__read_chk(fd, p, n, size));
}

EXPORT ssize_t __read_chk(int fd, void *p, size_t n, size_t size)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.__read_chk(fd, p, n, size);
	return tracked___read_chk(fd, p, n, size);
}

static UNCOMMON ssize_t tracked_readv(int fd, const struct iovec *iov, int count)
{
	return report_vector(fd, SHIM_IN, iov, count < 0 ? 0 : (size_t)count, real.readv(fd, iov, count));
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.readv(fd, iov, count);
	return tracked_readv(fd, iov, count);
}

static UNCOMMON ssize_t tracked_recv(int fd, void *p, size_t n, int flags)
{
	return report_received(fd, p, n, flags, real.recv(fd, p, n, flags));
}

EXPORT ssize_t recv(int fd, void *p, size_t n, int flags)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.recv(fd, p, n, flags);
	return tracked_recv(fd, p, n, flags);
}

static UNCOMMON ssize_t tracked___recv_chk(int fd, void *p, size_t n, size_t size, int flags)
{
	return report_received(fd, p, n, flags, real.__recv_chk(fd, p, n, size, flags));
}

EXPORT ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.__recv_chk(fd, p, n, size, flags);
	return tracked___recv_chk(fd, p, n, size, flags);
}

static UNCOMMON ssize_t tracked_recvfrom(int fd, void *p, size_t n, int flags, __SOCKADDR_ARG from,
					 socklen_t *length)
{
	return report_received(fd, p, n, flags, real.recvfrom(fd, p, n, flags, from, length));
}

EXPORT ssize_t recvfrom(int fd, void *p, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *length)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.recvfrom(fd, p, n, flags, from, length);
	return tracked_recvfrom(fd, p, n, flags, from, length);
}

static UNCOMMON ssize_t tracked___recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags,
					       __SOCKADDR_ARG from, socklen_t *length)
{
	return report_received(fd, p, n, flags, real.__recvfrom_chk(fd, p, n, size, flags, from, length));
}

EXPORT ssize_t __recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags, __SOCKADDR_ARG from,
			      socklen_t *length)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.__recvfrom_chk(fd, p, n, size, flags, from, length);
	return tracked___recvfrom_chk(fd, p, n, size, flags, from, length);
}

ssize_t report_received_message(int fd, const struct msghdr *message, int flags, ssize_t result)
{
	if (flags & RECEIVE_LOOKS_ONLY || !shim_tracks(fd))
		return result;
	if (flags & MSG_TRUNC || result < 0) /* the message may be nowhere */
		shim_moved(fd, SHIM_IN, NULL, 0, result);
	else
		report_vector(fd, SHIM_IN, message->msg_iov, message->msg_iovlen, result);
	return result;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result = real.recvmsg(fd, message, flags);

	if (!shim_armed())
		return result;
	if (result >= 0 && message->msg_controllen)
		shim_received_control(message);
	return report_received_message(fd, message, flags, result);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout)
{
	int got = real.recvmmsg(fd, messages, n, flags, timeout);

	for (int i = 0; i < got && shim_armed(); i++) {
		if (messages[i].msg_hdr.msg_controllen)
			shim_received_control(&messages[i].msg_hdr);
		report_received_message(fd, &messages[i].msg_hdr, flags, messages[i].msg_len);
	}
	return got;
}
