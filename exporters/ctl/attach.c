/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/ctl/attach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "exporters/ctl/proc.h"

#define KEEPER_NAME   "btrace-exporter"
#define PROCESSES_MAX 65536u

static bool is_named(uint32_t pid, uint32_t *parent)
{
	struct proc_stat stat;

	if (!pid || proc_stat(pid, &stat))
		return false;
	*parent = stat.parent;
	return !strcmp(stat.name, KEEPER_NAME);
}

size_t attach_list(uint32_t *keepers, size_t size)
{
	uint32_t *pids = calloc(PROCESSES_MAX, sizeof(*pids)), parent = 0, ignored;
	size_t n = 0, n_pids = pids ? proc_list(pids, PROCESSES_MAX) : 0;

	for (size_t i = 0; i < n_pids && n < size; i++)
		if (is_named(pids[i], &parent) && !is_named(parent, &ignored)) /* else a worker */
			keepers[n++] = pids[i];
	free(pids);
	return n;
}

/* Opens the memfd of that name among the descriptors of the process, for reading. -errno or the descriptor.
 */
static int open_memfd(uint32_t pid, const char *name)
{
	char directory[64], path[96], target[128], wanted[128];
	int result = -ESRCH;
	struct dirent *e;
	ssize_t n;
	DIR *d;

	snprintf(directory, sizeof(directory), "/proc/%u/fd", pid);
	snprintf(wanted, sizeof(wanted), "/memfd:%s (deleted)", name);
	d = opendir(directory);
	if (!d)
		return errno == ENOENT ? -ESRCH : -errno;
	while (result == -ESRCH && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%.20s", directory, e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, wanted) != 0)
			continue;
		result = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (result < 0)
			result = -errno;
	}
	closedir(d);
	return result;
}

/* The last two arguments are the config and the directory (exporters/main.c). */
static int read_arguments(struct attached *a)
{
	const char *last[2] = { "", "" };
	struct buf text;
	int error;

	buf_init(&text);
	error = proc_read(&text, a->keeper, "cmdline");
	for (const char *p = text.p; !error && p < text.p + text.n - 1; p += strlen(p) + 1) {
		last[0] = last[1];
		last[1] = p;
	}
	snprintf(a->config, sizeof(a->config), "%s", last[0]);
	snprintf(a->directory, sizeof(a->directory), "%s", last[1]);
	buf_release(&text);
	return error;
}

static bool read_whole(int fd, void *into, size_t n, size_t offset)
{
	char *p = into;

	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got <= 0)
			return false;
		p += got;
		offset += (size_t)got;
		n -= (size_t)got;
	}
	return true;
}

static bool read_part(struct attached *a, void *part, size_t n)
{
	return read_whole(a->table_fd, part, n, (size_t)((char *)part - (char *)a->session.table.header));
}

static int open_table(struct attached *a)
{
	struct session *s = &a->session;
	struct stat st;
	void *copy;

	if (fstat(a->table_fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct table_header) ||
	    (uint64_t)st.st_size > table_bytes(TABLE_SLOTS_MAX))
		return -EPROTO;
	/* as large as the table, but only what is looked at takes memory */
	copy = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (copy == MAP_FAILED)
		return -ENOMEM;
	s->table_size = (size_t)st.st_size;
	s->table.header = copy; /* for attach_close() */
	if (!read_whole(a->table_fd, copy, sizeof(struct table_header), 0) ||
	    table_attach(&s->table, copy, s->table_size))
		return -EPROTO;
	s->mapped = true;
	return 0;
}

static int open_control(struct attached *a)
{
	struct control *c = calloc(1, sizeof(*c));
	struct stat st;

	a->session.control = c;
	if (!c)
		return -ENOMEM;
	if (fstat(a->control_fd, &st) < 0 || st.st_size != (off_t)sizeof(*c) ||
	    !read_whole(a->control_fd, c, sizeof(*c), 0) || c->magic != CONTROL_MAGIC ||
	    c->abi != CONTROL_ABI || c->bytes != sizeof(*c))
		return -EPROTO;
	return 0;
}

int attach_open(struct attached *a, uint32_t keeper)
{
	struct proc_stat stat;
	char path[32];
	struct stat st;
	int error;

	memset(a, 0, sizeof(*a));
	a->keeper = keeper;
	a->table_fd = a->control_fd = -1;
	error = proc_stat(keeper, &stat);
	if (error)
		return -ESRCH;
	a->age_ns = proc_boot_ns() - stat.start_boot_ns;
	snprintf(path, sizeof(path), "/proc/%u", keeper);
	if (!lstat(path, &st))
		a->uid = st.st_uid;
	error = read_arguments(a);
	if (!error)
		error = a->table_fd = open_memfd(keeper, "btrace");
	if (error >= 0)
		error = a->control_fd = open_memfd(keeper, CONTROL_NAME);
	if (error == -ESRCH && a->table_fd >= 0)
		error = -EPROTO;
	if (error >= 0)
		error = open_table(a);
	if (!error)
		error = open_control(a);
	if (error < 0)
		attach_close(a);
	return error < 0 ? error : 0;
}

void attach_close(struct attached *a)
{
	if (a->table_fd >= 0)
		close(a->table_fd);
	if (a->control_fd >= 0)
		close(a->control_fd);
	if (a->session.table.header)
		munmap(a->session.table.header, a->session.table_size);
	free(a->session.control);
	a->table_fd = a->control_fd = -1;
	a->session.table.header = NULL;
	a->session.control = NULL;
}

/* Texts get their end, counts their bounds. */
static void tame(struct control *c)
{
	if (c->n_sinks > CONTROL_SINKS)
		c->n_sinks = CONTROL_SINKS;
	for (uint32_t i = 0; i < CONTROL_SINKS; i++)
		c->sink[i].name[sizeof(c->sink[i].name) - 1] = '\0';
	if (c->live.n > LIVE_ROUTES)
		c->live.n = LIVE_ROUTES;
	for (uint32_t i = 0; i < LIVE_ROUTES; i++) {
		struct live_route *r = &c->live.route[i];

		r->service[sizeof(r->service) - 1] = r->name[sizeof(r->name) - 1] = '\0';
	}
}

int attach_read(struct attached *a)
{
	struct table *t = &a->session.table;
	struct proc_stat stat;
	int seals;

	if (proc_stat(a->keeper, &stat) || strcmp(stat.name, KEEPER_NAME) != 0)
		return -ESRCH;
	a->age_ns = proc_boot_ns() - stat.start_boot_ns;
	if (!read_whole(a->control_fd, a->session.control, sizeof(*a->session.control), 0) ||
	    !read_part(a, t->header, sizeof(*t->header)) ||
	    !read_part(a, (void *)t->state, t->slots * sizeof(*t->state)) ||
	    !read_part(a, t->process, TABLE_PROCESSES * sizeof(*t->process)))
		return -ESRCH;
	tame(a->session.control);
	seals = fcntl(a->table_fd, F_GET_SEALS);
	a->ended = seals >= 0 && (seals & F_SEAL_WRITE);
	return 0;
}

const char *attach_error(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM: return "it belongs to another user: root may look";
	case -EPROTO: return "its exporter is of another version than this btracectl";
	case -ESRCH: return "there is no tracing session";
	default: return strerror(-error);
	}
}

bool attach_process(const struct attached *a, uint32_t index, struct table_process *out)
{
	const struct table_process *p = &a->session.table.process[index];

	if (index == TABLE_NO_PROCESS || index >= TABLE_PROCESSES ||
	    atomic_load_explicit(&p->state, memory_order_relaxed) != PROCESS_LIVE)
		return false;
	memcpy(out, p, sizeof(*out));
	out->executable[sizeof(out->executable) - 1] = '\0';
	out->command[sizeof(out->command) - 1] = '\0';
	out->service[sizeof(out->service) - 1] = '\0';
	return true;
}

/* Its owner may be writing: keep the strings that are whole. */
static void make_whole(struct span_slot *slot)
{
	const uint8_t *value;
	enum span_tag tag;
	size_t pos = 0, n;

	if (slot->head.tail_bytes > SPAN_TAIL_BYTES)
		slot->head.tail_bytes = 0;
	while (span_next_string(slot, &pos, &tag, &value, &n))
		;
	slot->head.tail_bytes = (uint16_t)pos;
}

bool attach_next_open(struct attached *a, uint32_t *cursor, struct span_slot *out)
{
	struct table *t = &a->session.table;

	for (; *cursor < t->slots; ++*cursor) {
		uint64_t word = atomic_load_explicit(&t->state[*cursor], memory_order_relaxed), now;
		uint32_t slot = *cursor;

		if (slot_word_state(word) != SLOT_OPEN ||
		    !read_whole(a->table_fd, out, sizeof(*out),
				(size_t)((char *)&t->slot[slot] - (char *)t->header)) ||
		    !read_whole(a->table_fd, &now, sizeof(now),
				(size_t)((char *)&t->state[slot] - (char *)t->header)) ||
		    now != word || !out->head.start_ns)
			continue;
		make_whole(out);
		out->head.process = slot_word_owner(word);
		++*cursor;
		return true;
	}
	return false;
}

void attach_service(const struct table_process *p, char out[128])
{
	const char *slash = strrchr(p->executable, '/');
	const char *name = *p->service ? p->service : slash ? slash + 1 : p->executable;

	snprintf(out, 128, "%s", *name ? name : "?");
}
