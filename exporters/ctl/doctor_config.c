/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/doctor.h"
#include "shim/abi/wanted.h"

static void add_messages(struct doctor *d, const struct config_report *report)
{
	struct buf text;

	buf_init(&text);
	for (size_t i = 0; i < report->n; i++) {
		buf_clear(&text);
		config_message_text(&report->messages[i], &text);
		while (text.n && text.p[text.n - 1] == '\n')
			text.n--;
		doctor_add(d,
			   report->messages[i].severity == CONFIG_ERROR ? FINDING_PROBLEM : FINDING_WARNING,
			   NULL, "%.*s", (int)text.n, text.p);
	}
	buf_release(&text);
}

static void add_what_it_does(struct doctor *d, const struct config *config, const char *path)
{
	struct buf text;

	buf_init(&text);
	config_describe(config, &text);
	doctor_add(d, FINDING_OK, NULL, "%s: %.*s", path ? path : "the environment", (int)text.n,
		   text.n ? text.p : "");
	buf_release(&text);
}

void doctor_config(struct doctor *d, const char *path, const char *directory, const char *const *environment)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	char room[4096], named[WANTED_PATH_BYTES];
	const char *at;

	source.environment = environment;
	wanted_config(environment, named);
	source.path = path ? path : *named ? named : NULL;
	source.directory = source.path ? NULL : directory;
	if (!source.path && !wanted_by(environment)) {
		doctor_add(d, FINDING_PROBLEM,
			   "set BTRACE_CONFIG=/path/to/btrace.yml; `btracectl config --example` prints one",
			   "no config is named: LD_PRELOAD alone does nothing, on purpose");
		return;
	}
	at = d->user && source.path ? doctor_forbidden(d, source.path, R_OK, room) : NULL;
	if (at)
		doctor_add(d, FINDING_PROBLEM, "let the user read it (chgrp, chmod g+r)",
			   "the config %s cannot be read by %s: %s forbids it", source.path, d->user, at);
	if (!config_load(&config, &source, &report)) {
		config_check_files(&config, &report);
		if (config.on)
			add_what_it_does(d, &config, source.path);
		else if (!report.n)
			doctor_add(d, FINDING_PROBLEM, "see `btracectl config --explain`",
				   "%s: tracing is off: %s", source.path ? source.path : "the environment",
				   config.why_off ? config.why_off : "there is nothing to export to");
		for (size_t i = 0; config.on && i < config.n_exporters; i++)
			doctor_reach(d, &config.exporters[i]);
	}
	add_messages(d, &report);
	config_release(&config);
	config_report_release(&report);
}
