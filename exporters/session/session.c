/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/session.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int session_map(struct session *s, bool shared)
{
	void *base = mmap(NULL, s->table_size, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE,
			  SESSION_FD_TABLE, 0);
	int error;

	if (base == MAP_FAILED)
		return -errno;
	madvise(base, s->table_size, MADV_DONTDUMP); /* span data belongs in no core file */
	error = table_attach(&s->table, base, s->table_size);
	if (error) {
		munmap(base, s->table_size);
		return error;
	}
	s->mapped = true;
	return 0;
}

void session_unmap(struct session *s)
{
	if (s->mapped)
		munmap(s->table.header, s->table_size);
	s->mapped = false;
}

struct control *control_create(void)
{
	struct control *c = MAP_FAILED;
	int fd = memfd_create(CONTROL_NAME, MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, sizeof(*c)) == 0)
		c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c == MAP_FAILED) { /* a limit on the size of files, perhaps: then nobody can look on */
		if (fd >= 0)
			close(fd);
		c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	if (c == MAP_FAILED)
		return NULL;
	c->magic = CONTROL_MAGIC;
	c->abi = CONTROL_ABI;
	c->bytes = sizeof(*c);
	return c;
}
