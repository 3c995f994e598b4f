/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any file with any environment gives a config that is good or a report that says
 * why not. Input: the file; behind a line "%%%" the environment, a variable a line.
 */
// clang-format off
// FUZZ_SOURCES: exporters/config/*.c exporters/policy/*.c exporters/base/*.c shim/abi/policy.c shim/abi/automaton.c shim/abi/wanted.c
// FUZZ_SOURCES: -DDFA_CELLS_MAX=100000 -DDFA_STATES_MAX=5000 -DDFA_MEMBERS_MAX=200000 -DDFA_WORK_MAX=1000000
// FUZZ_LIBS: -lyaml
// clang-format on
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exporters/base/utf8.h"
#include "exporters/config/config.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

enum { VARIABLES_MAX = 32 };

/* What its users take for granted. */
static void check_exporter(const struct config_exporter *e)
{
	CHECK(e->name && e->format && e->transport && e->what && e->endpoint.label);
	if (!strcmp(e->transport, "http") || !strcmp(e->transport, "grpc"))
		CHECK(!strncasecmp(e->endpoint.url, "http://", 7) ||
		      !strncasecmp(e->endpoint.url, "https://", 8));
	if (!strcmp(e->transport, "udp"))
		CHECK(e->endpoint.url && e->endpoint.max_packet_bytes >= 512);
	if (!strcmp(e->transport, "file"))
		CHECK(e->endpoint.path && e->endpoint.path[0] == '/');
	if (!strcmp(e->transport, "grpc"))
		CHECK(e->endpoint.grpc_method);
	for (size_t i = 0; e->endpoint.headers && e->endpoint.headers[i]; i++)
		CHECK(strstr(e->endpoint.headers[i], ": ") && !strpbrk(e->endpoint.headers[i], "\r\n"));
}

static void check_config(const struct config *c)
{
	CHECK(c->on || c->why_off);
	CHECK(!c->on || c->n_exporters);
	CHECK(c->sampling.rate >= 0 && c->sampling.rate <= 1);
	CHECK(c->batch_spans >= 1 && c->batch_spans <= c->queue_spans);
	CHECK(!c->service_name || utf8_valid(slice_of(c->service_name)));
	for (size_t i = 0; i < c->n_exporters; i++)
		check_exporter(&c->exporters[i]);
	for (size_t i = 0; i < c->excluded_urls.n; i++)
		CHECK(*c->excluded_urls.items[i].text);
}

static void check_report(const struct config_report *report, int rc)
{
	CHECK((rc != 0) == (report->errors > 0));
	for (size_t i = 0; i < report->n; i++) {
		const char *text = report->messages[i].text;

		CHECK(*text && utf8_valid(slice_of(text)));
		for (; *text; text++)
			CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
	}
}

static void run(struct slice file, const char *const *environment)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	struct buf out;
	int rc;

	source.environment = environment;
	source.directory = "/etc/btrace";
	source.service = "fuzz";
	if (file.n) {
		source.path = "fuzz.yml";
		source.fd = memfd_create("fuzz", MFD_CLOEXEC);
		CHECK(source.fd >= 0 && write(source.fd, file.p, file.n) == (ssize_t)file.n);
	}
	rc = config_load(&config, &source, &report);
	buf_init(&out);
	config_report_text(&report, &out);
	config_report_line(&report, &out);
	config_describe(&config, &out);
	config_print_settings(&config, &out);
	check_report(&report, rc);
	if (!rc)
		check_config(&config);
	else
		CHECK(!config.on && config.why_off);
	buf_release(&out);
	config_release(&config);
	config_report_release(&report);
	if (source.fd >= 0)
		close(source.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *environment[VARIABLES_MAX + 1] = { 0 };
	char *text = malloc(size + 1), *end, *line;
	struct slice file = { text, size };
	size_t n = 0;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	line = memmem(text, size, "%%%\n", 4);
	if (line) {
		file.n = (size_t)(line - text);
		for (line += 4; n < VARIABLES_MAX && *line; line = end) {
			end = strchrnul(line, '\n');
			if (*end)
				*end++ = '\0';
			environment[n++] = line;
		}
	}
	run(file, environment);
	free(text);
	return 0;
}
