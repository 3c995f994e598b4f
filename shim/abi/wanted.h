/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ABI_WANTED_H
#define BTRACE_ABI_WANTED_H

/*
 * What an environment ("NAME=value", NULL-terminated) asks for, before any
 * config is read: library, exporter and btracectl must agree on it. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#define WANTED_PATH_BYTES 4096

/* The value of a variable; NULL if it is unset or empty. Borrowed from the environment. */
const char *wanted_get(const char *const *environment, const char *name);

/* The kill switch that is on (BTRACE_DISABLED, OTEL_SDK_DISABLED), or NULL. */
const char *wanted_not(const char *const *environment);

/*
 * Is tracing asked for: a file is named, BENTOML_CONFIG_OPTIONS or the like say something of tracing, or
 * OTEL_* variables that work alone are set; and no kill switch?
 */
bool wanted_by(const char *const *environment);

/*
 * The config file: BTRACE_CONFIG, else BENTOML_CONFIG; $NAME, ${NAME} and a leading ~ filled in as BentoML
 * does it, again and again; what is not set stays as it is. *out is "" if none is named. False: longer than
 * the buffer.
 */
bool wanted_config(const char *const *environment, char out[WANTED_PATH_BYTES]);

/*
 * Does a piece of configuration (a YAML file, or the value of one of the option variables) look as if it sets
 * client_only? Asked before any exporter is there to read it, so it is a look at the text: a key of that name
 * that is no comment and whose value is not plainly false. The exporter's reading has the last word.
 */
bool wanted_client_only(const char *text, size_t n);

/* The same of the option variables. */
bool wanted_client_only_by(const char *const *environment);

#endif
