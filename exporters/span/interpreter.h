/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_INTERPRETER_H
#define BTRACE_INTERPRETER_H

/*
 * What a process is called: for a program its executable, for an interpreter
 * the script, module, jar or main class it runs. A trace full of "python3.11"
 * tells nobody anything. Pure; input is not trusted.
 */

#include <stdbool.h>

#include "exporters/base/slice.h"

/*
 * executable: base name of /proc/self/exe. command: argv at start, each with
 * its NUL; cut: it may be longer than what is there, so that an argument which
 * ends with the command is not to be relied on. Returns a piece of one of the
 * two; empty if both are.
 */
struct slice interpreter_program(struct slice executable, struct slice command, bool cut);

/* What is behind the last slash. */
struct slice interpreter_base(struct slice path);

#endif
