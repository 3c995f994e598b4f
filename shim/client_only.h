/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CLIENT_ONLY_H
#define BTRACE_CLIENT_ONLY_H

/*
 * Does the configuration of this process ask for programs that never serve?
 * Called in the activation child (session.h), whose descriptors are its own; raw
 * system calls only. config: absolute path, or "". What is no regular file (a
 * pipe can be read once only) is not looked at, nor what stands behind the first
 * 64 KiB; the option variables are.
 */

#include <stdbool.h>

bool client_only_wanted(const char *config);

#endif
