/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FDS_H
#define BTRACE_FDS_H

/*
 * Descriptors: number -> what we know of it. An entry is one 64-bit atomic:
 *	connection: index << 2 | FD_CONN, generation in the upper half
 *	listener:   index << 2 | FD_LISTENER
 * Private to the process; the chunk directory itself is in shim.h, for the hooks.
 */

#include <stdint.h>

#include "shim/conn.h"
#include "shim/hidden.h"
#include "shim/shim.h"

/* FD_INETD: found open as a connected socket at start; a connection if the first bytes look like HTTP */
enum fd_kind { FD_NONE = 0, FD_CONN = 1, FD_LISTENER = 2, FD_INETD = 3 };

static inline enum fd_kind fd_kind(uint64_t entry) { return (enum fd_kind)(entry & 3); }
static inline uint32_t fd_index(uint64_t entry) { return (uint32_t)entry >> 2; }
static inline uint32_t fd_generation(uint64_t entry) { return (uint32_t)(entry >> 32); }

uint64_t fd_entry_of_conn(uint32_t index);
uint64_t fd_get(int fd);
/* Sets an entry; what stood there before is closed. False: no memory. */
bool fd_set_entry(int fd, uint64_t entry);
/* The highest number that ever had an entry; 0 if none had. */
uint32_t fd_highest(void);
/* Takes an entry out and gives up its reference. */
void fd_forget(int fd);
/* Only if it still is `entry`. */
void fd_forget_entry(int fd, uint64_t entry);

/* Listeners: where a connection came in. Few; the table is small and fixed. */
#define FD_LISTENERS 64u
struct listener {
	struct span_address address;
	uint8_t path_bytes;
	char path[108]; /* of a UNIX socket; '@' in place of the NUL of an abstract one */
};
extern HIDDEN struct listener fd_listener[FD_LISTENERS];
uint32_t fd_new_listener(void); /* 0: none left; index 0 is "unknown" */

#endif
