/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/ctl/trace_file.h"

#define LINE(digit)                                                      \
	"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":" \
	"\"0000000000000000000000000000000" digit "\",\"spanId\":\"000000000000000" digit "\"}]}]}]}"

static struct trace_store store;
static char path[] = "/tmp/test_trace_file.XXXXXX";
static char *told;
static size_t told_n;
static FILE *errors;

static void start(void)
{
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	close(fd);
	trace_store_init(&store);
	errors = open_memstream(&told, &told_n);
}

static void stop(void)
{
	unlink(path);
	trace_store_release(&store);
	fclose(errors);
	free(told);
}

TestSuite(trace_file, .init = start, .fini = stop);

static void append(const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int load(const char *text)
{
	char *names[] = { path };

	append(text);
	return trace_files_load(names, 1, &store, errors);
}

static void expect_told(const char *format)
{
	char *wanted = NULL;

	fflush(errors);
	cr_assert(asprintf(&wanted, format, path) >= 0);
	cr_expect_str_eq(told, wanted);
	free(wanted);
}

Test(trace_file, every_line_is_one_request)
{
	cr_expect_eq(load(LINE("1") "\n\n \r\n" LINE("2") "\r\n" LINE("3") "\n"), 0);
	cr_expect_eq(store.n, 3);
	expect_told("");
}

Test(trace_file, a_last_line_without_newline_is_taken_if_it_is_whole)
{
	cr_expect_eq(load(LINE("1") "\n" LINE("2")), 0);
	cr_expect_eq(store.n, 2);
	expect_told("");
}

Test(trace_file, a_last_line_cut_off_is_told_and_is_no_failure)
{
	cr_expect_eq(load(LINE("1") "\n{\"resourceSpans\":[{\"scopeSp"), 0);
	cr_expect_eq(store.n, 1);
	expect_told("%s:2: the last line is not complete, left out\n");
}

Test(trace_file, a_bad_line_is_told_with_its_place_and_costs_only_itself)
{
	cr_expect_eq(load(LINE("1") "\n{\"resourceSpans\":7}\n" LINE("2") "\n"), 1);
	cr_expect_eq(store.n, 2);
	expect_told("%s:2:19: an array should stand here\n");
}

Test(trace_file, json_over_several_lines_is_told_how_to_mend)
{
	cr_expect_eq(load("{\n \"resourceSpans\": []\n}\n"), 1);
	fflush(errors);
	cr_expect(strstr(told, "jq -c"), "%s", told);
}

Test(trace_file, what_cannot_be_opened_is_told)
{
	char missing[] = "/nowhere/x", directory[] = "/tmp", *names[] = { missing }, *more[] = { directory };

	cr_expect_eq(trace_files_load(names, 1, &store, errors), -ENOENT);
	cr_expect_eq(trace_files_load(more, 1, &store, errors), -EISDIR);
	fflush(errors);
	cr_expect(strstr(told, "/nowhere/x: No such file"), "%s", told);
}

Test(trace_file, a_line_longer_than_what_is_read_at_once_is_put_together)
{
	struct buf text;

	buf_init(&text);
	buf_add_text(&text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
	for (int i = 1; i <= 20000; i++)
		buf_printf(&text, "%s{\"traceId\":\"%032x\",\"spanId\":\"%016x\"}", i > 1 ? "," : "", i, i);
	buf_add_text(&text, "]}]}]}\n" LINE("1") "\n");
	buf_add_byte(&text, '\0');
	cr_expect_eq(load(text.p), 0);
	cr_expect_eq(store.n, 20001);
	buf_release(&text);
}

Test(trace_file, a_growing_file_is_read_on_and_half_a_line_waits)
{
	struct trace_file f;

	append(LINE("1") "\n{\"resourceSpans\":[{\"scopeSp");
	cr_assert_eq(trace_file_open(&f, path, &store, errors), 0);
	cr_expect(trace_file_read(&f, 0) > 0);
	cr_expect_eq(store.n, 1);
	trace_file_try_end(&f);
	cr_expect_eq(trace_file_read(&f, 0), 0);
	append("ans\":[{\"spans\":[{\"traceId\":\"00000000000000000000000000000009\",\"spanId\":"
	       "\"0000000000000009\"}]}]}]}");
	cr_expect(trace_file_read(&f, 0) > 0);
	cr_expect_eq(store.n, 1, "its newline is not there yet");
	trace_file_try_end(&f);
	cr_expect_eq(store.n, 2, "but it is whole");
	append("\n" LINE("3") "\n");
	cr_expect(trace_file_read(&f, 0) > 0);
	cr_expect_eq(store.n, 3);
	trace_file_close(&f);
	expect_told("");
}

Test(trace_file, a_file_that_was_rotated_or_made_shorter_is_begun_anew)
{
	struct trace_file f;
	char old[sizeof(path) + 4];

	append(LINE("1") "\n" LINE("2") "\n");
	cr_assert_eq(trace_file_open(&f, path, &store, errors), 0);
	trace_file_read(&f, 0);
	cr_expect_eq(trace_file_reopen(&f), 0);
	snprintf(old, sizeof(old), "%s.old", path);
	cr_assert_eq(rename(path, old), 0);
	cr_expect_eq(trace_file_reopen(&f), 0, "the new one is not there yet");
	append(LINE("3") "\n");
	cr_expect_eq(trace_file_reopen(&f), 1);
	trace_file_read(&f, 0);
	cr_expect_eq(store.n, 3);
	cr_assert_eq(truncate(path, 0), 0);
	cr_expect_eq(trace_file_reopen(&f), 1);
	append(LINE("4") "\n");
	trace_file_read(&f, 0);
	cr_expect_eq(store.n, 4);
	trace_file_close(&f);
	unlink(old);
}
