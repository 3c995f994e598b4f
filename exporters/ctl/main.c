/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "exporters/base/version.h"
#include "exporters/ctl/command.h"

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct command *command;

	setlocale(LC_CTYPE, ""); /* only that: numbers are printed and read as in C everywhere */
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return printf("btracectl %s\n", BTRACE_VERSION) < 0 ? 2 : 0;
	command = command_find(name);
	if (command)
		return command->run(argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
	fprintf(stderr, "btracectl: no command '%s'; `btracectl help` lists them\n", name);
	return 2;
}
