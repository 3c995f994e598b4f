/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

/* The pages of such a call are read later, when ours may hold something else. */
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

ssize_t report_rewritten(int fd, struct shim_send *send, int flags)
{
	while (shim_send_next(send)) {
		struct msghdr message = { .msg_iov = send->piece, .msg_iovlen = send->pieces };

		shim_send_done(send, real.sendmsg(fd, &message, flags));
	}
	return shim_send_result(send);
}

static UNCOMMON ssize_t tracked_write(int fd, const void *p, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct shim_send send;

	if (shim_sending(fd, &iov, 1, &send))
		return report_rewritten(fd, &send, 0);
	return report_buffer(fd, SHIM_OUT, p, n, real.write(fd, p, n));
}

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.write(fd, p, n);
	return tracked_write(fd, p, n);
}

static UNCOMMON ssize_t tracked_writev(int fd, const struct iovec *iov, int count)
{
	struct shim_send send;

	if (count > 0 && shim_sending(fd, iov, (size_t)count, &send))
		return report_rewritten(fd, &send, 0);
	return report_vector(fd, SHIM_OUT, iov, count < 0 ? 0 : (size_t)count, real.writev(fd, iov, count));
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return real.writev(fd, iov, count);
	return tracked_writev(fd, iov, count);
}

static UNCOMMON ssize_t tracked_send(int fd, const void *p, size_t n, int flags)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct shim_send send;

	if (shim_sending(fd, &iov, 1, flags & MSG_ZEROCOPY ? NULL : &send))
		return report_rewritten(fd, &send, flags);
	return report_buffer(fd, SHIM_OUT, p, n, real.send(fd, p, n, flags));
}

EXPORT ssize_t send(int fd, const void *p, size_t n, int flags)
{
	if (__builtin_expect(!shim_tracks(fd) || flags & MSG_OOB, 1))
		return real.send(fd, p, n, flags);
	return tracked_send(fd, p, n, flags);
}

static UNCOMMON ssize_t tracked_sendto(int fd, const void *p, size_t n, int flags, __CONST_SOCKADDR_ARG to,
				       socklen_t length)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct shim_send send;

	if (shim_sending(fd, &iov, 1, flags & MSG_ZEROCOPY || length ? NULL : &send))
		return report_rewritten(fd, &send, flags);
	return report_buffer(fd, SHIM_OUT, p, n, real.sendto(fd, p, n, flags, to, length));
}

EXPORT ssize_t sendto(int fd, const void *p, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length)
{
	if (__builtin_expect(!shim_tracks(fd) || flags & MSG_OOB, 1))
		return real.sendto(fd, p, n, flags, to, length);
	return tracked_sendto(fd, p, n, flags, to, length);
}

ssize_t report_sent_message(int fd, const struct msghdr *message, ssize_t result)
{
	if (result >= 0 && message->msg_controllen && shim_armed())
		shim_sent_control(message);
	if (result < 0) /* the message may be nowhere */
		shim_moved(fd, SHIM_OUT, NULL, 0, result);
	else if (shim_tracks(fd))
		report_vector(fd, SHIM_OUT, message->msg_iov, message->msg_iovlen, result);
	return result;
}

static UNCOMMON ssize_t tracked_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct shim_send send;

	if (shim_plausible(message, sizeof(*message)) &&
	    shim_sending(fd, message->msg_iov, message->msg_iovlen,
			 flags & (MSG_ZEROCOPY | MSG_OOB) || message->msg_controllen || message->msg_namelen
				 ? NULL
				 : &send))
		return report_rewritten(fd, &send, flags);
	return report_sent_message(fd, message, real.sendmsg(fd, message, flags));
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (__builtin_expect(!shim_tracks(fd), 1))
		return report_sent_message(fd, message, real.sendmsg(fd, message, flags));
	return tracked_sendmsg(fd, message, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	int sent = real.sendmmsg(fd, messages, n, flags);

	for (int i = 0; i < sent && shim_armed(); i++)
		report_sent_message(fd, &messages[i].msg_hdr, messages[i].msg_len);
	return sent;
}

static UNCOMMON ssize_t tracked_sendfile(int out, int in, off_t *offset, size_t n)
{
	ssize_t result;

	shim_sending_unseen(out, n);
	result = real.sendfile(out, in, offset, n);
	shim_moved_unseen(out, SHIM_OUT, result);
	return result;
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t n)
{
	if (__builtin_expect(!shim_tracks(out), 1))
		return real.sendfile(out, in, offset, n);
	return tracked_sendfile(out, in, offset, n);
}

static UNCOMMON ssize_t tracked_sendfile64(int out, int in, off64_t *offset, size_t n)
{
	ssize_t result;

	shim_sending_unseen(out, n);
	result = real.sendfile64(out, in, offset, n);
	shim_moved_unseen(out, SHIM_OUT, result);
	return result;
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t n)
{
	if (__builtin_expect(!shim_tracks(out), 1))
		return real.sendfile64(out, in, offset, n);
	return tracked_sendfile64(out, in, offset, n);
}

EXPORT ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t n, unsigned flags)
{
	ssize_t result = real.splice(in, in_offset, out, out_offset, n, flags);

	if (shim_tracks(in) && (result || n))
		shim_moved(in, SHIM_IN, NULL, 0, result);
	if (shim_tracks(out))
		shim_moved_unseen(out, SHIM_OUT, result);
	return result;
}
