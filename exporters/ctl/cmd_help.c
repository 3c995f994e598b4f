/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"

struct help_options {
	bool man, completion;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct help_options, __VA_ARGS__),
#include "exporters/ctl/help.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_help_cli = {
	.name = "help",
	.operands = "[COMMAND]",
	CLI_OPTIONS(options),
	.about = "Shows the commands, or the help of one of them.",
	.exit_status = "0  shown\n2  wrong usage",
	.examples = "the manual page of a command\n\tbtracectl help --man view | man -l -\n"
		    "completion in this shell\n\teval \"$(btracectl help --completion)\"",
};
/* clang-format on */

static void add_overview(struct buf *out)
{
	buf_add_text(out, "usage: btracectl COMMAND [OPTION]...\n\n");
	for (const struct command *c = command_table(); c->name; c++)
		buf_printf(out, "  %-10s %s\n", c->name, c->summary);
	buf_add_text(out, "\n`btracectl COMMAND --help` tells more.\n");
}

int cmd_help(int argc, char **argv)
{
	struct help_options o = { .man = false };
	int rc = cli_parse(&cmd_help_cli, &argc, argv, &o);
	const struct command *command;
	struct buf out;

	if (rc != CLI_RUN)
		return rc;
	command = argc > 1 ? command_find(argv[1]) : NULL;
	if (argc > 2 || (argc > 1 && !command))
		return cli_misuse(&cmd_help_cli, "there is no command '%s'", argv[argc - 1]);
	buf_init(&out);
	if (o.completion)
		cli_completion(&out, command_table());
	else if (o.man && command)
		cli_man(&out, command->cli, command->summary);
	else if (o.man)
		cli_man_overview(&out, command_table());
	else if (command)
		cli_help(&out, command->cli, command->summary, 100);
	else
		add_overview(&out);
	fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
	return 0;
}
