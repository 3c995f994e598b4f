/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "shim/abi/wanted.h"

#include <string.h>
#include <strings.h>

#define ROUNDS_MAX 8 /* a variable may name itself */

static const char *find(const char *const *environment, const char *name, size_t n)
{
	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, n) && (*environment)[n] == '=')
			return *environment + n + 1;
	return NULL;
}

const char *wanted_get(const char *const *environment, const char *name)
{
	const char *value = find(environment, name, strlen(name));

	return value && *value ? value : NULL;
}

const char *wanted_not(const char *const *environment)
{
	static const char *const no[] = { "0", "false", "no", "off" };
	const char *disabled = wanted_get(environment, "BTRACE_DISABLED");
	const char *otel = wanted_get(environment, "OTEL_SDK_DISABLED");

	for (size_t i = 0; disabled && i < sizeof(no) / sizeof(*no); i++)
		if (!strcasecmp(disabled, no[i]))
			disabled = NULL;
	if (disabled)
		return "BTRACE_DISABLED";
	/* OpenTelemetry: only the word is true */
	return otel && !strcasecmp(otel, "true") ? "OTEL_SDK_DISABLED" : NULL;
}

static const char *const options[] = { "BTRACE_CONFIG_OPTIONS", "BENTOML_CONFIG_OPTIONS",
				       "BENTOML_CONFIG_OVERRIDES" };

bool wanted_by(const char *const *environment)
{
	const char *exporter = wanted_get(environment, "OTEL_TRACES_EXPORTER"), *value;

	if (wanted_not(environment))
		return false;
	if (wanted_get(environment, "BTRACE_CONFIG") || wanted_get(environment, "BENTOML_CONFIG"))
		return true;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if ((value = wanted_get(environment, options[i])) && strstr(value, "tracing"))
			return true;
	return (exporter && strcasecmp(exporter, "none") != 0) ||
	       wanted_get(environment, "OTEL_EXPORTER_OTLP_ENDPOINT") ||
	       wanted_get(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The value of the variable that begins here, if it is one and set; *end is behind it. */
static const char *variable(const char *const *environment, const char *p, const char **end)
{
	bool braces = p[1] == '{';
	const char *name = p + 1 + braces;
	size_t n = 0;

	while (is_name(name[n]))
		n++;
	*end = name + n + braces;
	return n && (!braces || name[n] == '}') ? find(environment, name, n) : NULL;
}

/* 1: something was filled in, 0: nothing to do, -1: too long. */
static int expand(const char *const *environment, const char *in, char out[WANTED_PATH_BYTES])
{
	const char *home = *in == '~' && (in[1] == '/' || !in[1]) ? wanted_get(environment, "HOME") : NULL;
	size_t at = 0, n;
	int changed = 0;

	while (*in) {
		const char *end = in + 1, *value = home;

		home = NULL;
		if (*in == '$')
			value = variable(environment, in, &end);
		changed |= value != NULL;
		if (!value)
			end = in + 1;
		n = value ? strlen(value) : 1;
		if (n >= WANTED_PATH_BYTES - at)
			return -1;
		memcpy(out + at, value ? value : in, n);
		at += n;
		in = end;
	}
	out[at] = 0;
	return changed;
}

bool wanted_config(const char *const *environment, char out[WANTED_PATH_BYTES])
{
	const char *path = wanted_get(environment, "BTRACE_CONFIG");
	char copy[WANTED_PATH_BYTES];
	int changed = 1;

	*out = 0;
	if (!path)
		path = wanted_get(environment, "BENTOML_CONFIG");
	for (int round = 0; path && changed > 0 && round < ROUNDS_MAX; round++) {
		changed = expand(environment, path, out);
		if (changed > 0)
			path = memcpy(copy, out, strlen(out) + 1);
	}
	if (changed < 0)
		*out = 0;
	return changed >= 0;
}

static bool is_commented(const char *text, const char *at)
{
	for (; at > text && at[-1] != '\n'; at--)
		if (at[-1] == '#' && (at - 1 == text || at[-2] == ' ' || at[-2] == '\t' || at[-2] == '\n'))
			return true;
	return false;
}

/* Behind the key: `: true`, `=on`, `": 1`... All that is not plainly false is true. */
static bool is_set(const char *p, const char *end)
{
	while (p < end && (*p == '"' || *p == '\'' || *p == ' '))
		p++;
	if (p == end || (*p != ':' && *p != '='))
		return false;
	for (p++; p < end && (*p == '"' || *p == '\'' || *p == ' ' || *p == '\t');)
		p++;
	if (p == end || strchr("\r\n#,}~0nNfF", *p))
		return false;
	return !((*p | 0x20) == 'o' && end - p > 1 && (p[1] | 0x20) == 'f');
}

bool wanted_client_only(const char *text, size_t n)
{
	static const char key[] = "client_only";
	const char *end = text + n, *at = text;

	while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1))) {
		const char *behind = at + sizeof(key) - 1;

		if (!(at > text && is_name(at[-1])) && !is_commented(text, at) && is_set(behind, end))
			return true;
		at = behind;
	}
	return false;
}

bool wanted_client_only_by(const char *const *environment)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const char *value = wanted_get(environment, options[i]);

		if (value && wanted_client_only(value, strlen(value)))
			return true;
	}
	return false;
}
