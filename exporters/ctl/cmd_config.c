/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "exporters/config/config.h"
#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "shim/abi/wanted.h"

struct config_options {
	bool explain, markdown, example, schema;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct config_options, __VA_ARGS__),
#include "exporters/ctl/config.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_config_cli = {
	.name = "config",
	.operands = "[FILE | WORD]",
	CLI_OPTIONS(options),
	.operands_are_files = true,
	.about =
"Shows which options a config sets, to what, and where: FILE, else as btracectl check has it. With an option it prints "
"instead what there is to set.",
	.exit_status = "0  done\n1  the config has errors, or no option has WORD in it\n2  wrong usage",
	.examples = "what a config comes to, with the environment\n\tbtracectl config btrace.yml\n"
		    "what there is about sampling\n\tbtracectl config --explain sample\n"
		    "a config to begin with\n\tbtracectl config --example >btrace.yml",
};
/* clang-format on */

static int show(const char *path, struct buf *out)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	char named[WANTED_PATH_BYTES];
	int rc;

	source.environment = (const char *const *)environ;
	wanted_config(source.environment, named);
	source.path = path ? path : *named ? named : NULL;
	rc = config_load(&config, &source, &report);
	if (rc)
		config_report_text(&report, out);
	else
		config_print_settings(&config, out);
	config_release(&config);
	config_report_release(&report);
	return rc ? 1 : 0;
}

int cmd_config(int argc, char **argv)
{
	struct config_options o = { .explain = false };
	int rc = cli_parse(&cmd_config_cli, &argc, argv, &o);
	const char *word = argc > 1 ? argv[1] : NULL;
	struct buf out;

	if (rc != CLI_RUN)
		return rc;
	if (o.explain + o.markdown + o.example + o.schema > 1)
		return cli_misuse(&cmd_config_cli, "one option at a time");
	if (argc > (o.markdown || o.example || o.schema ? 1 : 2))
		return cli_misuse(&cmd_config_cli, "what is '%s' for", argv[argc - 1]);
	buf_init(&out);
	rc = 0;
	if (o.explain)
		rc = config_print_explain(&out, word) == 0;
	else if (o.markdown)
		config_print_markdown(&out);
	else if (o.example)
		config_print_example(&out);
	else if (o.schema)
		config_print_schema(&out);
	else
		rc = show(word, &out);
	fwrite(out.p, 1, out.n, stdout);
	if (rc && o.explain)
		fprintf(stderr, "btracectl: no option has '%s' in its name\n", word);
	buf_release(&out);
	return rc;
}
