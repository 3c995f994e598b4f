/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/ctl/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READ_MAX (1u << 20)

int proc_read(struct buf *out, uint32_t pid, const char *name)
{
	char path[128], part[4096];
	size_t before = out->n;
	ssize_t n = 0;
	int fd, error = 0;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (out->n - before < READ_MAX && (n = read(fd, part, sizeof(part))) > 0)
		buf_add(out, part, (size_t)n);
	if (n < 0)
		error = -errno;
	close(fd);
	buf_add_byte(out, '\0');
	return out->failed ? -ENOMEM : error;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t proc_list(uint32_t *pids, size_t size)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t n = 0;

	while (d && n < size && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			pids[n++] = (uint32_t)strtoul(e->d_name, NULL, 10);
	if (d)
		closedir(d);
	qsort(pids, n, sizeof(*pids), by_number);
	return n;
}

int proc_stat(uint32_t pid, struct proc_stat *out)
{
	struct buf text;
	char *open, *close, *p;
	int error;

	memset(out, 0, sizeof(*out));
	buf_init(&text);
	error = proc_read(&text, pid, "stat");
	open = error ? NULL : strchr(text.p, '(');
	close = open ? strrchr(text.p, ')') : NULL; /* the name may hold brackets itself */
	if (close) {
		snprintf(out->name, sizeof(out->name), "%.*s", (int)(close - open - 1), open + 1);
		p = strchr(close + 1, ' ');
		for (int field = 3; p && field <= 22; field++, p = strchr(p + 1, ' ')) {
			if (field == 4)
				out->parent = (uint32_t)strtoul(p + 1, NULL, 10);
			if (field == 22)
				out->start_boot_ns = strtoull(p + 1, NULL, 10) *
						     (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
		}
	} else if (!error) {
		error = -ESRCH;
	}
	buf_release(&text);
	return error;
}

uint64_t proc_boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

bool proc_variable(uint32_t pid, const char *name, struct buf *out)
{
	size_t n = strlen(name);
	struct buf text;
	bool found = false;

	buf_init(&text);
	if (!proc_read(&text, pid, "environ"))
		for (const char *p = text.p; !found && p < text.p + text.n; p += strlen(p) + 1)
			if (!strncmp(p, name, n) && p[n] == '=') {
				buf_add(out, p + n + 1, strlen(p + n + 1) + 1);
				found = true;
			}
	buf_release(&text);
	return found && !out->failed;
}
