/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/attach.h"
#include "exporters/ctl/proc.h"
#include "exporters/session/configure.h"

static bool same_namespace(uint32_t a, uint32_t b)
{
	char path[48], one[64] = "", other[64] = "-";

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", a);
	if (readlink(path, one, sizeof(one) - 1) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%u/ns/pid", b);
	return readlink(path, other, sizeof(other) - 1) >= 0 && !strcmp(one, other);
}

uint32_t attach_inner_pid(uint32_t pid)
{
	uint32_t inner = pid;
	struct buf text;
	char *line;

	buf_init(&text);
	if (!proc_read(&text, pid, "status") && (line = strstr(text.p, "\nNSpid:"))) {
		line[1 + strcspn(line + 1, "\n")] = '\0';
		inner = (uint32_t)strtoul(strrchr(line, '\t') + 1, NULL, 10);
	}
	buf_release(&text);
	return inner;
}

bool attach_has(const struct attached *a, uint32_t pid, uint32_t inner)
{
	struct table_process p;

	for (uint32_t i = 1; i < TABLE_PROCESSES; i++)
		if (attach_process(a, i, &p) && atomic_load(&p.pid) == inner)
			return same_namespace(a->keeper, pid);
	return false;
}

int attach_find(struct attached *a, uint32_t pid, size_t *unseen)
{
	static uint32_t keepers[ATTACH_SESSIONS];
	size_t n = attach_list(keepers, ATTACH_SESSIONS);
	uint32_t inner = attach_inner_pid(pid);
	int error;

	*unseen = 0;
	for (size_t i = 0; i < n; i++) {
		error = attach_open(a, keepers[i]);
		if (!error && !(error = attach_read(a)) && (keepers[i] == pid || attach_has(a, pid, inner)))
			return 0;
		attach_close(a);
		if (error && keepers[i] == pid)
			return error;
		*unseen += error && error != -ESRCH;
	}
	return -ESRCH;
}

int attach_only(struct attached *a, size_t *n)
{
	static uint32_t keepers[ATTACH_SESSIONS];
	int error = -ESRCH;

	*n = attach_list(keepers, ATTACH_SESSIONS);
	if (*n == 1) {
		error = attach_open(a, keepers[0]);
		if (!error && (error = attach_read(a)))
			attach_close(a);
	}
	return error;
}

const char *attach_config(const struct attached *a)
{
	const char *slash = strrchr(a->config, '/');

	if (!*a->config)
		return "(environment)";
	return strcmp(slash ? slash + 1 : a->config, CONFIGURE_EMBEDDED) ? a->config : "(btracectl run)";
}
