/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ATTACH_H
#define BTRACE_ATTACH_H

/*
 * Looking at a running session from outside: its span table, its account and its
 * live figures, through the descriptors which its keeper has open (/proc/PID/fd).
 * The kernel lets in the keeper's own user and root, also where the session is
 * in a container. Everything is read, never mapped: that holds no session up,
 * and no other process can make us crash by shortening what we map. What was
 * read is a copy; the session may be hostile, so it is range-checked.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/session/session.h"

#define ATTACH_SESSIONS 256u

struct attached {
	uint32_t keeper, uid;  /* process number and user of the keeper */
	uint64_t age_ns;       /* since it was started */
	char config[PATH_MAX]; /* "": the environment alone */
	char directory[PATH_MAX];
	struct session session; /* table and control are copies: ledger_sum() and its like work on it */
	int table_fd, control_fd;
	bool ended; /* nobody is traced any more, it is sending what is left */
};

/* Process numbers of all keepers that can be seen, in rising order. Their number. */
size_t attach_list(uint32_t *keepers, size_t size);

/* 0, -ESRCH (no session there), -EACCES (not allowed), -EPROTO (another build), or -errno. After 0 it wants
 * attach_close(), and figures are there after attach_read(). */
int attach_open(struct attached *a, uint32_t keeper);
int attach_read(struct attached *a); /* 0, or -ESRCH: the session is over */
void attach_close(struct attached *a);

/* The session of a keeper or of a traced process, opened and read. Errors as attach_open(). *unseen: sessions
 * that could not be looked at; it may be in one of them. */
int attach_find(struct attached *a, uint32_t pid, size_t *unseen);
/* The one session there is. *n: how many there are; unless it is 1 nothing was opened. */
int attach_only(struct attached *a, size_t *n);
/* A process's number as it sees itself: in a container another one than out here. */
uint32_t attach_inner_pid(uint32_t pid);
/* Is the process one of this session? `inner`: its number as it sees itself. */
bool attach_has(const struct attached *a, uint32_t pid, uint32_t inner);

/* What -EACCES and the others mean to a person. */
const char *attach_error(int error);

/* An entry of the registry that is in use; false = it is not. Process 0 is nobody. */
bool attach_process(const struct attached *a, uint32_t index, struct table_process *out);

/* The next request in flight at or after *cursor (0 to begin): its record, copied, its strings whole.
 * False: no more. */
bool attach_next_open(struct attached *a, uint32_t *cursor, struct span_slot *out);

/* What a service is called: its own name, else the program's, else "?". Printable by harmless_add(). */
void attach_service(const struct table_process *p, char out[128]);

/* How to show the config of a session. */
const char *attach_config(const struct attached *a);

#endif
