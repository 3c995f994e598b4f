/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PROC_H
#define BTRACE_PROC_H

/* Facts of other processes, by proc(5). Everything may be gone or forbidden at any time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "exporters/base/buf.h"

/* The file /proc/PID/NAME, at most 1 MiB of it, with a NUL behind. 0 or -errno. */
int proc_read(struct buf *out, uint32_t pid, const char *name);

/* Process numbers in rising order, at most `size`; their number. */
size_t proc_list(uint32_t *pids, size_t size);

struct proc_stat {
	char name[64]; /* comm */
	uint32_t parent;
	uint64_t start_boot_ns;
};
int proc_stat(uint32_t pid, struct proc_stat *out); /* 0 or -errno */

uint64_t proc_boot_ns(void); /* CLOCK_BOOTTIME now */

/* The value of a variable at the process's start: NUL-terminated in `out`. False: not there, or forbidden. */
bool proc_variable(uint32_t pid, const char *name, struct buf *out);

#endif
