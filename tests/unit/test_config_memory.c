/* SPDX-License-Identifier: Apache-2.0 */
/* No memory at any one point: an error, never a crash. Sanitizers bring a malloc of their own: nothing to do
 * there. */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* This program's malloc and realloc, which libyaml calls as well; glibc's behind them. */
void *__libc_malloc(size_t n);
void *__libc_realloc(void *p, size_t n);

static long left = -1; /* so many calls go well; -1: all */
static size_t large;   /* only those of at least so many bytes are counted */
static bool failed;

static bool fails(size_t bytes)
{
	if (left < 0 || bytes < large || left-- > 0)
		return false;
	left = 0; /* and all that follow */
	return failed = true;
}

void *malloc(size_t n) { return fails(n) ? NULL : __libc_malloc(n); }
void *realloc(void *p, size_t n) { return fails(n) ? NULL : __libc_realloc(p, n); }

static const char file[] =
	"a: &a {timeout: 1, zipkin: {url: 'http://${H:-h}/'}}\n"
	"tracing: {<<: *a, type: [jaeger, otlp, zipkin, file, console], sample_rate: 0.5, excluded_urls: "
	"'a, b', routes: [x], file: {path: t}, typo: 1, detail: wrong, resource_attributes: {a: b}}\n";

static const char *const environment[] = {
	"OTEL_RESOURCE_ATTRIBUTES=a=b,c=d",
	"BENTOML_CONFIG_OPTIONS=tracing.excluded_urls[1]=c tracing.timeout=x",
	"BENTOML_CONFIG_OVERRIDES={\"tracing\":{\"timeout\":2}}", "OTEL_EXPORTER_OTLP_HEADERS=a=b", NULL
};

/* One try in which every allocation after the first n fails. True: n was enough. */
static bool try(int fd, long n)
{
	struct config_source source = CONFIG_SOURCE_INIT;
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	struct buf out;
	int rc;

	source.path = "/t.yml";
	source.fd = fd;
	source.environment = environment;
	failed = false;
	left = n;
	rc = config_load(&config, &source, &report);
	buf_init(&out);
	config_report_text(&report, &out);
	config_report_line(&report, &out);
	config_print_settings(&config, &out);
	config_describe(&config, &out);
	left = -1;
	buf_release(&out);
	cr_assert(rc == -EINVAL || (failed && rc == -ENOMEM), "%ld: %d", n, rc);
	cr_assert_not(config.on);
	config_release(&config);
	config_report_release(&report);
	return !failed;
}

Test(config_memory, none_at_any_point)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	long n = 0;

	cr_assert_eq(write(fd, file, sizeof(file) - 1), (ssize_t)sizeof(file) - 1);
	while (!try(fd, n))
		n++;
	cr_expect_gt(n, 20, "the wrapper is in use");
	close(fd);
}

/*
 * The arena takes memory in large blocks. A text of growing length before the
 * rest moves the end of its first and second block through all of config_load.
 */
Test(config_memory, none_when_the_arena_is_full)
{
	static char pad[70000];
	int fd = memfd_create("config", MFD_CLOEXEC);
	unsigned failures = 0;

	large = 60000;
	for (size_t n = 1; n < sizeof(pad); n += 37) {
		memset(pad, 'x', n);
		cr_assert_eq(ftruncate(fd, 0), 0);
		cr_assert_gt(dprintf(fd, "pad: %.*s\n%s", (int)n, pad, file), 0);
		cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
		for (long block = 1; block < 4; block++)
			failures += !try(fd, block);
	}
	cr_expect_gt(failures, 1000);
	close(fd);
}

#else

Test(config_memory, left_to_the_build_without_sanitizer) { cr_assert(true); }

#endif
