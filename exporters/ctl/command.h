/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_COMMAND_H
#define BTRACE_COMMAND_H

/*
 * The commands of btracectl: one row in commands.def, one file cmd_<name>.c
 * with the function cmd_<name>() and the option table cmd_<name>_cli (cli.h).
 * argv[0] is the command's name. Exit codes: 0 done, 1 the answer is no
 * (assertion failed, config has errors, findings), 2 wrong usage or cannot be
 * done.
 */

#include <stddef.h>

struct cli_command;

#define COMMAND(name, summary)                 \
	int cmd_##name(int argc, char **argv); \
	extern const struct cli_command cmd_##name##_cli;
#include "exporters/ctl/commands.def"
#undef COMMAND

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const struct cli_command *cli;
};

/* In the order of commands.def, ended by a row without name. */
const struct command *command_table(void);
const struct command *command_find(const char *name); /* NULL = there is none */
const char *command_summary(const char *name);        /* "" if there is none */

#endif
