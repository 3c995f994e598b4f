/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/orphans.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "exporters/session/log.h"
#include "exporters/session/session.h"

#define MAPPING  "/memfd:btrace (deleted)"
#define PAUSE_MS 2000 /* between two looks */

struct mapping {
	uint64_t start, bytes, inode;
};

/* start-end permissions offset device inode path: proc_pid_maps(5) */
static void read_mapping(const char *line, struct mapping *m)
{
	char *at;

	m->start = strtoull(line, &at, 16);
	m->bytes = strtoull(*at ? at + 1 : at, &at, 16) - m->start;
	for (int field = 0; field < 3; field++) {
		at += strspn(at, " ");
		at += strcspn(at, " ");
	}
	m->inode = strtoull(at, NULL, 10);
}

/* Of the process's span table; false: none, or not to be seen. */
static bool find_mapping(uint32_t pid, struct mapping *m)
{
	char path[64], line[512];
	FILE *f;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		char *name = strchr(line, '/');

		if (!name || strncmp(name, MAPPING, sizeof(MAPPING) - 1))
			continue;
		read_mapping(line, m);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

static bool is_exporter(uint32_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	(void)!fgets(name, sizeof(name), f);
	fclose(f);
	return !strncmp(name, "btrace-exporter", 15);
}

static void forget(struct orphans *o, uint64_t inode)
{
	for (uint32_t i = 0; i < o->n; i++)
		if (o->inode[i] == inode) {
			o->n--;
			o->inode[i] = o->inode[o->n];
			o->pid[i--] = o->pid[o->n];
		}
}

static void add(struct orphans *o, uint64_t inode, uint32_t pid)
{
	for (uint32_t i = 0; i < o->n; i++)
		if (o->inode[i] == inode)
			return;
	if (o->n == ORPHANS_MAX)
		return;
	o->inode[o->n] = inode;
	o->pid[o->n++] = pid;
}

/* visit() for each process but exporters, or for exporters alone. */
static void each_process(struct orphans *o, bool exporters, void (*visit)(struct orphans *, uint32_t pid))
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (isdigit((unsigned char)entry->d_name[0]) && is_exporter(pid) == exporters)
			visit(o, pid);
	}
	if (proc)
		closedir(proc);
}

static void add_host(struct orphans *o, uint32_t pid)
{
	struct mapping m;

	if (find_mapping(pid, &m))
		add(o, m.inode, pid);
}

/* A keeper holds the descriptor even while it does not map the table. */
static void forget_held(struct orphans *o, uint32_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, SESSION_FD_TABLE);
	if (stat(path, &st) == 0)
		forget(o, st.st_ino);
}

static void find(struct orphans *o)
{
	o->n = 0;
	each_process(o, false, add_host);
	if (o->n)
		each_process(o, true, forget_held);
}

void orphans_find(struct orphans *o, uint64_t now_ms)
{
	find(o);
	o->tell_ms = now_ms + PAUSE_MS;
}

/* How many spans lie in the table for good; false: the kernel does not let us look. */
static bool count_spans(uint32_t pid, uint64_t *spans)
{
	size_t at;
	uint32_t slots;
	struct mapping m;
	uint64_t *states;
	bool good = false;
	struct iovec local, remote;

	if (!find_mapping(pid, &m) || !(at = table_states(m.bytes, &slots)))
		return false;
	states = calloc(slots, sizeof(*states));
	local = (struct iovec){ states, slots * sizeof(*states) };
	remote = (struct iovec){ (void *)(uintptr_t)(m.start + at), local.iov_len };
	if (states && process_vm_readv((pid_t)pid, &local, 1, &remote, 1, 0) == (ssize_t)local.iov_len) {
		good = true;
		*spans = 0;
		for (uint32_t i = 0; i < slots; i++)
			*spans += slot_word_state(states[i]) != SLOT_FREE;
	}
	free(states);
	return good;
}

void orphans_tell(struct orphans *before, uint64_t now_ms)
{
	struct orphans now;

	if (!before->tell_ms || now_ms < before->tell_ms)
		return;
	before->tell_ms = 0;
	if (!before->n)
		return;
	find(&now);
	for (uint32_t i = 0; i < now.n; i++) {
		char count[48] = "its spans";
		uint64_t spans;
		bool known = false;

		for (uint32_t k = 0; k < before->n; k++)
			known |= before->inode[k] == now.inode[i];
		if (!known)
			continue;
		if (count_spans(now.pid[i], &spans))
			snprintf(count, sizeof(count), "%" PRIu64 " spans", spans);
		log_line("an exporter before this one was killed: %s of process %" PRIu32
			 " are lost, and it is not traced until it is started anew",
			 count, now.pid[i]);
	}
}
