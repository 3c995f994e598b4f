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
#include "exporters/encode/json.h"
#include "shim/abi/wanted.h"

struct check_options {
	bool strict, json;
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

static void print_text(struct buf *out, const char *name, int rc, const struct config *config,
		       const struct config_report *report)
{
	config_report_text(report, out);
	if (rc) {
		buf_printf(out, "%s: %zu error%s; tracing would stay off\n", name, report->errors,
			   report->errors == 1 ? "" : "s");
		return;
	}
	buf_printf(out, "%s: %s", name, config->on ? "ok: " : "");
	config_describe(config, out);
	buf_add_byte(out, '\n');
}

static void print_json(struct buf *out, const char *name, int rc, const struct config *config,
		       const struct config_report *report)
{
	struct buf what;

	buf_init(&what);
	if (!rc)
		config_describe(config, &what);
	buf_add_text(out, "{\"config\":");
	json_string(out, slice_of(name));
	buf_printf(out, ",\"on\":%s,\"errors\":%zu,\"warnings\":%zu,\"what\":", config->on ? "true" : "false",
		   report->errors, report->warnings);
	json_string(out, (struct slice){ what.p, what.n });
	buf_add_text(out, ",\"messages\":[");
	for (size_t i = 0; i < report->n; i++) {
		const struct config_message *m = &report->messages[i];

		buf_printf(out, "%s{\"severity\":\"%s\",\"line\":%u,\"column\":%u,\"source\":", i ? "," : "",
			   m->severity == CONFIG_ERROR ? "error" : "warning", m->mark.line, m->mark.column);
		json_string(out, slice_of(m->mark.source));
		buf_add_text(out, ",\"text\":");
		json_string(out, slice_of(m->text));
		buf_add_byte(out, '}');
	}
	buf_add_text(out, "]}\n");
	buf_release(&what);
}

static int check(const char *path, const struct check_options *o)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	char named[WANTED_PATH_BYTES];
	struct buf out;
	bool strict;
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
	(o->json ? print_json : print_text)(&out, source.path ? source.path : "environment", rc, &config,
					    &report);
	fwrite(out.p, 1, out.n, stdout);
	strict = o->strict && report.warnings;
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
	return check(argv[1], &o);
}
