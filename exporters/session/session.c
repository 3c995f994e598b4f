/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/session.h"

#include <errno.h>
#include <sys/mman.h>

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
	void *p =
		mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}
