/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/config/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exporters/config/report.h"

const struct option config_options[CONFIG_OPTIONS] = {
#define OPTION(field, type, path, others, def, allowed, environment, reader, example, help) \
	[CONFIG_##field] = { path,                                                          \
			     others,                                                        \
			     def,                                                           \
			     allowed,                                                       \
			     environment,                                                   \
			     reader,                                                        \
			     example,                                                       \
			     help,                                                          \
			     OPTION_##type,                                                 \
			     offsetof(struct config, field),                                \
			     sizeof(CONFIG_C_##type) },
#include "exporters/config/config.def"
#undef OPTION
};

void option_public_url(const char *url, struct buf *out)
{
	const char *host = strstr(url, "://"), *end, *at;

	host = host ? host + 3 : url;
	end = host + strcspn(host, "/?#");
	at = memrchr(host, '@', (size_t)(end - host));
	buf_add(out, url, (size_t)(host - url));
	host = at ? at + 1 : host;
	buf_add(out, host, strcspn(host, "?#"));
}

bool option_word(const char **at, char separator, char *out, size_t size)
{
	const char *p = *at, *end;
	size_t n;

	if (!p || !*p)
		return false;
	end = strchr(p, separator);
	n = end ? (size_t)(end - p) : strlen(p);
	snprintf(out, size, "%.*s", (int)n, p);
	*at = end ? end + 1 : p + n;
	return true;
}

int option_find(const char *path, bool *older)
{
	char other[128];

	*older = false;
	for (int id = 0; id < CONFIG_OPTIONS; id++)
		if (!strcmp(config_options[id].path, path))
			return id;
	*older = true;
	for (int id = 0; id < CONFIG_OPTIONS; id++)
		for (const char *p = config_options[id].others; option_word(&p, ' ', other, sizeof(other));)
			if (!strcmp(other, path))
				return id;
	return -1;
}

static bool begins(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(path, prefix, n) && path[n] == '.';
}

bool option_prefix(const char *path)
{
	for (int id = 0; id < CONFIG_OPTIONS; id++)
		if (begins(config_options[id].path, path))
			return true;
	return false;
}

/* Is this text of n bytes, a known key or the beginning of one, better than the best so far? */
static void consider(const char *word, const char *step, const char *known, size_t n, unsigned away,
		     unsigned *best, char out[128])
{
	char name[128];
	unsigned distance;

	snprintf(name, sizeof(name), "%.*s", (int)(known + n - step), step);
	distance = report_distance(word, name);
	if (distance > report_tolerance(word) || distance * 3 + away >= *best)
		return;
	*best = distance * 3 + away;
	snprintf(out, 128, "%.*s", (int)n, known);
}

/* The step beside the wrong one, then the last step of any key: people also forget a level. */
static void consider_key(const char *path, size_t parent, const char *known, unsigned *best, char out[128])
{
	const char *last = strrchr(known, '.');
	bool near = parent && !strncmp(path, known, parent);

	if (!strncmp(path, known, parent))
		consider(path + parent, known + parent, known, parent + strcspn(known + parent, "."), 0, best,
			 out);
	consider(path + parent, last ? last + 1 : known, known, strlen(known), near ? 1 : 2, best, out);
}

const char *option_suggest(const char *path, char out[128])
{
	const char *dot = strrchr(path, '.');
	size_t parent = dot ? (size_t)(dot + 1 - path) : 0;
	unsigned best = REPORT_FAR;
	char other[128];

	for (int id = 0; id < CONFIG_OPTIONS; id++) {
		consider_key(path, parent, config_options[id].path, &best, out);
		for (const char *p = config_options[id].others; option_word(&p, ' ', other, sizeof(other));)
			consider_key(path, parent, other, &best, out);
	}
	return best == REPORT_FAR ? NULL : out;
}

int option_choice(const char *allowed, const char *word)
{
	char choice[64];
	int i = 0;

	for (const char *p = allowed; option_word(&p, '|', choice, sizeof(choice)); i++)
		if (!strcasecmp(choice, word))
			return i;
	return -1;
}

const char *option_meant(const char *allowed, const char *word, char out[64])
{
	unsigned best = report_tolerance(word) + 1, distance;
	char choice[64];
	bool found = false;

	for (const char *p = allowed; option_word(&p, '|', choice, sizeof(choice));) {
		distance = report_distance(word, choice);
		if (distance >= best)
			continue;
		best = distance;
		found = true;
		snprintf(out, 64, "%s", choice);
	}
	return found ? out : NULL;
}

void option_range(const struct option *option, int64_t *least, int64_t *most)
{
	const char *dots = strstr(option->allowed, "..");

	*least = strtoll(option->allowed, NULL, 10);
	*most = strtoll(dots + 2, NULL, 10);
}

static void add_choices(const struct option *option, struct buf *out)
{
	char choice[64];
	const char *comma = "";

	for (const char *p = option->allowed; option_word(&p, '|', choice, sizeof(choice)); comma = ", ")
		if (strcmp(choice, "in_memory") != 0) /* understood, not advertised */
			buf_printf(out, "%s%s", comma, choice);
}

void option_allowed_text(const struct option *option, struct buf *out)
{
	int64_t least = 0, most = 0;

	switch (option->type) {
	case OPTION_BOOL: buf_add_text(out, "true or false"); break;
	case OPTION_RATE: buf_add_text(out, "a number from 0 to 1"); break;
	case OPTION_COUNT:
	case OPTION_INT:
		option_range(option, &least, &most);
		buf_printf(out, "a whole number from %lld to %lld", (long long)least, (long long)most);
		break;
	case OPTION_DURATION: buf_add_text(out, "a duration: seconds, or a number with ms, s, m, h"); break;
	case OPTION_SIZE:
		buf_add_text(out, "a size: bytes, or a number with kB, KiB, MB, MiB, GB, GiB");
		break;
	case OPTION_STRING: buf_add_text(out, "a text"); break;
	case OPTION_PATH: buf_add_text(out, "a path"); break;
	case OPTION_URL:
		buf_printf(out, "a URL like http://host:port/path%s, or unix:/path",
			   strstr(option->allowed, "grpc") ? " (grpc: also host:port)" : "");
		break;
	case OPTION_IP4: buf_add_text(out, "an IPv4 address"); break;
	case OPTION_IP6: buf_add_text(out, "an IPv6 address"); break;
	case OPTION_ENUM: add_choices(option, out); break;
	case OPTION_ENUMS:
		buf_add_text(out, "one or a list of ");
		add_choices(option, out);
		break;
	case OPTION_LIST: buf_add_text(out, "a list, or one text with commas"); break;
	case OPTION_PATTERNS:
		buf_add_text(out, "a list of regular expressions, or one text with commas");
		break;
	case OPTION_MAP: buf_add_text(out, "a mapping, a list of pairs, or one text k=v,k2=v2"); break;
	}
}
