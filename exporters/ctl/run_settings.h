/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_RUN_SETTINGS_H
#define BTRACE_RUN_SETTINGS_H

/*
 * --exporter, --sample and --set of `btracectl run`: all become words of
 * BTRACE_CONFIG_OPTIONS, which the exporter reads after the config file. They
 * are read here first, as the exporter will, so that a mistake is told before
 * anything runs.
 */

#include "exporters/base/buf.h"
#include "exporters/config/config.h"
#include "exporters/ctl/cli.h"

struct run_settings {
	const char *config;         /* NULL = the embedded default */
	struct cli_list *exporters; /* NAME or NAME=WHERE */
	const char *sample;         /* NULL = as it is */
	struct cli_list *set;       /* KEY=VALUE */
};

/* Adds the words to `out`, separated by spaces, with a NUL behind. False: *wrong says what is wrong. Pure. */
bool run_settings_words(const struct run_settings *s, struct buf *out, struct buf *wrong);

/* Reads the config as the session of the run will. 0 or -errno, as config_load(). */
int run_settings_load(const char *config, struct config *into, struct config_report *report);

/* Puts them into this process's environment, if there are any. 0, or 2 and told on stderr. */
int run_settings_apply(const struct run_settings *s);

#endif
