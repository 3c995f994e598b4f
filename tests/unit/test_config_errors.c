/* SPDX-License-Identifier: Apache-2.0 */
/* Where errors are, that all of them are told, and that nothing which a file may hold does any harm. */
#define _GNU_SOURCE
#include "exporters/config/report.h"
#include "tests/unit/config_helper.h"

static const struct {
	const char *yaml, *message;
} positions[] = {
	{ "tracing:\n  sample_rate: 2\n", "t.yml:2:16: error: tracing.sample_rate: '2'" },
	{ "tracing:\n  sample_rate:    \"2\"\n", "t.yml:2:19: error" },
	{ "tracing:\n  sample_rate:\n    2\n", "t.yml:3:5: error" },
	{ "tracing: {a: 1, sample_rate: 2}\n", "t.yml:1:30: error" },
	{ "# h\xc3\xa9\ntracing: {service_name: \xe2\x82\xac\xe2\x82\xac, sample_rate: 2}\n",
	  "t.yml:2:42: error" },
	{ "\xef\xbb\xbftracing: {sample_rate: 2}\n", "t.yml:1:24: error" },
	{ "tracing:\r\n  sample_rate: 2\r\n", "t.yml:2:16: error" },
	{ "a: &x 2\ntracing:\n  sample_rate: *x\n", "t.yml:1:4: error" },
	{ "tracing:\n  exporter_type:\n  - zipkin\n  - zipkni\n", "t.yml:4:5: error" },
	{ "tracing:\n  exporter_type: zipkin, zipkni\n", "t.yml:2:26: error" },
	{ "tracing:\n  exporter_type: 'zipkin, zipkni'\n", "t.yml:2:27: error" },
	{ "tracing:\n  jaeger:\n    thrift: 3\n",
	  "t.yml:3:13: error: tracing.jaeger.thrift must be a mapping" },
	{ "tracing: 3\n", "t.yml:1:10: error: tracing must be a mapping" },
	{ "services: {A: {tracing: [1]}}\n", "t.yml:1:25: error: services.A.tracing must be a mapping" },
	{ "tracing:\n  sampel_rate: 1\n", "t.yml:2:3: warning: unknown key 'sampel_rate'" },
	{ "tracing:\n  otlp:\n    grpc:\n      headrs: x\n",
	  "t.yml:4:7: warning: unknown key 'otlp.grpc.headrs'" },
	{ "tracing:\n  timeout: 1\n  timeout: 2\n",
	  "t.yml:3:3: error: the key 'timeout' is here twice (first in line 2)" },
	{ "tracing: {}\ntracing: {}\n",
	  "t.yml:2:1: error: the key 'tracing' is here twice (first in line 1)" },
	{ "tracing:\n  zipkin: {}\n  zipkin: {}\n", "t.yml:3:3: error: the key 'zipkin' is here twice" },
	{ "tracing:\n  exporter_type: file\n",
	  "t.yml:2:18: error: tracing.exporter_type: file wants a path" },
	{ "tracing:\n  exporter_type: otlp\n  otlp: {protocol: http, url: 'h:4318'}\n",
	  "t.yml:3:31: error: tracing.otlp.endpoint: 'h:4318' wants a scheme with this protocol, as "
	  "in "
	  "http://h:4318/v1/traces" },
	{ "tracing:\n  exporter_type: jaeger\n  jaeger: {address: 'http://h'}\n",
	  "t.yml:3:21: error: tracing.jaeger.thrift.agent_host_name: a host name or an address" },
	{ "tracing:\n  exporter_type: zipkin\n  zipkin: {headers: {'a b': 'secret'}}\n",
	  "t.yml:3:29: error: tracing.zipkin.headers: 'a b' cannot be a header" },
	{ "tracing:\n  exporter_type: zipkin\n  zipkin: {headers: {a: \"x\\r\\nb: c\"}}\n",
	  "'a' cannot be a header" },
	{ "tracing:\n  excluded_urls: [ok, '(']\n", "t.yml:2:23: error: tracing.excluded_urls: '('" },
	{ "tracing:\n  sample_rate: 1\n exporter_type: file\n", "t.yml:3:2: error: not YAML: " },
	{ "tracing:\n  sample_rate: [1\n", "error: not YAML: " },
	{ "tracing:\n\tsample_rate: 1\n",
	  "t.yml:2:1: error: not YAML: found character that cannot start any token (a tab; "
	  "YAML wants spaces for indentation)" },
	{ "[tracing]\nzipkin_api_url = http://h\n", "INI file" },
	{ "- tracing\n", "t.yml:1:1: error: a config is a mapping" },
	{ "tracing\n", "t.yml:1:1: error: a config is a mapping" },
	{ "tracing: {}\n---\ntracing: {}\n", "t.yml:2:1: error: a second document" },
	{ "a: *b\n", "t.yml:1:4: error: an alias to an anchor that is not there" },
	{ "a: &a [*a]\n", "t.yml:1:8: error: an alias that contains itself" },
	{ "a: &a {b: *a}\n", "an alias that contains itself" },
	{ "? {a: b}\n: c\n", "t.yml:1:3: error: a key must be a simple text" },
	{ "a: {<<: 3}\n", "<< wants a mapping" },
	{ "tracing: {service_name: \"a\\0b\"}\n", "t.yml:1:25: error: a text with a NUL character in it" },
	{ "tracing: {service_name: \"a\\e[31m\", sample_rate: \"\\e[31m\"}\n", "'?[31m' is not allowed" },
	{ "tracing:\n  name: \xff\n", "t.yml:2:9: error: not UTF-8: byte 0xff" },
	{ "tracing:\n  name: h\xc3\xa9 \xc0\x80\n", "t.yml:2:12: error: not UTF-8: byte 0xc0" },
	{ "tracing:\n  name: \x1b[0m\n", "t.yml:2:9: error: control character 0x1b" },
};

Test(config_errors, position_is_that_of_the_value)
{
	for (size_t i = 0; i < sizeof(positions) / sizeof(*positions); i++) {
		struct loaded *l = load(positions[i].yaml, NULL);

		cr_expect(strstr(l->text, positions[i].message), "%s\nsays: %s", positions[i].yaml, l->text);
		cr_expect_eq(l->rc, strstr(positions[i].message, "warning") ? 0 : -EINVAL, "%s",
			     positions[i].yaml);
		cr_expect_not(l->config.on);
		unload(l);
	}
}

Test(config_errors, all_bad_patterns_are_told_also_the_first_and_the_last)
{
	struct loaded *l = load("tracing:\n"
				"  excluded_urls:\n"
				"  - (\n"
				"  - good\n"
				"  - '[z-a]'\n"
				"  - also good\n"
				"  - (?<=x)y\n"
				"  - a**\n",
				NULL);
	static const int lines[] = { 3, 5, 7, 8 };

	cr_assert_eq(l->report.n, 4, "%s", l->text);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(l->report.messages[i].mark.line, lines[i], "%s", l->text);
	unload(l);
}

Test(config_errors, pattern_too_large_is_named)
{
	struct loaded *l =
		load("tracing:\n"
		     "  excluded_urls:\n"
		     "  - good\n"
		     "  - b+c............................................................................x\n",
		     NULL);

	cr_expect_eq(l->report.errors, 1);
	cr_expect(strstr(l->text, "t.yml:4:5: error: tracing.excluded_urls: 'b+c..."), "%s", l->text);
	cr_expect(strstr(l->text, "too large"), "%s", l->text);
	unload(l);
}

/* On a character boundary. */
Test(config_errors, long_values_are_cut)
{
	struct loaded *l = load_repeated("tracing:\n  detail: x", "\xe2\x82\xac", 50, "\n");

	cr_expect(strstr(l->text, "'x\xe2\x82\xac"), "%s", l->text);
	cr_expect(strstr(l->text, "\xe2\x82\xac...' is not allowed: normal, minimal, full"), "%s", l->text);
	cr_expect_null(strchr(l->text, '?'), "%s", l->text);
	unload(l);
	l = load_repeated("tracing:\n  ", "k", 700, ": 1\n");
	cr_expect(strstr(l->text, "kkk...' in tracing"), "%s", l->text);
	unload(l);
}

Test(config_errors, nul_byte_is_told_with_its_place)
{
	struct loaded *l = load_bytes("tracing:\n  a\0b: 1\n", 18, NULL, NULL);

	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "t.yml:2:4: error: control character 0x00"), "%s", l->text);
	unload(l);
}

Test(config_errors, all_errors_at_once_in_the_order_of_the_file)
{
	struct loaded *l = load("tracing:\n"
				"  sample_rate: 2\n"
				"  exporter_type: zipkni\n"
				"  typo: 1\n"
				"  type: jager\n"
				"  zipkin: {url: nowhere}\n"
				"  excluded_urls: ['(', ok, '[']\n"
				"  timeout: x\n"
				"services:\n"
				"  tracing: {sample_rate: 3}\n",
				NULL);
	static const int lines[] = { 2, 3, 4, 5, 6, 7, 7, 8, 10 };

	cr_expect_eq(l->report.errors, 8, "%s", l->text);
	cr_expect_eq(l->report.warnings, 1);
	cr_assert_eq(l->report.n, 9);
	for (size_t i = 0; i < 9; i++)
		cr_expect_eq(l->report.messages[i].mark.line, lines[i], "%s", l->text);
	unload(l);
}

Test(config_errors, one_line_for_a_foreign_terminal)
{
	struct loaded *l = load("tracing:\n  typo: 1\n  sample_rate: 2\n  timeout: x\n", NULL);
	struct buf line;

	buf_init(&line);
	config_report_line(&l->report, &line);
	buf_add_byte(&line, '\0');
	cr_expect_str_eq(
		line.p,
		"t.yml:3:16: error: tracing.sample_rate: '2' is not allowed: a number from 0 to 1 (and 2 "
		"more: btracectl check)");
	buf_release(&line);
	unload(l);
	l = load("tracing: {sample_rate: 1}\n", "BTRACE_DISABLED=1");
	buf_init(&line);
	l->report.n = 0;
	config_report_line(&l->report, &line);
	cr_expect_eq(line.n, 0);
	buf_release(&line);
	unload(l);
}

Test(config_errors, too_many_errors_are_counted)
{
	struct buf yaml;
	struct loaded *l;

	buf_init(&yaml);
	buf_add_text(&yaml, "tracing:\n  exporter_type:\n");
	for (int i = 0; i < 500; i++)
		buf_printf(&yaml, "  - wrong%d\n", i);
	l = load_bytes(yaml.p, yaml.n, NULL, NULL);
	cr_expect_eq(l->report.errors, 500);
	cr_expect_eq(l->report.n, (size_t)REPORT_MAX);
	cr_expect(strstr(l->text, "... and 400 more\n"));
	buf_release(&yaml);
	unload(l);
}

Test(config_errors, empty_files)
{
	static const char *const empty[] = {
		"",     "\n\n",       "# only a comment\n", "---\n",         "null\n",
		"{}\n", "tracing:\n", "tracing: null\n",    "tracing: {}\n", "---\n...\n"
	};

	for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++) {
		struct loaded *l = load(empty[i], NULL);

		cr_expect_eq(l->rc, 0, "%s", empty[i]);
		cr_expect_not(l->config.on);
		cr_expect_str_eq(l->text,
				 "t.yml: warning: no exporter_type below `tracing`: nothing is collected\n");
		unload(l);
	}
}

Test(config_errors, files_that_cannot_be_read)
{
	struct loaded *l = load_path("/nonexistent/btrace.yml");

	cr_expect_eq(l->rc, -ENOENT);
	cr_expect_str_eq(l->text,
			 "/nonexistent/btrace.yml: error: cannot be read: No such file or directory\n");
	cr_expect_not(l->config.on);
	unload(l);
	l = load_path("/etc");
	cr_expect_eq(l->rc, -EISDIR, "%s", l->text);
	unload(l);
	l = load_path("/dev/zero");
	cr_expect_eq(l->rc, -EFBIG, "an endless file ends too: %s", l->text);
	unload(l);
}

Test(config_errors, relative_paths_start_at_the_file)
{
	static const struct {
		const char *directory, *path, *result;
	} table[] = {
		{ NULL, "/etc/btrace/x.yml", "/etc/btrace/t.jsonl" },
		{ NULL, "/x.yml", "//t.jsonl" },
		{ "/srv", "/etc/btrace/x.yml", "/srv/t.jsonl" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct config_source source = CONFIG_SOURCE_INIT;
		struct config_report report = CONFIG_REPORT_INIT;
		struct config config;

		source.fd = memfd_create("config", MFD_CLOEXEC);
		cr_assert_gt(
			dprintf(source.fd,
				"tracing: {exporter_type: file, sample_rate: 1, file: {path: t.jsonl}}\n"),
			0);
		source.path = table[i].path;
		source.directory = table[i].directory;
		cr_expect_eq(config_load(&config, &source, &report), 0);
		cr_expect_str_eq(config.file_path, table[i].result);
		cr_expect_str_eq(config.exporters[0].endpoint.path, table[i].result);
		config_release(&config);
		config_report_release(&report);
		close(source.fd);
	}
}

Test(config_errors, a_report_may_serve_twice)
{
	struct loaded *l = load("tracing: {sample_rate: 2}\n", NULL);
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config config;

	source.path = "tests/config/samples/guide-1x-2.yml";
	cr_expect_eq(config_load(&config, &source, &l->report), 0, "the errors of another file are not ours");
	cr_expect(config.on);
	config_release(&config);
	unload(l);
}

Test(config_errors, distance_of_words)
{
	cr_expect_eq(report_distance("zipkin", "zipkin"), 0);
	cr_expect_eq(report_distance("ZIPKIN", "zipkin"), 0);
	cr_expect_eq(report_distance("zipkni", "zipkin"), 1, "a swap is one slip");
	cr_expect_eq(report_distance("zipkn", "zipkin"), 1);
	cr_expect_eq(report_distance("zippkin", "zipkin"), 1);
	cr_expect_eq(report_distance("", "abc"), 3);
	cr_expect_eq(report_distance("kitten", "sitting"), 3);
	cr_expect_eq(report_distance("a", ""), 1);
	cr_expect_eq(report_distance(
			     "a", "0123456789012345678901234567890123456789012345678901234567890123456789"),
		     (unsigned)REPORT_FAR);
}
