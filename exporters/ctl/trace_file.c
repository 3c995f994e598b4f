/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/ctl/progress.h"

#define CHUNK    ((size_t)1 << 18)
#define MAX_LINE ((size_t)256 << 20) /* no exporter writes such a batch: this is not a trace file */
#define MAX_TOLD 10

static void tell(struct trace_file *f, const char *what)
{
	if (f->errors)
		fprintf(f->errors, "btracectl: %s: %s\n", f->name, what);
}

int trace_file_open(struct trace_file *f, const char *name, struct trace_store *store, FILE *errors)
{
	struct stat st;
	int error = 0;

	*f = (struct trace_file){ .name = name, .errors = errors };
	f->fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	if (f->fd < 0)
		error = errno;
	else if (!fstat(f->fd, &st) && S_ISDIR(st.st_mode))
		error = EISDIR;
	if (error) {
		tell(f, strerror(error));
		if (f->fd > STDIN_FILENO)
			close(f->fd);
		return -error;
	}
	if (f->fd == STDIN_FILENO)
		f->name = "standard input";
	buf_init(&f->line);
	trace_parser_init(&f->parser, store);
	return 0;
}

void trace_file_close(struct trace_file *f)
{
	if (f->bad_lines > MAX_TOLD && f->errors)
		fprintf(f->errors, "btracectl: %s: %llu lines could not be read in all\n", f->name,
			(unsigned long long)f->bad_lines);
	if (f->fd != STDIN_FILENO)
		close(f->fd);
	buf_release(&f->line);
	trace_parser_release(&f->parser);
}

static bool is_blank(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return false;
	return true;
}

static void take_line(struct trace_file *f, struct slice line, bool complete)
{
	f->lines++;
	if (is_blank(line) || trace_parse(&f->parser, line))
		return;
	if (!complete && f->parser.json.cut) {
		f->cut = true;
		if (f->errors)
			fprintf(f->errors, "%s:%llu: the last line is not complete, left out\n", f->name,
				(unsigned long long)f->lines);
		return;
	}
	f->bad_lines++;
	if (f->bad_lines > MAX_TOLD || !f->errors)
		return;
	fprintf(f->errors, "%s:%llu:%zu: %s\n", f->name, (unsigned long long)f->lines,
		json_column(&f->parser.json), f->parser.json.error);
	if (f->lines == 1 && f->parser.json.cut)
		tell(f, "each line must be one whole ExportTraceServiceRequest; `jq -c . FILE` makes it so");
}

/* All complete lines; `from` is where the bytes begin that were not searched yet. */
static void take_lines(struct trace_file *f, size_t from)
{
	size_t begin = 0;
	const char *newline;

	while (from < f->line.n && (newline = memchr(f->line.p + from, '\n', f->line.n - from))) {
		size_t end = (size_t)(newline - f->line.p);

		take_line(f, (struct slice){ f->line.p + begin, end - begin }, true);
		begin = from = end + 1;
	}
	if (begin) {
		memmove(f->line.p, f->line.p + begin, f->line.n - begin);
		f->line.n -= begin;
	}
}

static int64_t read_pieces(struct trace_file *f, size_t max_bytes)
{
	int64_t total = 0;

	while (!max_bytes || (size_t)total < max_bytes) {
		size_t from = f->line.n;
		ssize_t n;

		if (f->line.n > MAX_LINE)
			return -EMSGSIZE;
		if (!buf_reserve(&f->line, CHUNK))
			return -ENOMEM;
		n = read(f->fd, f->line.p + f->line.n, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		f->line.n += (size_t)n;
		f->offset += (uint64_t)n;
		total += n;
		take_lines(f, from);
		if (f->parser.store->failed || f->parser.store->arena.failed)
			return -ENOMEM;
	}
	return total;
}

int64_t trace_file_read(struct trace_file *f, size_t max_bytes)
{
	int64_t n = read_pieces(f, max_bytes);

	if (n == -EMSGSIZE)
		tell(f, "a line of more than 256 MiB: not a file of traces");
	else if (n < 0)
		tell(f, strerror((int)-n));
	return n;
}

void trace_file_try_end(struct trace_file *f)
{
	if (f->line.n && f->line.p[f->line.n - 1] == '}' &&
	    trace_parse(&f->parser, (struct slice){ f->line.p, f->line.n }))
		f->line.n = 0; /* its newline, when it comes, ends an empty rest and counts the line */
}

void trace_file_end(struct trace_file *f)
{
	if (f->line.n)
		take_line(f, (struct slice){ f->line.p, f->line.n }, false);
	f->line.n = 0;
}

int trace_file_reopen(struct trace_file *f)
{
	struct stat now, open_one;
	int fd;

	if (f->fd == STDIN_FILENO || fstat(f->fd, &open_one))
		return 0;
	if (stat(f->name, &now))
		return errno == ENOENT ? 0 : -errno; /* between rename and create: look again later */
	if (now.st_dev == open_one.st_dev && now.st_ino == open_one.st_ino &&
	    (uint64_t)now.st_size >= f->offset)
		return 0;
	fd = open(f->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	trace_file_end(f);
	close(f->fd);
	f->fd = fd;
	f->offset = f->lines = 0;
	return 1;
}

uint64_t trace_file_size(const struct trace_file *f)
{
	struct stat st;

	return !fstat(f->fd, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int load_one(const char *name, struct trace_store *store, FILE *errors)
{
	struct trace_file f;
	struct progress progress;
	int64_t n;
	int rc = trace_file_open(&f, name, store, errors);

	if (rc)
		return rc;
	progress_init(&progress, "reading", f.name, trace_file_size(&f));
	while ((n = trace_file_read(&f, 8 * CHUNK)) > 0)
		progress_show(&progress, f.offset);
	progress_release(&progress);
	if (n == 0)
		trace_file_end(&f);
	rc = n < 0 ? (int)n : f.bad_lines > 0;
	trace_file_close(&f);
	return rc;
}

int trace_files_load(char *const *names, size_t n, struct trace_store *store, FILE *errors)
{
	int worst = 0;

	for (size_t i = 0; i < n; i++) {
		int rc = load_one(names[i], store, errors);

		if (rc < 0)
			return rc;
		worst = rc > worst ? rc : worst;
	}
	return worst;
}
