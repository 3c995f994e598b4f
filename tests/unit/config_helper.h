/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEST_CONFIG_HELPER_H
#define BTRACE_TEST_CONFIG_HELPER_H

/* Loading YAML text without a file on disk: it goes through a memfd, named t.yml in directory /etc/btrace. */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exporters/config/config.h"

struct loaded {
	struct config config;
	struct config_report report;
	int rc;
	char text[16384]; /* the report */
};

/* environment: "A=1\nB=2", or NULL; yaml NULL: no file. */
static struct loaded *load_bytes(const char *yaml, size_t n, const char *environment, const char *service)
{
	struct loaded *l = calloc(1, sizeof(*l));
	struct config_source source = CONFIG_SOURCE_INIT;
	char *copy = environment ? strdup(environment) : NULL, *save = NULL;
	const char *list[64];
	size_t count = 0;
	struct buf out;

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line && count < 63;
	     line = strtok_r(NULL, "\n", &save))
		list[count++] = line;
	list[count] = NULL;
	source.environment = list;
	source.service = service;
	source.directory = "/etc/btrace";
	if (yaml) {
		source.fd = memfd_create("config", MFD_CLOEXEC);
		cr_assert_eq(write(source.fd, yaml, n), (ssize_t)n);
		source.path = "t.yml";
	}
	l->report = (struct config_report)CONFIG_REPORT_INIT;
	l->rc = config_load(&l->config, &source, &l->report);
	buf_init(&out);
	config_report_text(&l->report, &out);
	snprintf(l->text, sizeof(l->text), "%.*s", (int)out.n, out.n ? out.p : "");
	buf_release(&out);
	if (source.fd >= 0)
		close(source.fd);
	free(copy);
	return l;
}

static inline struct loaded *load_with(const char *yaml, const char *environment, const char *service)
{
	return load_bytes(yaml, yaml ? strlen(yaml) : 0, environment, service);
}

static inline struct loaded *load(const char *yaml, const char *environment)
{
	return load_with(yaml, environment, NULL);
}

/* The middle so many times. */
static inline struct loaded *load_repeated(const char *begin, const char *middle, size_t times,
					   const char *end)
{
	struct buf yaml;
	struct loaded *l;

	buf_init(&yaml);
	buf_add_text(&yaml, begin);
	for (size_t i = 0; i < times; i++)
		buf_add_text(&yaml, middle);
	buf_add_text(&yaml, end);
	l = load_bytes(yaml.p, yaml.n, NULL, NULL);
	buf_release(&yaml);
	return l;
}

static inline struct loaded *load_path(const char *path)
{
	struct loaded *l = calloc(1, sizeof(*l));
	struct config_source source = CONFIG_SOURCE_INIT;
	struct buf out;

	source.path = path;
	l->rc = config_load(&l->config, &source, &l->report);
	buf_init(&out);
	config_report_text(&l->report, &out);
	snprintf(l->text, sizeof(l->text), "%.*s", (int)out.n, out.n ? out.p : "");
	buf_release(&out);
	return l;
}

static inline void unload(struct loaded *l)
{
	config_release(&l->config);
	config_report_release(&l->report);
	free(l);
}

/* The config_describe line. */
static inline const char *describe(const struct loaded *l, char out[1024])
{
	struct buf b;

	buf_init(&b);
	config_describe(&l->config, &b);
	snprintf(out, 1024, "%.*s", (int)b.n, b.p);
	buf_release(&b);
	return out;
}

/* What `btracectl config` would show for an option ("a, b"), "" if it is not set. */
static inline const char *setting(const struct loaded *l, const char *path, char out[512])
{
	char key[128];
	const char *at, *end;
	struct buf b;

	buf_init(&b);
	buf_add_byte(&b, '\n');
	config_print_settings(&l->config, &b);
	buf_add_byte(&b, '\0');
	snprintf(key, sizeof(key), "\n%s = ", path);
	at = strstr(b.p, key);
	at = at ? at + strlen(key) : "";
	end = strstr(at, "  (");
	snprintf(out, 512, "%.*s", end ? (int)(end - at) : 0, at);
	buf_release(&b);
	return out;
}

#endif
