/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "exporters/ctl/command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
#define COMMAND(name, summary) { #name, cmd_##name, summary },
#include "exporters/ctl/commands.def"
#undef COMMAND
};

int cmd_help(int argc, char **argv)
{
	(void)argc, (void)argv;
	puts("usage: btracectl COMMAND [OPTION]...\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	puts("\n`btracectl COMMAND --help` tells more.");
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "btracectl: no command '%s'; `btracectl help` lists them\n", name);
	return 2;
}
