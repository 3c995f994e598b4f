/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ACTIVATE_H
#define BTRACE_ACTIVATE_H

/*
 * From configured to tracing: join the exporter of this user and config, or
 * start one. Happens once per process, at the first listen(), accept(), or listening socket that it is
 * passed, with `client_only` at the first connect(). True if tracing is active afterwards. Opens no
 * descriptor in the host, starts no child that the host could notice, blocks for the time of an exec at most
 * (to join: two seconds at most, if the exporter does not answer).
 */

#include <stdbool.h>
#include <stddef.h>

#include "shim/abi/wanted.h"
#include "shim/hidden.h"

bool activate(void);

/*
 * The same at a connect(): only if the configuration asks for programs that
 * never serve. It then waits for the exporter to have read it (some 20 ms, a
 * second at most), as a command such as curl is over before that, and what it
 * sent could not be given a context any more.
 */
bool activate_client(void);

/*
 * The same while it is not known whether this process will ever serve: it may be about to
 * become another program, of another user. An exporter that is started for it opens
 * nothing and says nothing before the first connection.
 */
bool activate_later(void);

/* start.c: what the constructor kept for it; all absolute, NUL-terminated. */
struct start_facts {
	char config[WANTED_PATH_BYTES]; /* path, or "" if the environment alone configures */
	char library[4096];             /* of libbtrace.so, to find the exporter beside it */
	char **environment;             /* copy of the host's, NULL-terminated */
	char directory[4096];           /* working directory at start */
};
extern HIDDEN struct start_facts start_facts;

#endif
