/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_OUTPUTS_H
#define BTRACE_OUTPUTS_H

/*
 * What the keeper holds for the exporters of the config, so that it outlives a
 * worker: the trace file's descriptor (the worker may have no right to open
 * it) and the memory of the queue (a new worker sends what a dead one held).
 */

#include "exporters/session/session.h"

/* Opens what config.exporters need. What cannot be opened is told and left out. The number of usable ones. */
uint32_t outputs_open(struct session *s);
void outputs_close(struct session *s);

/* Keeper: answers what workers ask on s->channel[0]; never blocks. */
void outputs_serve(struct session *s);
/* Worker: rotates file `output` by way of the keeper; the new descriptor or -errno. */
int outputs_rotate(void *output, const char *path);

#endif
