/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/stderr.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool file_of(const char *path, struct stat *st) { return stat(path, st) == 0; }

void stderr_init(struct stderr_watch *w)
{
	struct stat st, null;

	*w = (struct stderr_watch){ 0 };
	if (fstat(2, &st) < 0)
		return;
	w->device = st.st_dev;
	w->inode = st.st_ino;
	w->open = !(file_of("/dev/null", &null) && null.st_rdev == st.st_rdev && S_ISCHR(st.st_mode));
}

static bool has_file(uint32_t pid, void *context)
{
	const struct stderr_watch *w = context;
	struct stat st;

	for (int fd = 1; fd <= 2; fd++) {
		char path[48];

		snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
		if (file_of(path, &st) && st.st_dev == w->device && st.st_ino == w->inode)
			return true;
	}
	return false;
}

void stderr_close(struct stderr_watch *w, struct control *control)
{
	int null;

	if (!w->open)
		return;
	w->open = false;
	atomic_store_explicit(&control->silent, 1, memory_order_release);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 2);
		close(null);
	} else {
		close(2);
	}
}

bool stderr_check(struct stderr_watch *w, const struct processes *p, const struct session *s, uint64_t now_ms)
{
	if (!w->open)
		return false;
	if (processes_any(p, s, has_file, w)) {
		w->unused_since_ms = 0;
		return true;
	}
	if (!w->unused_since_ms)
		w->unused_since_ms = now_ms;
	if (now_ms - w->unused_since_ms >= STDERR_GRACE_MS)
		stderr_close(w, s->control);
	return w->open;
}
