/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/transport/loop.h"
#include "exporters/transport/transport.h"

static struct transport_loop loop;
static char dir[64], path[128];
static struct send_report last;
static int reports;

static void take_report(void *context, const struct send_report *report)
{
	(void)context;
	last = *report;
	reports++;
}

static void set_up(void)
{
	snprintf(dir, sizeof(dir), "/tmp/btrace-file-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/traces.jsonl", dir);
	loop_init(&loop, NULL, NULL);
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static void *open_file(const struct endpoint *endpoint)
{
	void *state = NULL;
	char error[256] = "";

	cr_assert_eq(transport_file.open(&state, endpoint, NULL, &loop, error), 0, "%s", error);
	return state;
}

static enum send_result send_line(void *state, const char *line, bool maybe_sent)
{
	struct payload payload = { slice_of(line), 1, maybe_sent };
	int before = reports;

	transport_file.send(state, &payload, take_report, NULL);
	cr_assert_eq(reports, before + 1);
	return last.result;
}

static char *content(const char *name)
{
	static char bytes[8192];
	FILE *file = fopen(name, "r");
	size_t n = file ? fread(bytes, 1, sizeof(bytes) - 1, file) : 0;

	if (!file)
		return NULL;
	fclose(file);
	bytes[n] = 0;
	return bytes;
}

static char *rotated(unsigned i)
{
	static char name[160];

	snprintf(name, sizeof(name), "%s.%u", path, i);
	return name;
}

TestSuite(file, .init = set_up, .fini = tear_down);

Test(file, lines_are_appended_and_get_their_newline)
{
	struct endpoint endpoint = { .path = path };
	void *state = open_file(&endpoint);
	struct stat st;

	cr_assert_eq(send_line(state, "{1}", false), SEND_OK);
	cr_assert_eq(send_line(state, "{2}\n", false), SEND_OK);
	transport_file.close(state);
	state = open_file(&endpoint);
	cr_assert_eq(send_line(state, "{3}", false), SEND_OK);
	cr_assert_str_eq(content(path), "{1}\n{2}\n{3}\n");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600, "spans are private");
	transport_file.close(state);
}

Test(file, rotation_keeps_so_many_and_no_line_is_split_or_lost)
{
	struct endpoint endpoint = { .path = path, .max_file_bytes = 12, .max_files = 2 };
	void *state = open_file(&endpoint);
	char line[8];

	for (int i = 1; i <= 7; i++) {
		snprintf(line, sizeof(line), "line%d", i);
		cr_assert_eq(send_line(state, line, false), SEND_OK);
	}
	cr_assert_str_eq(content(path), "line7\n");
	cr_assert_str_eq(content(rotated(1)), "line5\nline6\n");
	cr_assert_str_eq(content(rotated(2)), "line3\nline4\n");
	cr_assert_null(content(rotated(3)));
	transport_file.close(state);
}

Test(file, line_larger_than_the_limit_gets_a_file_of_its_own)
{
	struct endpoint endpoint = { .path = path, .max_file_bytes = 4, .max_files = 5 };
	void *state = open_file(&endpoint);

	cr_assert_eq(send_line(state, "larger", false), SEND_OK);
	cr_assert_eq(send_line(state, "b", false), SEND_OK);
	cr_assert_str_eq(content(rotated(1)), "larger\n");
	cr_assert_str_eq(content(path), "b\n");
	transport_file.close(state);
}

Test(file, moved_or_removed_file_is_made_anew)
{
	struct endpoint endpoint = { .path = path };
	void *state = open_file(&endpoint);

	send_line(state, "1", false);
	cr_assert_eq(rename(path, rotated(9)), 0);
	send_line(state, "2", false);
	cr_assert_str_eq(content(rotated(9)), "1\n");
	cr_assert_str_eq(content(path), "2\n");
	cr_assert_eq(unlink(path), 0);
	send_line(state, "3", false);
	cr_assert_str_eq(content(path), "3\n");
	transport_file.close(state);
}

Test(file, size_limit_of_the_process_is_a_counted_failure_and_leaves_whole_lines)
{
	struct endpoint endpoint = { .path = path };
	struct rlimit limit = { 10, 10 };
	void *state = open_file(&endpoint);

	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(send_line(state, "12345", false), SEND_OK);
	cr_assert_eq(send_line(state, "67890", false), SEND_REFUSED);
	cr_assert_str_eq(last.message, "cannot write: File too large");
	cr_assert_eq(send_line(state, "678", false), SEND_OK);
	cr_assert_str_eq(content(path), "12345\n678\n");
	transport_file.close(state);
}

Test(file, full_disk_is_a_counted_failure)
{
	struct endpoint endpoint = { .path = "/dev/full" };
	void *state = open_file(&endpoint);

	cr_assert_eq(send_line(state, "x", false), SEND_PARTIAL);
	cr_assert_eq(last.rejected, 1);
	cr_assert_str_eq(last.message, "cannot write: No space left on device");
	transport_file.close(state);
}

Test(file, line_that_a_killed_worker_wrote_is_not_written_twice)
{
	struct endpoint endpoint = { .path = path };
	void *state = open_file(&endpoint);

	send_line(state, "first", false);
	send_line(state, "second", false);
	cr_assert_eq(send_line(state, "second", true), SEND_OK);
	cr_assert_str_eq(content(path), "first\nsecond\n");
	cr_assert_eq(send_line(state, "third", true), SEND_OK);
	cr_assert_str_eq(content(path), "first\nsecond\nthird\n");
	transport_file.close(state);
}

Test(file, line_that_a_killed_worker_wrote_half_is_made_whole)
{
	struct endpoint endpoint = { .path = path };
	void *state = open_file(&endpoint);
	FILE *file;

	send_line(state, "first", false);
	file = fopen(path, "a");
	fputs("sec", file);
	fclose(file);
	transport_file.close(state);
	state = open_file(&endpoint);
	cr_assert_eq(send_line(state, "second", true), SEND_OK);
	cr_assert_str_eq(content(path), "first\nsecond\n");
	transport_file.close(state);
}

Test(file, foreign_half_line_is_ended_before_ours)
{
	struct endpoint endpoint = { .path = path };
	FILE *file = fopen(path, "w");
	void *state;

	fputs("half", file);
	fclose(file);
	state = open_file(&endpoint);
	cr_assert_eq(send_line(state, "ours", false), SEND_OK);
	cr_assert_str_eq(content(path), "half\nours\n");
	transport_file.close(state);
}

static int keeper_rotates(void *context, const char *name)
{
	int *fd = context;

	cr_assert_eq(file_rotate(name, 1), 0);
	close(*fd);
	return *fd = file_open(name);
}

Test(file, descriptor_of_the_keeper_is_used_and_rotated_by_the_keeper)
{
	int fd = file_open(path);
	struct endpoint endpoint = {
		.path = path, .fd = fd, .max_file_bytes = 4, .rotate = keeper_rotates, .rotate_context = &fd
	};
	void *state = open_file(&endpoint);

	send_line(state, "one", false);
	send_line(state, "two", false);
	cr_assert_str_eq(content(rotated(1)), "one\n");
	cr_assert_str_eq(content(path), "two\n");
	transport_file.close(state);
	cr_assert_neq(fcntl(fd, F_GETFD), -1, "it stays the keeper's");
}

Test(file, unwritable_path_is_one_clear_line)
{
	struct endpoint endpoint = { .path = "/proc/no/such/traces.jsonl" };
	void *state = NULL;
	char error[256] = "";

	cr_assert_eq(transport_file.open(&state, &endpoint, NULL, &loop, error), -ENOENT);
	cr_assert_str_eq(error, "cannot open \"/proc/no/such/traces.jsonl\": No such file or directory");
}

Test(file, fifo_that_nobody_reads_holds_up_nobody)
{
	struct endpoint endpoint = { .path = path, .timeout_ms = 50 };
	static char line[100000];
	struct payload payload = { { line, sizeof(line) }, 10, false };
	void *state;

	memset(line, 'x', sizeof(line));
	cr_assert_eq(mkfifo(path, 0600), 0);
	state = open_file(&endpoint);
	transport_file.send(state, &payload, take_report, NULL);
	while (reports == 0)
		cr_assert_eq(loop_wait(&loop, 10000), 0);
	cr_assert_eq(last.result, SEND_PARTIAL);
	cr_assert_eq(last.rejected, 10);
	transport_file.close(state);
}

Test(file, what_a_killed_worker_wrote_is_found_before_the_file_is_rotated, .init = set_up, .fini = tear_down)
{
	struct endpoint endpoint = { .path = path, .max_file_bytes = 10, .max_files = 2 };
	char old[160];
	void *state = open_file(&endpoint);

	snprintf(old, sizeof(old), "%s.1", path);
	send_line(state, "twelve bytes\n", false);
	cr_assert_eq(send_line(state, "twelve bytes\n", true), SEND_OK);
	cr_assert_str_eq(content(path), "twelve bytes\n");
	cr_assert_null(content(old), "nothing to rotate for");
	transport_file.close(state);
}
