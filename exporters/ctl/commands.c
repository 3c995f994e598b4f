/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/ctl/command.h"

static const struct command table[] = {
#define COMMAND(name, summary) { #name, cmd_##name, summary, &cmd_##name##_cli },
#include "exporters/ctl/commands.def"
#undef COMMAND
	{ NULL, NULL, NULL, NULL },
};

const struct command *command_table(void) { return table; }

const struct command *command_find(const char *name)
{
	for (const struct command *c = table; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const char *command_summary(const char *name)
{
	const struct command *c = command_find(name);

	return c ? c->summary : "";
}
