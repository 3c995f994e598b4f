/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_KEEPER_H
#define BTRACE_KEEPER_H

/*
 * The keeper: tiny and long-lived. Reads the config, publishes the policy,
 * hands the table to those who join, keeps a worker running, notices when the
 * last traced process is gone, writes the ledger. Keeps the uid of the process
 * that started it.
 */

#include "exporters/session/session.h"

/* Runs the session to its end. The exit status. */
int keeper_run(struct session *s);

#endif
