/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/transport/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t write_after_poll(int fd, const char *p, size_t n)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	size_t piece = isatty(fd) ? STREAM_TERMINAL_PIECE : STREAM_PIECE;

	if (poll(&wait, 1, 0) <= 0)
		return 0;
	if (wait.revents & POLLNVAL)
		return -EBADF;
	if (!(wait.revents & (POLLOUT | POLLERR | POLLHUP)))
		return 0;
	n = write(fd, p, n < piece ? n : piece);
	return (ssize_t)n < 0 ? -errno : (ssize_t)n;
}

static ssize_t write_once(int fd, const char *p, size_t n)
{
	struct iovec v = { (void *)p, n < STREAM_PIECE ? n : STREAM_PIECE };
	struct stat st;
	ssize_t done;

	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode)) {
		done = send(fd, v.iov_base, v.iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return done < 0 ? -errno : done;
	}
	done = pwritev2(fd, &v, 1, -1, RWF_NOWAIT);
	if (done >= 0)
		return done;
	if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS || errno == EPERM)
		return write_after_poll(fd, p, n);
	return -errno;
}

ssize_t stream_write_some(int fd, const char *p, size_t n)
{
	ssize_t done;

	if (n == 0)
		return 0;
	do
		done = write_once(fd, p, n);
	while (done == -EINTR);
	return done == -EAGAIN || done == -EWOULDBLOCK ? 0 : done;
}

ssize_t stream_write(int fd, const char *p, size_t n)
{
	size_t at = 0;
	ssize_t done;

	while (at < n) {
		done = stream_write_some(fd, p + at, n - at);
		if (done < 0)
			return at ? (ssize_t)at : done;
		if (done == 0)
			break;
		at += (size_t)done;
	}
	return (ssize_t)at;
}
