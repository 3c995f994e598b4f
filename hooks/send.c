/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/report.h"

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
	if (!shim_tracks(fd))
		return real.write(fd, p, n);
	report_sending(fd, p, n);
	return report_buffer(fd, SHIM_OUT, p, n, real.write(fd, p, n));
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	if (!shim_tracks(fd))
		return real.writev(fd, iov, count);
	if (count > 0)
		shim_sending(fd, iov, (size_t)count);
	return report_vector(fd, SHIM_OUT, iov, count < 0 ? 0 : (size_t)count, real.writev(fd, iov, count));
}

EXPORT ssize_t send(int fd, const void *p, size_t n, int flags)
{
	if (!shim_tracks(fd) || flags & MSG_OOB)
		return real.send(fd, p, n, flags);
	report_sending(fd, p, n);
	return report_buffer(fd, SHIM_OUT, p, n, real.send(fd, p, n, flags));
}

EXPORT ssize_t sendto(int fd, const void *p, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length)
{
	if (!shim_tracks(fd) || flags & MSG_OOB)
		return real.sendto(fd, p, n, flags, to, length);
	report_sending(fd, p, n);
	return report_buffer(fd, SHIM_OUT, p, n, real.sendto(fd, p, n, flags, to, length));
}

ssize_t report_sent_message(int fd, const struct msghdr *message, ssize_t result)
{
	if (result >= 0 && message->msg_controllen && shim_armed())
		shim_sent_control(message);
	if (shim_tracks(fd))
		report_vector(fd, SHIM_OUT, message->msg_iov, message->msg_iovlen, result);
	return result;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (shim_tracks(fd))
		shim_sending(fd, message->msg_iov, message->msg_iovlen);
	return report_sent_message(fd, message, real.sendmsg(fd, message, flags));
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	int sent = real.sendmmsg(fd, messages, n, flags);

	for (int i = 0; i < sent && shim_armed(); i++)
		report_sent_message(fd, &messages[i].msg_hdr, messages[i].msg_len);
	return sent;
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t n)
{
	ssize_t result;

	if (!shim_tracks(out))
		return real.sendfile(out, in, offset, n);
	shim_sending_unseen(out, n);
	result = real.sendfile(out, in, offset, n);
	shim_moved_unseen(out, SHIM_OUT, result);
	return result;
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t n)
{
	ssize_t result;

	if (!shim_tracks(out))
		return real.sendfile64(out, in, offset, n);
	shim_sending_unseen(out, n);
	result = real.sendfile64(out, in, offset, n);
	shim_moved_unseen(out, SHIM_OUT, result);
	return result;
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
