/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exporters/config/config.h"
#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "shim/abi/wanted.h"
#include "shim/abi/wanted.h"

struct check_options {
	bool strict;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct check_options, __VA_ARGS__),
#include "exporters/ctl/check.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_check_cli = {
	.name = "check",
	.operands = "[FILE]",
	CLI_OPTIONS(options),
	.operands_are_files = true,
	.about =
"Reads a config as the exporter would, with the environment of this command, and tells what would happen. Without FILE: "
"BTRACE_CONFIG, else BENTOML_CONFIG, else the environment alone; - is the standard input. All errors are told at once, "
"with file, line and column.",
	.exit_status = "0  fine\n1  errors in the config\n2  wrong usage",
	.examples = "before a server is started with it\n\tbtracectl check --strict btrace.yml",
};
/* clang-format on */

static int check(const char *path, bool strict)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	char named[WANTED_PATH_BYTES];
	struct buf out;
	int rc;

	source.environment = (const char *const *)environ;
	wanted_config(source.environment, named);
	source.path = path ? path : *named ? named : NULL;
	if (path && !strcmp(path, "-")) {
		source.path = "stdin";
		source.fd = STDIN_FILENO;
	}
	buf_init(&out);
	rc = config_load(&config, &source, &report);
	if (!rc && config.on)
		config_check_files(&config, &report);
	config_report_text(&report, &out);
	if (rc) {
		buf_printf(&out, "%s: %zu error%s; tracing would stay off\n",
			   source.path ? source.path : "environment", report.errors,
			   report.errors == 1 ? "" : "s");
	} else {
		buf_printf(&out, "%s: %s", source.path ? source.path : "environment",
			   config.on ? "ok: " : "");
		config_describe(&config, &out);
		buf_add_byte(&out, '\n');
	}
	fwrite(out.p, 1, out.n, stdout);
	strict = strict && report.warnings;
	buf_release(&out);
	config_release(&config);
	config_report_release(&report);
	return rc || strict ? 1 : 0;
}

int cmd_check(int argc, char **argv)
{
	struct check_options o = { .strict = false };
	int rc = cli_parse(&cmd_check_cli, &argc, argv, &o);

	if (rc != CLI_RUN)
		return rc;
	if (argc > 2)
		return cli_misuse(&cmd_check_cli, "one file at a time");
	return check(argv[1], o.strict);
}
