/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_IDENTITY_H
#define BTRACE_IDENTITY_H

/*
 * The name of a session: processes with the same one share an exporter. A hash
 * of uid, PID and time namespace, the config's path and the values of all BTRACE_*,
 * BENTOML_CONFIG* and OTEL_* variables but those that speak of one process only
 * (service name), and the ABI version. Not a secret: who joins is checked by
 * peer credentials.
 */

#include <stddef.h>
#include <stdint.h>

/* environment: NULL-terminated. Writes a NUL-terminated name of at most 64 bytes. */
void identity_name(char out[64], uint32_t uid, const char *config, char *const *environment);

#endif
