/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/config/endpoints.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

uint32_t endpoint_milliseconds(uint64_t ns)
{
	uint64_t ms = ns / 1000000 + (ns % 1000000 != 0);

	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

uint32_t endpoint_timeout(struct loader *l, const char *variables)
{
	const struct value_rules rules = { .environment = true };
	char word[64];
	uint64_t ns;

	if (config_is_set(l->config, CONFIG_timeout_ns))
		return endpoint_milliseconds(l->config->timeout_ns);
	while (option_word(&variables, ' ', word, sizeof(word))) {
		const char *text = environment_get(l->source->environment, word);

		if (!text)
			continue;
		if (text_duration(text, "ms", &ns))
			return endpoint_milliseconds(ns);
		value_refuse(l, CONFIG_timeout_ns, text, (struct config_mark){ word, 0, 0 }, &rules, NULL);
		break;
	}
	return 10000;
}

/* RFC 9110 5.6.2 (token) and 5.5: a header that could carry another one is an error, not a header. */
static bool header_ok(const char *name, const char *value)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
			return false;
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return false;
	return true;
}

const char *const *endpoint_headers(struct loader *l, const struct config_map *map, const char *key)
{
	const char **list = map->n ? arena_take(l->arena, (map->n + 1) * sizeof(*list)) : NULL;
	char shown[REPORT_QUOTE_MAX];
	size_t n = 0;

	if (!list)
		return NULL;
	for (size_t i = 0; i < map->n; i++) {
		const struct config_pair *pair = &map->pairs[i];

		if (header_ok(pair->key, pair->value))
			list[n++] = arena_printf(l->arena, "%s: %s", pair->key, pair->value).p;
		else
			report_error(l->report, pair->mark,
				     "tracing.%s: %s cannot be a header (its value is not shown)", key,
				     report_quote(shown, pair->key));
	}
	list[n] = NULL;
	return list;
}

/* The path of a URL; "" if it has none. */
static const char *path_of(const char *url)
{
	const char *p = strstr(url, "://");

	p = p ? strchr(p + 3, '/') : NULL;
	return p ? p : "";
}

static void set_unix(struct loader *l, struct config_exporter *e, const char *url, const char *path)
{
	e->endpoint.unix_path = url + strlen("unix:");
	e->endpoint.url = arena_printf(l->arena, "http://localhost%s", path).p;
}

void endpoint_http(struct loader *l, struct config_exporter *e, const char *url, const char *otherwise,
		   enum config_option_id id)
{
	const char *path = path_of(otherwise);
	struct config *c = l->config;

	e->endpoint.url = url ? url : otherwise;
	if (!url)
		return;
	if (!strncasecmp(url, "unix:", 5)) {
		set_unix(l, e, url, path);
	} else if (!strstr(url, "://")) {
		report_error(l->report, c->marks[id],
			     "tracing.%s: '%s' wants a scheme with this protocol, as in http://%s%s",
			     config_options[id].path, url, url, strchr(url, '/') ? "" : path);
	} else if (!path_of(url)[0] || !strcmp(path_of(url), "/")) {
		report_warning(l->report, c->marks[id],
			       "tracing.%s: '%s' has no path and is used as it is; such a receiver mostly "
			       "listens at %s",
			       config_options[id].path, url, path);
	}
}

void endpoint_grpc(struct loader *l, struct config_exporter *e, const char *url, const char *otherwise,
		   bool insecure)
{
	const char *scheme = "", *host;

	if (!url)
		url = otherwise;
	if (!strncasecmp(url, "unix:", 5)) {
		set_unix(l, e, url, "");
		return;
	}
	host = strstr(url, "://");
	if (!host)
		scheme = insecure ? "http://" : "https://";
	host = host ? host + 3 : url;
	e->endpoint.url =
		arena_printf(l->arena, "%s%.*s", scheme, (int)(host + strcspn(host, "/?#") - url), url).p;
}

void endpoint_describe(struct loader *l, struct config_exporter *e, const char *how)
{
	struct buf where;

	buf_init(&where);
	if (e->endpoint.unix_path)
		buf_printf(&where, "unix:%s", e->endpoint.unix_path);
	else
		option_public_url(e->endpoint.url, &where);
	l->arena->failed |= where.failed;
	e->what = arena_printf(l->arena, "%s to %.*s", how, (int)where.n, where.n ? where.p : "").p;
	e->endpoint.label = arena_printf(l->arena, "%s at %.*s", how, (int)where.n, where.n ? where.p : "").p;
	buf_release(&where);
}
