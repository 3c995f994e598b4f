/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "exporters/config/config.h"
#include "exporters/ctl/command.h"

static const char usage[] =
	"usage: btracectl config [FILE]\n"
	"       btracectl config --explain [WORD] | --markdown | --example | --schema\n"
	"\n"
	"Shows which options a config sets, to what, and where (FILE, else as btracectl\n"
	"check has it), or prints what there is to set:\n"
	"\n"
	"  --explain [WORD]  all options in words, or those with WORD in a name\n"
	"  --markdown        as a table\n"
	"  --example         as a commented config file\n"
	"  --schema          as a JSON Schema, for editors\n"
	"\n"
	"Exit status: 0 done, 1 the config has errors or no option has WORD in it, 2 wrong usage.\n";

static int show(const char *path, struct buf *out)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	int rc;

	source.environment = (const char *const *)environ;
	source.path = path ? path : config_path_of(source.environment);
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
	static const struct option options[] = {
		{ "explain", no_argument, NULL, 'x' }, { "markdown", no_argument, NULL, 'm' },
		{ "example", no_argument, NULL, 'e' }, { "schema", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },    { NULL, 0, NULL, 0 },
	};
	int choice = getopt_long(argc, argv, "h", options, NULL), rc = 0;
	const char *word = optind < argc ? argv[optind] : NULL;
	struct buf out;

	if (choice == 'h') {
		fputs(usage, stdout);
		return 0;
	}
	if (choice == '?' || argc - optind > (choice == -1 || choice == 'x')) {
		fputs(usage, stderr);
		return 2;
	}
	buf_init(&out);
	switch (choice) {
	case 'x': rc = config_print_explain(&out, word) == 0; break;
	case 'm': config_print_markdown(&out); break;
	case 'e': config_print_example(&out); break;
	case 's': config_print_schema(&out); break;
	default: rc = show(word, &out);
	}
	fwrite(out.p, 1, out.n, stdout);
	if (rc && choice == 'x')
		fprintf(stderr, "btracectl: no option has '%s' in its name\n", word);
	buf_release(&out);
	return rc;
}
