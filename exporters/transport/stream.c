/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/transport/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Terminals say POLLOUT when a single byte fits, and have no RWF_NOWAIT. But
 * opening one again gives an open file description of our own, with its own
 * O_NONBLOCK; it is closed at once, or `script`, ssh and tmux would wait for us.
 */
static ssize_t write_terminal(int fd, const char *p, size_t n)
{
	char name[32];
	ssize_t done;
	int own;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	own = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return -ENOTTY;
	done = write(own, p, n);
	if (done < 0)
		done = -errno;
	close(own);
	return done;
}

static ssize_t write_after_poll(int fd, const char *p, size_t n)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	bool terminal = isatty(fd);
	ssize_t done;

	if (poll(&wait, 1, 0) <= 0)
		return 0;
	if (wait.revents & POLLNVAL)
		return -EBADF;
	if (!(wait.revents & (POLLOUT | POLLERR | POLLHUP)))
		return 0;
	done = terminal ? write_terminal(fd, p, n) : -ENOTTY;
	if (done != -ENOTTY)
		return done;
	done = write(fd, p, terminal && n > STREAM_TERMINAL_PIECE ? STREAM_TERMINAL_PIECE : n);
	return done < 0 ? -errno : done;
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
