/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exporters/config/config.h"
#include "exporters/ctl/command.h"

static const char usage[] =
	"usage: btracectl check [--strict] [FILE]\n"
	"\n"
	"Reads a config as the exporter would, with the environment of this command, and\n"
	"tells what would happen. Without FILE: BTRACE_CONFIG, else BENTOML_CONFIG, else\n"
	"the environment alone. `-` is standard input. All errors are told at once, with\n"
	"file, line and column.\n"
	"\n"
	"  --strict   warnings count as errors\n"
	"\n"
	"Exit status: 0 fine, 1 errors in the config, 2 wrong usage.\n";

static int check(const char *path, bool strict)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	struct buf out;
	int rc;

	source.environment = (const char *const *)environ;
	source.path = path ? path : config_path_of(source.environment);
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
	static const struct option options[] = { { "strict", no_argument, NULL, 's' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	bool strict = false;
	int choice;

	while ((choice = getopt_long(argc, argv, "sh", options, NULL)) != -1) {
		switch (choice) {
		case 's': strict = true; break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (argc - optind > 1) {
		fputs(usage, stderr);
		return 2;
	}
	return check(argv[optind], strict);
}
