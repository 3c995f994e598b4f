/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_COMMAND_H
#define BTRACE_COMMAND_H

/*
 * The commands of btracectl: one row in commands.def, one file cmd_<name>.c
 * with one function. argv[0] is the command's name. Exit codes: 0 done, 1 the
 * answer is no (assertion failed, config has errors, findings), 2 wrong usage
 * or cannot be done.
 */

#define COMMAND(name, summary) int cmd_##name(int argc, char **argv);
#include "exporters/ctl/commands.def"
#undef COMMAND

#endif
