/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ORPHANS_H
#define BTRACE_ORPHANS_H

/*
 * Processes whose exporter was killed, keeper and all. They go on unharmed and fill their table, which
 * nobody empties: the next session tells so. They are found by their mappings: a table that no exporter
 * holds.
 */

#include <stddef.h>
#include <stdint.h>

#define ORPHANS_MAX 1024 /* sessions on the machine, as those with an exporter are sorted out afterwards */

struct orphans {
	uint64_t inode[ORPHANS_MAX]; /* of their tables */
	uint32_t pid[ORPHANS_MAX];   /* one process of each */
	uint32_t n;
	uint64_t tell_ms; /* when to look again; 0: it is done */
};

/* Looks through /proc, as far as it may: processes of its own user. A session that is just beginning is found
 * too, so look twice: orphans_tell() tells of those which are in both. */
void orphans_find(struct orphans *o, uint64_t now_ms);
/* Once, and not before its time; UINT64_MAX: now, or nobody will hear it. */
void orphans_tell(struct orphans *before, uint64_t now_ms);

#endif
