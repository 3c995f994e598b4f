/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "exporters/ctl/doctor.h"

static bool allowed(const struct doctor *d, const struct stat *st, int rights)
{
	if (d->uid == 0)
		return true;
	if (st->st_uid == d->uid)
		return ((int)(st->st_mode >> 6) & rights) == rights;
	for (int i = 0; i < d->n_groups; i++)
		if (st->st_gid == d->groups[i])
			return ((int)(st->st_mode >> 3) & rights) == rights;
	return ((int)st->st_mode & rights) == rights;
}

const char *doctor_forbidden(const struct doctor *d, const char *path, int rights, char room[4096])
{
	struct stat st;

	if (!d->user) {
		snprintf(room, 4096, "%s", path);
		return access(path, rights) == 0 ? NULL : room;
	}
	for (const char *p = path; (p = strchr(p, '/')); p++) { /* each directory wants to be passed */
		snprintf(room, 4096, "%.*s", p == path ? 1 : (int)(p - path), path);
		if (stat(room, &st) < 0 || !allowed(d, &st, X_OK))
			return room;
	}
	snprintf(room, 4096, "%s", path);
	return stat(path, &st) < 0 || !allowed(d, &st, rights) ? room : NULL;
}

static const char *who(const struct doctor *d) { return d->user ? d->user : "this user"; }

static void check_right(struct doctor *d, const char *what, const char *path, int rights)
{
	char room[4096];
	const char *at = doctor_forbidden(d, path, rights, room);

	if (at)
		doctor_add(d, FINDING_PROBLEM,
			   "install it where everybody may read it, as /usr/lib, or chmod a+rX on the way",
			   "%s %s cannot be %s by %s: %s forbids it", what, path,
			   rights & X_OK ? "executed" : "read", who(d), at);
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* As the library looks for it (shim/session.c). */
static bool find_exporter(const char *library, char path[4096])
{
	static const char *const places[] = { "btrace-exporter", "../libexec/btrace/btrace-exporter",
					      "../../libexec/btrace/btrace-exporter" };
	const char *slash = strrchr(library, '/');

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, 4096, "%.*s/%s", (int)(slash - library), library, places[i]);
		if (is_file(path))
			return true;
	}
	return false;
}

void doctor_library(struct doctor *d)
{
	char exporter[4096];
	struct statvfs fs;

	if (*d->library != '/' || !is_file(d->library)) {
		doctor_add(d, FINDING_PROBLEM, "make install, or name it by its whole path in LD_PRELOAD",
			   "libbtrace.so was not found beside btracectl nor where it is installed to");
		return;
	}
	check_right(d, "the library", d->library, R_OK);
	if (statvfs(d->library, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
		doctor_add(d, FINDING_PROBLEM, "put the library on another file system",
			   "%s is on a file system mounted noexec: the loader cannot map it", d->library);
	if (!find_exporter(d->library, exporter)) {
		doctor_add(d, FINDING_PROBLEM, "make install, or BTRACE_EXPORTER=/path/to/btrace-exporter",
			   "no btrace-exporter beside %s nor in ../libexec/btrace", d->library);
		return;
	}
	check_right(d, "the exporter", exporter, X_OK);
}
