/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/wanted.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(wanted, what_asks_for_tracing)
{
	static const struct {
		const char *variable;
		bool wanted;
	} table[] = {
		{ "BTRACE_CONFIG=/x", true },
		{ "BENTOML_CONFIG=/x", true },
		{ "BTRACE_CONFIG=", false },
		{ "BTRACE_CONFIGURATION=/x", false },
		{ "BENTOML_CONFIG_OPTIONS=tracing.sample_rate=1 tracing.exporter_type=console", true },
		{ "BENTOML_CONFIG_OPTIONS=api_server.workers=4", false },
		{ "BENTOML_CONFIG_OVERRIDES={\"tracing\": {\"exporter_type\": \"otlp\"}}", true },
		{ "BENTOML_CONFIG_OVERRIDES={}", false },
		{ "BTRACE_CONFIG_OPTIONS=tracing.exporter_type=console", true },
		{ "OTEL_TRACES_EXPORTER=otlp", true },
		{ "OTEL_TRACES_EXPORTER=none", false },
		{ "OTEL_TRACES_EXPORTER=", false },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT=http://x", true },
		{ "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://x", true },
		{ "OTEL_SERVICE_NAME=x", false },
		{ "PATH=/bin", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *const environment[] = { "HOME=/root", table[i].variable, NULL };

		cr_expect_eq(wanted_by(environment), table[i].wanted, "%s", table[i].variable);
	}
	cr_expect_not(wanted_by(NULL));
}

Test(wanted, kill_switches)
{
	static const struct {
		const char *variable;
		bool on;
	} table[] = {
		{ "BTRACE_DISABLED=1", false },      { "BTRACE_DISABLED=true", false },
		{ "BTRACE_DISABLED=yes", false },    { "BTRACE_DISABLED=0", true },
		{ "BTRACE_DISABLED=", true },        { "BTRACE_DISABLED=False", true },
		{ "BTRACE_DISABLED=no", true },      { "OTEL_SDK_DISABLED=true", false },
		{ "OTEL_SDK_DISABLED=TRUE", false }, { "OTEL_SDK_DISABLED=1", true },
		{ "OTEL_SDK_DISABLED=false", true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *const environment[] = { "BTRACE_CONFIG=/x", table[i].variable, NULL };

		cr_expect_eq(wanted_by(environment), table[i].on, "%s", table[i].variable);
		cr_expect_eq(wanted_not(environment) == NULL, table[i].on, "%s", table[i].variable);
	}
}

static void expect_path(const char *variable, const char *other, const char *expected)
{
	const char *const environment[] = { "HOME=/home/me",
					    "DIR=/etc/btrace",
					    "NAME=shop",
					    "FILE=$DIR/$NAME.yml",
					    "LOOP=x$LOOP",
					    "EMPTY=",
					    variable,
					    other,
					    NULL };
	char path[WANTED_PATH_BYTES];

	cr_expect(wanted_config(environment, path));
	cr_expect_str_eq(path, expected, "%s: %s", variable, path);
}

Test(wanted, which_file)
{
	expect_path("BENTOML_CONFIG=/b", "BTRACE_CONFIG=/a", "/a");
	expect_path("BTRACE_CONFIG=", "BENTOML_CONFIG=/b", "/b");
	expect_path("BTRACE_CONFIG=", "BENTOML_CONFIG=", "");
	expect_path("BENTOML_CONFIG=/b", NULL, "/b");
}

Test(wanted, variables_and_the_home_directory_in_its_path)
{
	expect_path("BENTOML_CONFIG=~/btrace.yml", NULL, "/home/me/btrace.yml");
	expect_path("BENTOML_CONFIG=~", NULL, "/home/me");
	expect_path("BENTOML_CONFIG=~you/x.yml", NULL, "~you/x.yml");
	expect_path("BENTOML_CONFIG=a~/x.yml", NULL, "a~/x.yml");
	expect_path("BENTOML_CONFIG=$DIR/x.yml", NULL, "/etc/btrace/x.yml");
	expect_path("BENTOML_CONFIG=${DIR}x.yml", NULL, "/etc/btracex.yml");
	expect_path("BTRACE_CONFIG=${HOME}/$NAME/$NAME.yml", NULL, "/home/me/shop/shop.yml");
	expect_path("BENTOML_CONFIG=$FILE", NULL, "/etc/btrace/shop.yml");
	expect_path("BENTOML_CONFIG=/a/$UNSET/${UNSET}/$EMPTY", NULL, "/a/$UNSET/${UNSET}/");
	expect_path("BENTOML_CONFIG=/a/$/${/${}/$-/x$", NULL, "/a/$/${/${}/$-/x$");
	expect_path("BENTOML_CONFIG=/${NAME", NULL, "/${NAME");
}

Test(wanted, a_path_that_grows_beyond_all_bounds_is_none)
{
	char big[WANTED_PATH_BYTES + 100];
	const char *const long_one[] = { big, NULL };
	const char *const loop[] = { "L=xxxxxxxx$L", "BTRACE_CONFIG=$L", NULL };
	const char *const bomb[] = { "A=$A$A$A$A$A$A$A$A", "BTRACE_CONFIG=$A$A$A$A", NULL };
	char path[WANTED_PATH_BYTES];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = 0;
	memcpy(big, "BTRACE_CONFIG=", 14);
	cr_expect_not(wanted_config(long_one, path));
	cr_expect_str_eq(path, "");
	cr_expect(wanted_config(loop, path));
	cr_expect_not(wanted_config(bomb, path));
	big[WANTED_PATH_BYTES + 13] = 0;
	cr_expect(wanted_config(long_one, path));
	cr_expect_eq(strlen(path), WANTED_PATH_BYTES - 1);
}

Test(wanted, client_only_is_seen_in_the_text_of_a_configuration)
{
	static const struct {
		const char *text;
		bool wanted;
	} table[] = {
		{ "tracing:\n  client_only: true\n", true },
		{ "tracing: {client_only: on, sample_rate: 1}", true },
		{ "{\"tracing\": {\"client_only\": true}}", true },
		{ "{'client_only':'Yes'}", true },
		{ "tracing.client_only=true tracing.sample_rate=1", true },
		{ "client_only: ${WHETHER}", true },
		{ "#client_only: true\nclient_only: 1 # or false", true },
		{ "url: http://x/#y\n  client_only: true", true },
		{ "client_only: false", false },
		{ "client_only: False\n", false },
		{ "client_only: no", false },
		{ "client_only: OFF", false },
		{ "client_only: 0", false },
		{ "client_only:\n", false },
		{ "client_only:", false },
		{ "client_only", false },
		{ "  # client_only: true\n", false },
		{ "#client_only: true", false },
		{ "x: y #client_only: true", false },
		{ "not_client_only: true", false },
		{ "client_only_more: true", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t n = strlen(table[i].text);
		char *copy = malloc(n ? n : 1); /* no byte behind it is read */
		char variable[256];
		const char *const environment[] = { "A=client_only: true", variable, NULL };

		memcpy(copy, table[i].text, n);
		cr_expect_eq(wanted_client_only(copy, n), table[i].wanted, "%s", table[i].text);
		snprintf(variable, sizeof(variable), "BTRACE_CONFIG_OPTIONS=%s", table[i].text);
		cr_expect_eq(wanted_client_only_by(environment), table[i].wanted, "%s", variable);
		free(copy);
	}
}
