/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads as lines of a file. A line is written as a whole or not at all: what a
 * full disk cut short is taken back. What a killed worker may have written
 * already is looked for at the end of the file before it is written again.
 *
 * A killed worker can also have left a part of a line: a successor begins a new line
 * where the file does not end with one.
 *
 * A regular file cannot be polled: a slow disk can make the write wait.
 * No fsync: lines survive the death of processes, not of the power supply.
 */
#include "exporters/transport/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/transport/loop.h"
#include "exporters/transport/transport.h"

struct file {
	const struct endpoint *endpoint;
	int fd;
	bool owned;
	bool in_line;    /* a partial line stands at the end and could not be taken back */
	void *stream;    /* of transport_console: the path is a FIFO, a terminal, /dev/stdout */
	struct buf line; /* a payload that lacked its newline */
};

int file_open(const char *path)
{
	int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, fd;

	/* Readable, so that a successor can see what was written; a FIFO then needs no reader yet. */
	fd = open(path, O_RDWR | flags, 0600);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		fd = open(path, O_WRONLY | flags, 0600);
	return fd < 0 ? -errno : fd;
}

int file_rotate(const char *path, unsigned keep)
{
	size_t size = strlen(path) + 16;
	char *from = malloc(size), *to = malloc(size);
	int rc = 0;

	if (!from || !to) {
		rc = -ENOMEM;
		goto out;
	}
	keep = keep == 0 ? FILE_KEEP_DEFAULT : keep > FILE_KEEP_MAX ? FILE_KEEP_MAX : keep;
	for (unsigned i = keep; i > 0; i--) {
		snprintf(to, size, "%s.%u", path, i);
		if (i > 1)
			snprintf(from, size, "%s.%u", path, i - 1);
		else
			snprintf(from, size, "%s", path);
		if (rename(from, to) < 0 && errno != ENOENT)
			rc = -errno;
	}
out:
	free(from);
	free(to);
	return rc;
}

/* How many bytes stand behind the last newline; looks back at most `most` bytes. */
static size_t cut_line(const struct file *f, uint64_t size, size_t most)
{
	size_t n = 0;
	char byte;

	while (n < most && n < size && pread(f->fd, &byte, 1, (off_t)(size - n - 1)) == 1 && byte != '\n')
		n++;
	return n;
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static void use_fd(struct file *f, int fd, bool owned)
{
	struct stat st;

	if (f->owned)
		close(f->fd);
	f->fd = fd;
	f->owned = owned;
	f->in_line =
		fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && cut_line(f, (uint64_t)st.st_size, 1);
}

static int reopen(struct file *f)
{
	int fd = f->endpoint->path ? file_open(f->endpoint->path) : -EINVAL;

	if (fd < 0)
		return fd;
	use_fd(f, fd, true);
	return 0;
}

static void file_close(void *state)
{
	struct file *f = state;

	if (f->stream)
		transport_console.close(f->stream);
	use_fd(f, -1, false);
	buf_release(&f->line);
	free(f);
}

static int file_start(void **state, const struct endpoint *endpoint, const char *content_type,
		      struct transport_loop *loop, char error[256])
{
	struct file *f = calloc(1, sizeof(*f));
	int rc = 0;

	if (!f) {
		snprintf(error, 256, "file: no memory");
		return -ENOMEM;
	}
	f->endpoint = endpoint;
	buf_init(&f->line);
	if (endpoint->fd > 0)
		use_fd(f, endpoint->fd, false);
	else
		rc = reopen(f);
	if (rc == 0 && !is_regular(f->fd)) {
		struct endpoint stream = { .fd = f->fd, .timeout_ms = endpoint->timeout_ms };

		rc = transport_console.open(&f->stream, &stream, content_type, loop, error);
	}
	if (rc < 0) {
		snprintf(error, 256, "cannot open \"%s\": %s", endpoint->path ? endpoint->path : "",
			 strerror(-rc));
		file_close(f);
		return rc;
	}
	*state = f;
	return 0;
}

/* --- rotation --- */

static int rotate(struct file *f)
{
	const struct endpoint *e = f->endpoint;
	int rc;

	if (f->owned) {
		rc = file_rotate(e->path, e->max_files);
		return rc < 0 ? rc : reopen(f);
	}
	rc = e->rotate ? e->rotate(e->rotate_context, e->path) : -ENOTSUP;
	if (rc < 0)
		return rc;
	use_fd(f, rc, false);
	return 0;
}

/* Somebody else (logrotate, another session) may have moved our file away. */
static bool moved_away(const struct file *f, const struct stat *ours)
{
	struct stat st;

	return f->owned &&
	       (stat(f->endpoint->path, &st) < 0 ? errno == ENOENT
						 : st.st_ino != ours->st_ino || st.st_dev != ours->st_dev);
}

/* The right file for `more` bytes; *size is how long it is. Where rotating fails, the old one goes on
 * growing. */
static int prepare(struct file *f, size_t more, uint64_t *size)
{
	struct stat st;
	int rc;

	if (fstat(f->fd, &st) < 0)
		return -errno;
	if (moved_away(f, &st)) {
		rc = reopen(f);
		if (rc < 0)
			return rc;
		if (fstat(f->fd, &st) < 0)
			return -errno;
	}
	*size = (uint64_t)st.st_size;
	if (f->endpoint->max_file_bytes && *size && *size + more > f->endpoint->max_file_bytes &&
	    rotate(f) == 0 && fstat(f->fd, &st) == 0)
		*size = (uint64_t)st.st_size;
	return 0;
}

/* --- writing --- */

/* Whether the file ends with this line already. */
static bool ends_with(const struct file *f, struct slice line, uint64_t size)
{
	char piece[4096];
	size_t at = 0;

	if (size < line.n)
		return false;
	while (at < line.n) {
		size_t n = line.n - at < sizeof(piece) ? line.n - at : sizeof(piece);

		if (pread(f->fd, piece, n, (off_t)(size - line.n + at)) != (ssize_t)n ||
		    memcmp(piece, line.p + at, n) != 0)
			return false;
		at += n;
	}
	return true;
}

/* A worker was killed within this very write: what it left of the line is taken away. */
static void heal(struct file *f, struct slice line, uint64_t *size)
{
	size_t n = cut_line(f, *size, line.n);

	f->in_line = n > 0;
	if (n == 0 || n >= line.n || !ends_with(f, (struct slice){ line.p, n }, *size) ||
	    ftruncate(f->fd, (off_t)(*size - n)) < 0)
		return;
	*size -= n;
	f->in_line = false;
}

static int write_all(const struct file *f, const char *p, size_t n, size_t *written)
{
	*written = 0;
	while (*written < n) {
		ssize_t done = write(f->fd, p + *written, n - *written);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		*written += (size_t)done;
	}
	return 0;
}

/* What a killed worker did of this write, before a rotation hides it. True: all. */
static bool look_back(struct file *f, struct slice line)
{
	struct stat st;
	uint64_t size;

	if (fstat(f->fd, &st) < 0)
		return false;
	size = (uint64_t)st.st_size;
	if (ends_with(f, line, size))
		return true;
	heal(f, line, &size);
	return false;
}

static int write_line(struct file *f, struct slice line, bool maybe_sent)
{
	uint64_t size = 0;
	size_t written;
	int rc;

	if (maybe_sent && look_back(f, line))
		return 0;
	rc = prepare(f, line.n, &size);
	if (rc < 0)
		return rc;
	if (f->in_line) {
		rc = write_all(f, "\n", 1, &written);
		if (rc < 0)
			return rc;
		f->in_line = false;
		size++;
	}
	rc = write_all(f, line.p, line.n, &written);
	/* A cut line is taken back, so that the next one stands alone. */
	if (rc < 0 && written && ftruncate(f->fd, (off_t)size) < 0)
		f->in_line = true;
	return rc;
}

static void file_send(void *state, const struct payload *payload, send_done *done, void *context)
{
	struct file *f = state;
	struct send_report report = { .result = SEND_OK };
	struct slice line = payload->bytes;
	int rc;

	if (f->stream) {
		transport_console.send(f->stream, payload, done, context);
		return;
	}
	if (line.n == 0 || line.p[line.n - 1] != '\n') {
		buf_clear(&f->line);
		buf_add_slice(&f->line, line);
		buf_add_byte(&f->line, '\n');
		line = (struct slice){ f->line.p, f->line.n };
	}
	rc = f->line.failed ? -ENOMEM : write_line(f, line, payload->maybe_sent);
	if (rc < 0) {
		report.result = SEND_REFUSED;
		snprintf(report.message, sizeof(report.message), "cannot write: %s", strerror(-rc));
	}
	done(context, &report);
}

const struct transport transport_file = {
	.name = "file",
	.in_flight = 1,
	.max_payload_bytes = 2 << 20,
	.open = file_start,
	.send = file_send,
	.close = file_close,
};
