/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Human lines to standard error, or to endpoint.fd. What the other side does not
 * read within the timeout (1 s unless told otherwise) is dropped, whole lines
 * where possible, and counted as failed: one line is one span.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/transport/loop.h"
#include "exporters/transport/stream.h"
#include "exporters/transport/transport.h"

enum { CONSOLE_TIMEOUT_MS = 1000 };

struct console {
	struct transport_loop *loop;
	int fd;
	uint32_t timeout_ms;
	bool in_line;    /* the last payload ended within a line */
	struct buf text; /* what is under way, each line ended */
	uint32_t spans;
	bool busy;
	size_t written;
	send_done *done;
	void *context;
	struct loop_timer timer;
};

static int console_open(void **state, const struct endpoint *endpoint, const char *content_type,
			struct transport_loop *loop, char error[256])
{
	struct console *c = calloc(1, sizeof(*c));

	(void)content_type;
	if (!c) {
		snprintf(error, 256, "console: no memory");
		return -ENOMEM;
	}
	c->loop = loop;
	c->fd = endpoint->fd > 0 ? endpoint->fd : STDERR_FILENO;
	c->timeout_ms = endpoint->timeout_ms ? endpoint->timeout_ms : CONSOLE_TIMEOUT_MS;
	buf_init(&c->text);
	*state = c;
	return 0;
}

static uint64_t count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (const char *end = p + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	return lines;
}

static void finish(struct console *c, int error)
{
	struct send_report report = { .result = SEND_OK };
	uint64_t lines;

	loop_remove_fd(c->loop, c->fd);
	loop_timer_cancel(c->loop, &c->timer);
	c->busy = false;
	if (error || c->written < c->text.n) {
		lines = count_lines(c->text.p, c->written);
		report.result = SEND_PARTIAL;
		report.rejected = lines < c->spans ? c->spans - lines : 0;
		snprintf(report.message, sizeof(report.message), "cannot write: %s",
			 error ? strerror(error) : "nobody reads");
	}
	if (c->written)
		c->in_line = c->text.p[c->written - 1] != '\n';
	c->done(c->context, &report);
}

static void write_on(struct console *c)
{
	ssize_t n;

	if (c->in_line && c->written == 0) {
		n = stream_write(c->fd, "\n", 1);
		if (n == 0)
			return;
		c->in_line = false;
	}
	n = stream_write(c->fd, c->text.p + c->written, c->text.n - c->written);
	if (n > 0)
		c->written += (size_t)n;
	if (n < 0 || c->written == c->text.n)
		finish(c, n < 0 ? (int)-n : 0);
}

static void console_ready(void *context, short revents)
{
	(void)revents;
	write_on(context);
}

static void console_expired(void *context) { finish(context, 0); }

static void console_send(void *state, const struct payload *payload, send_done *done, void *context)
{
	struct console *c = state;

	buf_clear(&c->text);
	buf_add_slice(&c->text, payload->bytes);
	if (payload->bytes.n == 0 || payload->bytes.p[payload->bytes.n - 1] != '\n')
		buf_add_byte(&c->text, '\n');
	c->spans = payload->spans;
	c->busy = true;
	c->written = 0;
	c->done = done;
	c->context = context;
	if (c->text.failed) {
		finish(c, ENOMEM);
		return;
	}
	write_on(c);
	if (!c->busy)
		return;
	if (loop_watch(c->loop, c->fd, POLLOUT, console_ready, c) < 0) {
		finish(c, EBUSY);
		return;
	}
	loop_timer_set(c->loop, &c->timer, loop_now_ms() + c->timeout_ms, console_expired, c);
}

static void console_close(void *state)
{
	struct console *c = state;

	if (c->busy)
		loop_remove_fd(c->loop, c->fd);
	loop_timer_cancel(c->loop, &c->timer);
	buf_release(&c->text);
	free(c);
}

const struct transport transport_console = {
	.name = "console",
	.in_flight = 1,
	.max_payload_bytes = 1 << 20,
	.open = console_open,
	.send = console_send,
	.close = console_close,
};
