/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/configure.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exporters/session/log.h"
#include "exporters/session/outputs.h"
#include "exporters/session/policy_build.h"

static const char embedded[] = "tracing:\n"
			       "  exporter_type: [file, console]\n"
			       "  sample_rate: 1.0\n"
			       "  file: {path: btrace-traces.jsonl}\n";

static int embedded_file(void)
{
	int fd = memfd_create("btrace-config", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, embedded, sizeof(embedded) - 1) != (ssize_t)sizeof(embedded) - 1) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_embedded(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, CONFIGURE_EMBEDDED);
}

static void report_exclude(struct session *s, const struct exclude_error *error)
{
	const struct config_list *list = &s->config.excluded_urls;
	const struct config_item *item = error->pattern < list->n ? &list->items[error->pattern] : NULL;

	log_line("%s:%u:%u: excluded_urls: \"%s\": %s",
		 item && item->mark.source ? item->mark.source : "config", item ? item->mark.line : 0,
		 item ? item->mark.column : 0, item ? item->text : "", error->text);
}

void configure(struct session *s)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct exclude_error error = { 0 };
	struct buf text;

	source.environment = s->environment;
	source.directory = NULL;
	if (is_embedded(s->config_path)) {
		source.fd = embedded_file();
		source.path = "the embedded default";
		source.directory = s->directory;
	} else if (*s->config_path) {
		source.path = s->config_path;
	} else {
		source.directory = s->directory;
	}
	s->config_loaded = config_load(&s->config, &source, &report) == 0;
	if (source.fd >= 0)
		close(source.fd);
	buf_init(&text);
	for (size_t i = 0; i < report.n; i++) {
		buf_add_text(&text, "btrace: ");
		config_message_text(&report.messages[i], &text);
		if (text.n && text.p[text.n - 1] != '\n')
			buf_add_byte(&text, '\n');
	}
	log_text((struct slice){ text.p, text.n });
	buf_release(&text);
	if (!s->config.on) {
		if (!report.n) /* else it has just been said, in better words */
			log_line("not tracing: %s",
				 s->config.why_off ? s->config.why_off : "nothing to export to");
		policy_build_off(&s->table);
	} else if (policy_build(&s->table, &s->config, &error)) {
		report_exclude(s, &error);
		s->config.on = false;
		policy_build_off(&s->table);
	} else if (!outputs_open(s)) { /* it has been said why */
		s->config.on = false;
		policy_build_off(&s->table);
	}
	config_report_release(&report);
}

void configure_watch(struct session *s) { (void)s; }
