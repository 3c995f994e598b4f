/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/ctl/doctor.h"
#include "exporters/session/configure.h"
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
	doctor_add(d, FINDING_OK, NULL, "%s: %.*s", path, (int)text.n, text.n ? text.p : "");
	buf_release(&text);
}

/* What to call it, and where it is: a relative name is relative to the process's directory. */
static const char *place_of(const char *name, const char *directory, char room[8192])
{
	if (*name == '/' || !*name || !directory || !strcmp(name, CONFIGURE_EMBEDDED))
		return name;
	snprintf(room, 8192, "%s/%s", directory, name);
	return access(name, F_OK) == 0 && access(room, F_OK) != 0 ? name : room;
}

static void check(struct doctor *d, const char *shown, const struct config *config)
{
	if (config->on)
		add_what_it_does(d, config, shown);
	else
		doctor_add(d, FINDING_PROBLEM, "see `btracectl config --explain`", "%s: tracing is off: %s",
			   shown, config->why_off ? config->why_off : "there is nothing to export to");
	for (size_t i = 0; config->on && i < config->n_exporters; i++)
		doctor_reach(d, &config->exporters[i]);
	if (config->on && config->client_only && !config->client_spans)
		doctor_add(d, FINDING_WARNING, "client_spans: true",
			   "client_only has no effect without client_spans");
}

/* A program that connects looks at the text of the file, see wanted_client_only(). */
static void check_client_only(struct doctor *d, const char *file, const char *const *environment)
{
	static char text[64 * 1024];
	FILE *f = fopen(file, "re");
	struct stat st;
	size_t n = 0;

	if (f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode))
		n = fread(text, 1, sizeof(text), f);
	if (f)
		fclose(f);
	if (!wanted_client_only(text, n) && !wanted_client_only_by(environment))
		doctor_add(d, FINDING_WARNING,
			   "write `client_only: true` into the first 64 KiB of a regular file, or set "
			   "BTRACE_CONFIG_OPTIONS=tracing.client_only=true",
			   "programs that never serve cannot see that client_only is set");
}

void doctor_config(struct doctor *d, const char *path, const char *directory, const char *const *environment)
{
	struct config_report report = CONFIG_REPORT_INIT;
	char named[WANTED_PATH_BYTES], room[8192], forbidden[4096];
	const char *at, *file, *shown;
	struct config config;

	wanted_config(environment, named);
	if (!path && !wanted_by(environment)) {
		doctor_add(d, FINDING_PROBLEM,
			   "set BTRACE_CONFIG=/path/to/btrace.yml; `btracectl config --example` prints one",
			   "no config is named: LD_PRELOAD alone does nothing, on purpose");
		return;
	}
	file = place_of(path ? path : named, directory, room);
	shown = !*file                             ? "the environment"
		: strcmp(file, CONFIGURE_EMBEDDED) ? file
						   : "the default of btracectl run";
	at = d->user && *file == '/' ? doctor_forbidden(d, file, R_OK, forbidden) : NULL;
	if (at)
		doctor_add(d, FINDING_PROBLEM, "let the user read it (chgrp, chmod g+r)",
			   "the config %s cannot be read by %s: %s forbids it", file, d->user, at);
	if (!configure_read(file, directory, environment, &config, &report)) {
		config_check_files(&config, &report);
		check(d, shown, &config);
		if (config.on && config.client_only)
			check_client_only(d, file, environment);
	}
	add_messages(d, &report);
	config_release(&config);
	config_report_release(&report);
}
