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

struct orphans {
	uint64_t inode[16]; /* of their tables */
	uint32_t pid[16];   /* one process of each */
	uint32_t n;
};

/* Looks through /proc, as far as it may: processes of its own user. A session that is just beginning is found
 * too, so look twice: orphans_tell() tells of those which are in both. */
void orphans_find(struct orphans *o);
void orphans_tell(const struct orphans *before);

#endif
