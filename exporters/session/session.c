/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/session.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int session_map(struct session *s)
{
	void *base = mmap(NULL, s->table_size, PROT_READ | PROT_WRITE, MAP_SHARED, SESSION_FD_TABLE, 0);
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
	if (s->mapped && s->table.header != s->final)
		munmap(s->table.header, s->table_size);
	s->mapped = false;
}

void session_reserve_final(struct session *s)
{
	void *p = mmap(NULL, s->table_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return;
	madvise(p, s->table_size, MADV_DONTDUMP);
	s->final = p;
}

/* Only what is in use: most of the table never was, and would become memory by being read and written. */
static void copy_table(char *to, const struct table *t)
{
	const char *from = (const char *)t->header;
	const char *policy = (const char *)table_policy(t);
	uint32_t slot, i;

	memcpy(to, from, (size_t)((const char *)t->process - from)); /* header, states, hints */
	for (i = 0; i < TABLE_PROCESSES; i++)
		if (table_process_state(t, i) != PROCESS_FREE)
			memcpy(to + ((const char *)&t->process[i] - from), &t->process[i],
			       sizeof(t->process[i]));
	if (policy)
		memcpy(to + (policy - from), policy, POLICY_BYTES);
	for (slot = 0; slot < t->slots; slot++)
		if (slot_word_state(atomic_load_explicit(&t->state[slot], memory_order_relaxed)) != SLOT_FREE)
			memcpy(to + ((const char *)&t->slot[slot] - from), &t->slot[slot],
			       sizeof(t->slot[slot]));
}

int session_copy_final(struct session *s)
{
	struct table table;
	void *base;
	int error;

	if (!s->final)
		return 0; /* each maps it for itself */
	base = mmap(NULL, s->table_size, PROT_READ, MAP_PRIVATE, SESSION_FD_TABLE, 0);
	if (base == MAP_FAILED)
		return -errno;
	error = table_attach(&table, base, s->table_size);
	if (!error)
		copy_table(s->final, &table);
	munmap(base, s->table_size);
	return error ? error : session_map_final(s);
}

int session_map_final(struct session *s)
{
	void *base = s->final;
	int error;

	if (!base)
		base = mmap(NULL, s->table_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, SESSION_FD_TABLE, 0);
	if (base == MAP_FAILED)
		return -errno;
	error = table_attach(&s->table, base, s->table_size);
	if (!error)
		s->mapped = true;
	else if (!s->final)
		munmap(base, s->table_size);
	return error;
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
