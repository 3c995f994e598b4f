/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/configure.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

static void tell(const struct config_report *report)
{
	struct buf text;

	buf_init(&text);
	for (size_t i = 0; i < report->n; i++) {
		buf_add_text(&text, "btrace: ");
		config_message_text(&report->messages[i], &text);
		if (text.n && text.p[text.n - 1] != '\n')
			buf_add_byte(&text, '\n');
	}
	log_text((struct slice){ text.p, text.n });
	buf_release(&text);
}

int configure_read(const char *path, const char *directory, const char *const *environment,
		   struct config *config, struct config_report *report)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	int result;

	source.environment = environment;
	if (is_embedded(path)) {
		source.fd = embedded_file();
		source.path = "the embedded default";
		source.directory = directory;
	} else if (*path) {
		source.path = path;
	} else {
		source.directory = directory;
	}
	result = config_load(config, &source, report);
	if (source.fd >= 0)
		close(source.fd);
	return result;
}

/* 0 or -errno; what is wrong has been told. *said: something was. */
static int load(struct session *s, struct config *config, bool *said)
{
	struct config_report report = CONFIG_REPORT_INIT;
	int result = configure_read(s->config_path, s->directory, s->environment, config, &report);

	tell(&report);
	*said = report.n > 0;
	config_report_release(&report);
	return result;
}

/* Has the file changed since this was last asked? Also remembers it. */
static bool changed(struct session *s)
{
	struct stat st;
	bool same;

	if (!*s->config_path || is_embedded(s->config_path) || stat(s->config_path, &st) < 0)
		return false; /* gone for a moment: editors replace files */
	same = st.st_ino == s->config_inode && (uint64_t)st.st_size == s->config_size &&
	       st.st_mtim.tv_sec == s->config_time.tv_sec && st.st_mtim.tv_nsec == s->config_time.tv_nsec;
	s->config_inode = st.st_ino;
	s->config_size = (uint64_t)st.st_size;
	s->config_time = st.st_mtim;
	return !same;
}

void configure(struct session *s)
{
	bool said;

	changed(s);
	load(s, &s->config, &said);
	if (!s->config.on) {
		if (!said) /* else it has just been told, in better words */
			log_line("not tracing: %s",
				 s->config.why_off ? s->config.why_off : "nothing to export to");
	} else if (outputs_open(s)) {
		policy_build(&s->table, &s->config);
		return;
	} else {
		s->config.on = false; /* it has been told why */
	}
	policy_build_off(&s->table);
}

bool configure_watch(struct session *s)
{
	bool said;

	if (s->next_waits || !s->config.reload || !changed(s))
		return false;
	if (load(s, &s->next_config, &said)) {
		log_line("%s: not taken over, the configuration stays as it was", s->config_path);
	} else if (!s->next_config.on) {
		policy_build_off(&s->table);
		s->next_waits = true;
	} else {
		policy_build(&s->table, &s->next_config);
		s->next_waits = true;
	}
	if (!s->next_waits)
		config_release(&s->next_config);
	return s->next_waits;
}

void configure_next(struct session *s)
{
	outputs_close(s);
	config_release(&s->config);
	s->config = s->next_config;
	s->next_waits = false;
	if (!outputs_open(s) && s->config.on) {
		s->config.on = false;
		policy_build_off(&s->table);
	}
	log_line("%s: read again", s->config_path);
}
