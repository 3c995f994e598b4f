/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_EXPORTER_SESSION_H
#define BTRACE_EXPORTER_SESSION_H

/*
 * A session: one span table, the processes that write into it, the keeper that
 * looks after it and the worker that empties it. One per exporter process.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "exporters/config/config.h"
#include "exporters/session/control.h"
#include "shim/abi/table.h"

/* Descriptors as the library left them (shim/session.h has the same numbers). */
#define SESSION_FD_TABLE  3
#define SESSION_FD_SOCKET 4

struct output { /* outputs.h */
	struct session *session;
	const struct config_exporter *exporter;
	const struct transport *transport;
	int fd;       /* of the trace file; 0: none */
	int spool_fd; /* 0: none */
	void *region; /* of the queue, shared between keeper and workers */
	size_t region_bytes;
};

struct session {
	const char *config_path; /* "": the environment alone */
	const char *directory;   /* working directory of the process that started us */
	const char *const *environment;
	size_t table_size;
	struct table table; /* valid while mapped */
	bool mapped;
	void *final; /* what will be a copy of the table, or NULL */
	bool later;  /* until a process takes part nothing is opened, started, or said */
	bool named;  /* SESSION_FD_SOCKET is our listening socket */
	int poke;    /* eventfd: the keeper wants the worker to look at control->command */
	struct control *control;
	struct config config;
	struct config next_config; /* read again and good; waits for the worker to retire */
	bool next_waits;
	struct timespec config_time; /* of the file, as it was last read */
	uint64_t config_inode, config_size;
	struct output output[CONTROL_SINKS];
	uint32_t n_outputs;
	int channel[2]; /* keeper's and worker's end of a socket pair */
};

/* Maps the table, shared with the traced processes. 0 or -errno. */
int session_map(struct session *s);
void session_unmap(struct session *s);

/*
 * The end: nobody may map the table for writing any more. Keeper: what is in use of it goes to memory that
 * only keeper and workers share, so that what one of them has done is known to the next. Then all look at
 * that.
 */
void session_reserve_final(
	struct session *s); /* before the first worker; without room: each has its own copy */
int session_copy_final(struct session *s);
int session_map_final(struct session *s);

#endif
