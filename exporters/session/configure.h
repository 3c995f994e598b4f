/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIGURE_H
#define BTRACE_CONFIGURE_H

/*
 * The keeper's part of configuration: reads it, tells what is wrong with it in
 * clear lines, publishes the policy. Whatever is wrong, the host runs on
 * untraced.
 */

#include "exporters/session/session.h"

/* config_path of `btracectl run` without a config: file and console, everything sampled. */
#define CONFIGURE_EMBEDDED "default:"

/* The config of a session: a file, CONFIGURE_EMBEDDED, or with an empty path the environment alone. As
 * config_load(); says nothing. */
int configure_read(const char *path, const char *directory, const char *const *environment,
		   struct config *config, struct config_report *report);

void configure(struct session *s);

/*
 * Called at every tick: has the file changed? A good one is kept in
 * s->next_config, and its policy is in force at once; of a bad one the errors
 * are told and the old stays. True: the worker has to retire, then configure_next().
 */
bool configure_watch(struct session *s);
/* The worker is gone: the exporters of the new config are opened. */
void configure_next(struct session *s);

#endif
