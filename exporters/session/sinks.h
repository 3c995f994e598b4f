/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SINKS_H
#define BTRACE_SINKS_H

/* All exporters of the config together; each has its own queue, none waits for another. */

#include "exporters/session/session.h"
#include "exporters/span/model.h"
#include "exporters/transport/loop.h"

struct sink;

struct sinks {
	struct sink *sink[CONTROL_SINKS];
	uint32_t n;
};

/* 0; exporters that cannot be opened are told and left out (their spans count as failed). */
int sinks_open(struct sinks *k, struct session *s, struct transport_loop *loop);
/* number: of the batch, not 0; what a worker before us has put of it is left out. */
void sinks_put(struct sinks *k, const struct batch *batch, uint64_t number);
/* The batch of so many spans is given up: what the exporters have not got of it counts as failed. */
void sinks_fail(struct sinks *k, uint64_t spans, uint64_t number);
void sinks_pump(struct sinks *k, uint64_t now_ms);
bool sinks_idle(const struct sinks *k);
void sinks_stop(struct sinks *k, uint64_t deadline_ms);
void sinks_report(const struct sinks *k, struct control *control);
void sinks_close(struct sinks *k);

#endif
