/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "exporters/ctl/command.h"

int cmd_help(int argc, char **argv)
{
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	char flag[] = "--help", *arguments[] = { argc > 1 ? argv[1] : flag, flag, NULL };

	if (command && strcmp(argv[1], "help") != 0)
		return command->run(2, arguments);
	puts("usage: btracectl COMMAND [OPTION]...\n");
	for (const struct command *c = command_table(); c->name; c++)
		printf("  %-10s %s\n", c->name, c->summary);
	puts("\n`btracectl COMMAND --help` tells more.");
	return 0;
}
