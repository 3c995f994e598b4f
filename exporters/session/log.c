/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "exporters/session/control.h"

/* The one place that knows where lines go; set once, before the worker is forked. */
static const struct control *control;
static int file = -1;

void log_open(const struct control *c, int fd)
{
	control = c;
	file = fd;
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking. */
static void put(int fd, struct slice s)
{
	while (s.n) {
		struct pollfd p = { fd, POLLOUT, 0 };
		size_t n = s.n < 4096 ? s.n : 4096;
		ssize_t got;

		if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
			return;
		got = write(fd, s.p, n);
		if (got <= 0)
			return;
		s.p += got;
		s.n -= (size_t)got;
	}
}

void log_text(struct slice lines)
{
	if (!control || !atomic_load_explicit(&control->silent, memory_order_relaxed))
		put(2, lines);
	if (file >= 0)
		put(file, lines);
}

void log_line(const char *format, ...)
{
	char line[1024] = "btrace: ";
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line + 8, sizeof(line) - 9, format, arguments);
	va_end(arguments);
	if (n < 0)
		return;
	n = n > (int)sizeof(line) - 10 ? (int)sizeof(line) - 10 : n;
	line[8 + n] = '\n';
	log_text((struct slice){ line, (size_t)n + 9 });
}
