/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/transport/spool.h"

enum { FILES_MAX = 64 };

/* A descriptor, locked; -EWOULDBLOCK if another session has it. */
static int open_locked(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		rc = -EPERM; /* somebody laid it there for us */
	else
		rc = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int spool_file_open(const char *directory, const char *name)
{
	size_t size = strlen(directory) + strlen(name) + 32;
	char *path;
	int fd = -EAGAIN;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return -errno;
	path = malloc(size);
	if (!path)
		return -ENOMEM;
	for (unsigned i = 0; i < FILES_MAX; i++) {
		snprintf(path, size, "%s/%s.%u.spool", directory, name, i);
		fd = open_locked(path);
		if (fd != -EWOULDBLOCK)
			break;
	}
	free(path);
	return fd;
}
