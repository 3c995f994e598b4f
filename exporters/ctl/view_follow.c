/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "exporters/ctl/pending.h"
#include "exporters/ctl/trace_file.h"
#include "exporters/ctl/view_run.h"

#define MS        UINT64_C(1000000)
#define LINGER_NS (1500 * MS) /* the exporter sends a batch each second */
#define LOOK_MS   250         /* inotify tells nothing on network file systems */
#define MAX_SPANS 20000       /* then all is shown and forgotten: memory stays bounded */

struct follower {
	const struct view_options *o;
	char *const *names;
	struct trace_file *files;
	bool *open; /* which of them are; the others are waited for */
	size_t n;
	int inotify; /* -1 = none: only LOOK_MS */
	struct trace_store store;
	struct pending pending;
	struct view_layout layout;
	struct buf out;
	bool input_ended;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static void show_traces(struct follower *f, const struct trace_set *set, const uint32_t *chosen, size_t n)
{
	struct view_layout before = f->layout;
	struct term term;

	term_init(&term, STDOUT_FILENO, f->o->colour);
	if (!f->o->json) {
		view_fit(&f->layout, &term, set, chosen, n);
		if (before.request != f->layout.request || before.service != f->layout.service)
			view_head(&f->out, &term, &f->layout);
	}
	for (size_t i = 0; i < n; i++) {
		if (f->o->json)
			view_trace_json(&f->out, set, &set->traces[chosen[i]]);
		else
			view_trace(&f->out, &term, &f->layout, set, &set->traces[chosen[i]]);
	}
	if (f->out.n)
		fwrite(f->out.p, 1, f->out.n, stdout);
	fflush(stdout);
	buf_clear(&f->out);
}

/* Shows the traces that waited until `until_ns`; of more than --limit the last ones. */
static int show_settled(struct follower *f, uint64_t until_ns)
{
	struct trace_set set;
	uint32_t *chosen;
	size_t n, kept = 0, from;

	if (!f->pending.waiting)
		return 0;
	if (trace_set_init(&set, &f->store))
		return -ENOMEM;
	chosen = calloc(set.n + 1, sizeof(*chosen));
	if (!chosen) {
		trace_set_release(&set);
		return -ENOMEM;
	}
	n = pending_take(&f->pending, &set, until_ns, chosen);
	for (size_t i = 0; i < n; i++)
		if (trace_filter_trace(&f->o->filter, &set, &set.traces[chosen[i]]))
			chosen[kept++] = chosen[i];
	from = f->o->limit && kept > f->o->limit ? kept - f->o->limit : 0;
	if (kept)
		show_traces(f, &set, chosen + from, kept - from);
	free(chosen);
	trace_set_release(&set);
	return 0;
}

static int show_and_forget(struct follower *f)
{
	int rc = show_settled(f, UINT64_MAX);

	trace_store_clear(&f->store);
	pending_clear(&f->pending);
	return rc;
}

static void watch(struct follower *f, const struct trace_file *file)
{
	if (f->inotify >= 0 && file->fd != STDIN_FILENO)
		inotify_add_watch(f->inotify, file->name, IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB);
}

/* One read from the standard input, which may block after that; all there is from a file. */
static int read_file(struct follower *f, struct trace_file *file, bool ready)
{
	bool input = file->fd == STDIN_FILENO;
	int64_t n;
	int rc;

	if (input && (!ready || f->input_ended))
		return 0;
	do {
		n = trace_file_read(file, input ? 1 : 1 << 20);
		rc = n < 0 ? (int)n : pending_arrived(&f->pending, &f->store, now_ns());
		if (!rc && f->store.n > MAX_SPANS)
			rc = show_and_forget(f);
	} while (!rc && n > 0 && !input);
	if (rc || n > 0)
		return rc;
	if (input) {
		f->input_ended = true;
		trace_file_end(file);
		return pending_arrived(&f->pending, &f->store, now_ns());
	}
	trace_file_try_end(file);
	rc = trace_file_reopen(file);
	if (rc > 0)
		watch(f, file);
	return rc < 0 ? rc : pending_arrived(&f->pending, &f->store, now_ns());
}

static void wait_for_more(struct follower *f, bool *ready)
{
	struct pollfd fds[2] = { { .fd = f->inotify, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	char events[4096];

	for (size_t i = 0; i < f->n; i++)
		if (f->open[i] && f->files[i].fd == STDIN_FILENO && !f->input_ended)
			fds[1].fd = STDIN_FILENO;
	poll(fds, 2, LOOK_MS);
	while (f->inotify >= 0 && read(f->inotify, events, sizeof(events)) > 0)
		;
	*ready = fds[1].revents != 0;
}

/* A file that a server not yet started will write is waited for. */
static int open_when_there(struct follower *f, size_t i, bool first)
{
	int rc;

	if (f->open[i])
		return 0;
	if (strcmp(f->names[i], "-") != 0 && access(f->names[i], F_OK) && errno == ENOENT) {
		if (first)
			fprintf(stderr, "btracectl: waiting for '%s' to appear\n", f->names[i]);
		return 0;
	}
	rc = trace_file_open(&f->files[i], f->names[i], &f->store, stderr);
	if (rc)
		return rc;
	f->open[i] = true;
	watch(f, &f->files[i]);
	return 0;
}

static int follow(struct follower *f)
{
	bool ready = false, first = true;
	int rc = 0;

	while (!rc) {
		uint64_t now = now_ns();

		for (size_t i = 0; i < f->n && !rc; i++) {
			rc = open_when_there(f, i, first);
			if (!rc && f->open[i])
				rc = read_file(f, &f->files[i], ready);
		}
		if (f->n == 1 && f->input_ended)
			return rc ? rc : show_settled(f, UINT64_MAX);
		if (!rc) /* what stood in the files already need not wait */
			rc = show_settled(f, first ? UINT64_MAX : now > LINGER_NS ? now - LINGER_NS : 0);
		first = false;
		if (!rc)
			wait_for_more(f, &ready);
	}
	return rc;
}

int view_follow(const struct view_options *o, char *const *names, size_t n)
{
	struct follower f = { .o = o, .names = names, .n = n };
	int rc;

	f.files = calloc(n, sizeof(*f.files));
	f.open = calloc(n, sizeof(*f.open));
	f.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	trace_store_init(&f.store);
	pending_init(&f.pending);
	buf_init(&f.out);
	rc = f.files && f.open ? follow(&f) : -ENOMEM;
	if (rc == -ENOMEM)
		fprintf(stderr, "btracectl: out of memory\n");
	for (size_t i = 0; i < n && f.open; i++)
		if (f.open[i])
			trace_file_close(&f.files[i]);
	if (f.inotify >= 0)
		close(f.inotify);
	buf_release(&f.out);
	pending_release(&f.pending);
	trace_store_release(&f.store);
	free(f.open);
	free(f.files);
	return rc ? 2 : 0;
}
