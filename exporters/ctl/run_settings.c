/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* environ */
#include "exporters/ctl/run_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/config/option.h"
#include "exporters/session/configure.h"

#define VARIABLE "BTRACE_CONFIG_OPTIONS"

/* Where an exporter sends to, by its name. */
static const struct {
	const char *name, *key;
} where_keys[] = {
	{ "zipkin", "zipkin.endpoint" },
	{ "jaeger", "jaeger.collector_endpoint" },
	{ "otlp", "otlp.endpoint" },
	{ "file", "file.path" },
};

static bool is_space(char c) { return isspace((unsigned char)c); }

/* One scalar in quotes that protect it from the splitting into words and from YAML. */
static void add_quoted(struct buf *out, const char *text, size_t n)
{
	buf_add_byte(out, '\'');
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\'')
			buf_add_byte(out, '\'');
		buf_add_byte(out, text[i]);
	}
	buf_add_byte(out, '\'');
}

/* A list or mapping in brackets: the blanks that YAML does not need are left out. False: it has others. */
static bool add_flow(struct buf *out, const char *text)
{
	char quote = 0;

	for (const char *p = text; *p; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (is_space(*p) && p[1] && (strchr(",[{", p[-1]) || strchr(",]} \t", p[1])))
			continue;
		else if (is_space(*p))
			return false;
		buf_add_byte(out, *p);
	}
	return true;
}

static bool add_value(struct buf *out, const char *value)
{
	if (*value == '[' || *value == '{')
		return add_flow(out, value);
	if (*value != '\'' && *value != '"' && value[strcspn(value, " \t\n\r\v\f'\"#")])
		add_quoted(out, value, strlen(value));
	else
		buf_add_text(out, value);
	return true;
}

/* Keys are those below `tracing`; whole ones will do as well. */
static bool is_whole(const char *key)
{
	static const char *const places[] = { "tracing.", "api_server.", "services." };
	bool whole = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		whole |= !strncmp(key, places[i], strlen(places[i]));
	return whole;
}

static bool add_setting(struct buf *out, const char *setting, struct buf *wrong)
{
	const char *equals = strchr(setting, '=');

	if (!equals || equals == setting || strcspn(setting, " \t\n'\"") < (size_t)(equals - setting)) {
		buf_printf(wrong, "--set %s: KEY=VALUE is wanted, as in sample_rate=0.1", setting);
		return false;
	}
	buf_printf(out, "%s%s%.*s=", out->n ? " " : "", is_whole(setting) ? "" : "tracing.",
		   (int)(equals - setting), setting);
	if (add_value(out, equals + 1))
		return true;
	buf_printf(wrong, "--set %s: within brackets, blanks only in quotes", setting);
	return false;
}

static const char *where_key(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(where_keys) / sizeof(*where_keys); i++)
		if (strlen(where_keys[i].name) == n && !memcmp(where_keys[i].name, name, n))
			return where_keys[i].key;
	return NULL;
}

static bool add_where(struct buf *out, const char *exporter, const char *equals, struct buf *wrong)
{
	size_t n = (size_t)(equals - exporter);
	const char *key = where_key(exporter, n);

	if (!key) {
		buf_printf(wrong, "--exporter %s: only zipkin, jaeger, otlp and file go to a place",
			   exporter);
		return false;
	}
	buf_printf(out, " tracing.%s=", key);
	add_quoted(out, equals + 1, strlen(equals + 1));
	if (!strcmp(key, "otlp.endpoint") && strstr(equals, "/v1/traces")) /* which gRPC has not */
		buf_add_text(out, " tracing.otlp.protocol=http");
	return true;
}

static bool add_exporters(struct buf *out, const struct cli_list *list, struct buf *wrong)
{
	if (!list->n)
		return true;
	buf_printf(out, "%stracing.exporter_type=[", out->n ? " " : "");
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_add_byte(out, ',');
		add_quoted(out, list->items[i], strcspn(list->items[i], "="));
	}
	buf_add_byte(out, ']');
	for (size_t i = 0; i < list->n; i++) {
		const char *equals = strchr(list->items[i], '=');

		if (equals && !add_where(out, list->items[i], equals, wrong))
			return false;
	}
	return true;
}

bool run_settings_words(const struct run_settings *s, struct buf *out, struct buf *wrong)
{
	if (!add_exporters(out, s->exporters, wrong))
		return false;
	if (s->sample) {
		buf_printf(out, "%stracing.sample_rate=", out->n ? " " : "");
		add_value(out, s->sample);
	}
	for (size_t i = 0; i < s->set->n; i++)
		if (!add_setting(out, s->set->items[i], wrong))
			return false;
	buf_add_byte(out, '\0');
	return !out->failed;
}

int run_settings_load(const char *config, struct config *into, struct config_report *report)
{
	char *here = getcwd(NULL, 0);
	int rc = configure_read(config ? config : CONFIGURE_EMBEDDED, here ? here : "/",
				(const char *const *)environ, into, report);

	free(here);
	return rc;
}

/* The option that a key names, wholly or, where that is a list or a mapping, up to a part of it; or -1. */
static int option_of(const char *key)
{
	char part[128];
	bool older;
	int id;

	snprintf(part, sizeof(part), "%s", key);
	for (char *end = part + strlen(part);; *end = '\0') {
		id = option_find(part, &older);
		if (id >= 0)
			return id;
		while (end > part && *end != '.' && *end != '[')
			end--;
		if (end == part)
			return -1;
	}
}

/* There is such an option, and nothing goes before what is set: else it would be silently without effect. */
static bool in_force(const char *setting, const struct config *config)
{
	char key[128], meant[128];
	const char *suggestion;
	int id;

	snprintf(key, sizeof(key), "%.*s", (int)strcspn(setting, "="), setting);
	if (is_whole(key))
		return true;
	id = option_of(key);
	if (id < 0) {
		suggestion = option_suggest(key, meant);
		fprintf(stderr, "btracectl run: --set %s: there is no such option%s%s%s\n", key,
			suggestion ? "; did you mean " : "", suggestion ? suggestion : "",
			suggestion ? "?" : "; see `btracectl config --explain`");
		return false;
	}
	if (!config->marks[id].source || !strcmp(config->marks[id].source, VARIABLE))
		return true;
	fprintf(stderr, "btracectl run: --set %s would have no effect: %s", key, config->marks[id].source);
	if (config->marks[id].line)
		fprintf(stderr, ":%u", config->marks[id].line);
	fputs(" goes before it; set it there, or by its whole key\n", stderr);
	return false;
}

static bool all_in_force(const struct run_settings *s, const struct config *config)
{
	bool good = true;

	for (size_t i = 0; i < s->set->n; i++)
		good &= in_force(s->set->items[i], config);
	return good;
}

static int try_out(const struct run_settings *s)
{
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	struct buf text;
	int rc;

	buf_init(&text);
	rc = run_settings_load(s->config, &config, &report);
	config_report_text(&report, &text);
	if (rc)
		fwrite(text.p, 1, text.n, stderr);
	else if (!all_in_force(s, &config))
		rc = 2;
	buf_release(&text);
	config_release(&config);
	config_report_release(&report);
	return rc ? 2 : 0;
}

int run_settings_apply(const struct run_settings *s)
{
	const char *before = getenv(VARIABLE);
	struct buf words, wrong;
	int rc = 0;

	if (!s->exporters->n && !s->sample && !s->set->n)
		return 0;
	buf_init(&words);
	buf_init(&wrong);
	if (before && *before)
		buf_printf(&words, "%s", before);
	if (!run_settings_words(s, &words, &wrong)) {
		fprintf(stderr, "btracectl run: %.*s; see `btracectl config --explain`\n", (int)wrong.n,
			wrong.n ? wrong.p : "");
		rc = 2;
	}
	if (!rc)
		rc = setenv(VARIABLE, words.p, 1) ? 2 : try_out(s);
	buf_release(&words);
	buf_release(&wrong);
	return rc;
}
