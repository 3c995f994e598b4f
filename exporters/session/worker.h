/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_WORKER_H
#define BTRACE_WORKER_H

/*
 * The worker: takes spans out of the table, encodes and sends them. Forked by
 * the keeper, which restarts it when it dies; gives up what rights it does not
 * need. Its exit status: 0 all done, anything else: start another one.
 */

#include <sys/types.h>

#include "exporters/session/session.h"

int worker_run(struct session *s, uint16_t epoch, pid_t keeper);

#endif
