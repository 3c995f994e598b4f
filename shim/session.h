/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SESSION_H
#define BTRACE_SESSION_H

/*
 * What the activation child does: join the session of this identity, or start
 * one. It runs on the host's memory with descriptors of its own, so it uses raw
 * system calls only and leaves by returning.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptors the exporter finds open; the rest is closed. */
#define SESSION_FD_TABLE  3
#define SESSION_FD_SOCKET 4

/* On the session's SOCK_SEQPACKET socket the exporter answers a connection with one byte and the table's
 * descriptor; the client says nothing. exporters/session/session.h has its own copy of the numbers above. */

struct session {
	void *base; /* the mapped table; NULL: failed */
	size_t bytes;
	int error;        /* errno of what failed */
	const char *what; /* and what it was */
	const char *detail;
	bool later; /* an exporter started for it waits for the first connection */
	char *stack;
	bool client;   /* asked for by a connect(): only if the configuration says client_only */
	bool unwanted; /* and it does not: base is NULL, and nothing failed */
	char name[64];
	char config[4096]; /* path of the config, absolute, "" without */
};

int session_child(void *session);

#endif
