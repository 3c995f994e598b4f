/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/transport/spool.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING = 65536, SESSION = 7 };

static struct buf bytes;

static void open_spool(struct spool *s, int fd, uint64_t session, uint64_t own, uint64_t foreign)
{
	struct spool_loss lost = { 0 };

	cr_assert_eq(spool_open(s, fd, RING, session, &lost), 0);
	cr_assert_eq(lost.own, own, "%lu", lost.own);
	cr_assert_eq(lost.foreign, foreign, "%lu", lost.foreign);
}

static void open_new(struct spool *s) { open_spool(s, memfd_create("spool", 0), SESSION, 0, 0); }

/* Payload `number` is a function of its number; its spans too. */
static size_t make(char *p, unsigned number)
{
	size_t n = 1 + number * 37 % 5000;

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(number + i);
	return n;
}

static uint32_t spans_of(unsigned number) { return 1 + number % 5; }

static int append(struct spool *s, unsigned number, struct spool_loss *lost)
{
	static char p[5001];

	return spool_append(s, (struct slice){ p, make(p, number) }, spans_of(number), number, lost);
}

static bool is_payload(struct slice s, unsigned number)
{
	static char p[5001];

	return slice_equal(s, (struct slice){ p, make(p, number) });
}

/* The oldest is payload `number`; it goes. */
static void take(struct spool *s, unsigned number, bool own)
{
	struct spool_loss lost = { 0 };
	struct spool_item item;

	cr_assert(spool_oldest(s, &bytes, &item, &lost), "%u", number);
	cr_assert(is_payload((struct slice){ bytes.p, bytes.n }, number), "%u", number);
	cr_assert_eq(item.spans, spans_of(number));
	cr_assert_eq(item.own, own);
	cr_assert_eq(lost.own + lost.foreign, 0);
	spool_advance(s, item.number);
}

Test(spool, records_leave_in_the_order_they_came)
{
	struct spool s;
	struct spool_loss lost = { 0 };

	open_new(&s);
	cr_assert(spool_is_empty(&s));
	/* many times round the ring */
	for (unsigned i = 1; i < 2000; i++) {
		cr_assert_eq(append(&s, i, &lost), 0);
		if (i > 10)
			take(&s, i - 10, true);
	}
	cr_assert_eq(lost.own, 0);
	for (unsigned i = 1990; i < 2000; i++)
		take(&s, i, true);
	cr_assert(spool_is_empty(&s));
	cr_assert_eq(s.own_spans, 0);
}

Test(spool, records_of_a_session_before_are_there_and_known_as_such)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	int fd = memfd_create("spool", 0);

	open_spool(&s, fd, SESSION, 0, 0);
	for (unsigned i = 1; i <= 5; i++)
		append(&s, i, &lost);
	take(&s, 1, true);
	open_spool(&s, fd, SESSION + 1, 0, 0);
	cr_assert_eq(s.own_spans, 0);
	append(&s, 6, &lost);
	for (unsigned i = 2; i <= 5; i++)
		take(&s, i, false);
	take(&s, 6, true);
	cr_assert(spool_is_empty(&s));
}

Test(spool, record_stays_until_its_fate_is_known)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	struct spool_item item;
	int fd = memfd_create("spool", 0);

	open_spool(&s, fd, SESSION, 0, 0);
	append(&s, 1, &lost);
	cr_assert(spool_oldest(&s, &bytes, &item, &lost));
	spool_let_go(&s);
	open_spool(&s, fd, SESSION, 0, 0);
	cr_assert_eq(s.own_spans, spans_of(1));
	spool_advance(&s, item.number + 1);
	cr_assert_not(spool_is_empty(&s), "that is another record");
	take(&s, 1, true);
	spool_advance(&s, item.number);
	cr_assert(spool_is_empty(&s));
}

Test(spool, full_spool_pushes_out_the_oldest_but_not_the_one_being_sent)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	struct spool_item item;
	uint64_t put = 0;
	unsigned i;

	open_new(&s);
	for (i = 1; i < 100; i++) {
		cr_assert_eq(append(&s, i, &lost), 0);
		put += spans_of(i);
	}
	cr_assert_gt(lost.own, 0);
	cr_assert_eq(put, lost.own + s.own_spans);
	lost.own = 0;
	cr_assert(spool_oldest(&s, &bytes, &item, &lost));
	while (append(&s, i, &lost) == 0)
		i++;
	cr_assert_eq(append(&s, i, &lost), -ENOSPC);
	cr_assert_eq(lost.own, 0);
	spool_let_go(&s);
	cr_assert_eq(append(&s, i, &lost), 0);
	cr_assert_gt(lost.own, 0);
	cr_assert_eq(spool_append(&s, (struct slice){ bytes.p, RING }, 1, 0, &lost), -EMSGSIZE);
}

Test(spool, empty_spool_takes_no_disk)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	struct stat st;

	open_new(&s);
	for (unsigned i = 1; i < 10; i++)
		append(&s, i, &lost);
	for (unsigned i = 1; i < 10; i++)
		take(&s, i, true);
	fstat(s.fd, &st);
	cr_assert_leq(st.st_size, 4096);
}

Test(spool, full_disk_is_told_and_harms_nothing)
{
	char path[] = "/tmp/btrace-spool-XXXXXX";
	int fd = mkstemp(path);
	struct rlimit limit = { 20000, 20000 };
	struct spool s;
	struct spool_loss lost = { 0 };
	unsigned i = 1;

	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	open_spool(&s, fd, SESSION, 0, 0);
	setrlimit(RLIMIT_FSIZE, &limit);
	while (append(&s, i, &lost) == 0)
		i++;
	cr_assert_gt(i, 2);
	cr_assert_eq(append(&s, i, &lost), -EFBIG);
	for (unsigned k = 1; k < i; k++)
		take(&s, k, true);
	cr_assert_eq(append(&s, 1, &lost), 0, "there is room again");
	take(&s, 1, true);
}

static void damage(int fd, off_t at, size_t n)
{
	char zero[8192] = { 0 };

	cr_assert_eq(pwrite(fd, zero, n, at), (ssize_t)n);
}

/* Where record number k of a fresh file begins. */
static off_t record_at(unsigned k)
{
	static char p[5001];
	off_t at = 4096;

	for (unsigned i = 1; i < k; i++)
		at += 48 + (off_t)((make(p, i) + 7) & ~(size_t)7);
	return at;
}

static void filled(struct spool *s, int fd, unsigned n)
{
	struct spool_loss lost = { 0 };

	open_spool(s, fd, SESSION, 0, 0);
	for (unsigned i = 1; i <= n; i++)
		append(s, i, &lost);
}

Test(spool, damaged_payload_is_skipped_and_counted)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	struct spool_item item;
	int fd = memfd_create("spool", 0);

	filled(&s, fd, 5);
	damage(fd, record_at(2) + 60, 8);
	take(&s, 1, true);
	cr_assert(spool_oldest(&s, &bytes, &item, &lost));
	cr_assert_eq(lost.own, spans_of(2));
	cr_assert(is_payload((struct slice){ bytes.p, bytes.n }, 3));
}

Test(spool, damaged_record_is_skipped_and_counted_at_the_next_start)
{
	struct spool s;
	int fd = memfd_create("spool", 0);

	filled(&s, fd, 5);
	damage(fd, record_at(2), (size_t)(record_at(4) - record_at(2)) - 16);
	open_spool(&s, fd, SESSION + 1, 0, spans_of(2) + spans_of(3));
	take(&s, 1, false);
	take(&s, 4, false);
	take(&s, 5, false);
	cr_assert(spool_is_empty(&s));
}

Test(spool, record_that_is_damaged_meanwhile_is_counted_when_the_ring_is_empty)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	struct spool_item item;
	int fd = memfd_create("spool", 0);

	filled(&s, fd, 3);
	damage(fd, record_at(2), 48);
	damage(fd, record_at(3), 48);
	take(&s, 1, true);
	cr_assert_not(spool_oldest(&s, &bytes, &item, &lost));
	cr_assert_eq(lost.own, spans_of(2) + spans_of(3));
	cr_assert(spool_is_empty(&s));
	cr_assert_eq(append(&s, 9, &lost), 0);
	take(&s, 9, true);
}

Test(spool, truncated_file_loses_only_what_is_gone)
{
	struct spool s;
	int fd = memfd_create("spool", 0);

	filled(&s, fd, 5);
	cr_assert_eq(ftruncate(fd, record_at(4) + 20), 0);
	open_spool(&s, fd, SESSION, 0, spans_of(4) + spans_of(5));
	for (unsigned i = 1; i <= 3; i++)
		take(&s, i, true);
	cr_assert(spool_is_empty(&s));
}

Test(spool, file_that_is_none_is_begun_anew)
{
	struct spool s;
	struct spool_loss lost = { 0 };
	int fd = memfd_create("spool", 0);

	cr_assert_eq(write(fd, "this is no spool at all, I am afraid", 36), 36);
	open_spool(&s, fd, SESSION, 0, 0);
	cr_assert_eq(append(&s, 1, &lost), 0);
	take(&s, 1, true);
	filled(&s, fd, 5);
	damage(fd, 512, 1024); /* both states */
	open_spool(&s, fd, SESSION, 0, 0);
	cr_assert(spool_is_empty(&s));
}

Test(spool, killed_at_any_moment_it_goes_on, .timeout = 60)
{
	int fd = memfd_create("spool", 0);

	for (unsigned round = 0; round < 100; round++) {
		int go[2];
		struct spool s;
		struct spool_loss lost = { 0 };
		struct spool_item item;
		unsigned last = 0;
		char byte;
		pid_t child;

		cr_assert_eq(pipe(go), 0);
		child = fork();
		if (child == 0) {
			if (spool_open(&s, fd, RING, round, &lost) < 0)
				_exit(1);
			for (unsigned i = 1;; i++) {
				append(&s, i, &lost);
				if (i == round + 1)
					(void)!write(go[1], "x", 1);
			}
		}
		cr_assert_eq(read(go[0], &byte, 1), 1);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		close(go[0]);
		close(go[1]);
		open_spool(&s, fd, round, 0, 0);
		cr_assert_not(spool_is_empty(&s));
		while (spool_oldest(&s, &bytes, &item, &lost)) {
			unsigned number = (unsigned)s.state.last_queue_sequence;

			/* whole, without gaps, up to the last that was said to be there */
			if (!last) {
				for (last = 1; !is_payload((struct slice){ bytes.p, bytes.n }, last); last++)
					cr_assert_lt(last, number);
			} else {
				last++;
			}
			cr_assert(is_payload((struct slice){ bytes.p, bytes.n }, last));
			cr_assert_eq(item.spans, spans_of(last));
			spool_advance(&s, item.number);
		}
		cr_assert_eq(last, s.state.last_queue_sequence);
		cr_assert_eq(lost.own + lost.foreign, 0);
	}
}

Test(spool, one_file_has_one_user)
{
	char directory[] = "/tmp/btrace-spool-XXXXXX", path[64], command[64];
	struct stat st;
	int first, second;

	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/new", directory);
	first = spool_file_open(path, "zipkin");
	second = spool_file_open(path, "zipkin");
	cr_assert_geq(first, 0);
	cr_assert_geq(second, 0);
	snprintf(path, sizeof(path), "%s/new/zipkin.1.spool", directory);
	cr_assert_eq(stat(path, &st), 0, "the second one has its own");
	cr_assert_eq(st.st_mode & 0777, 0600);
	close(first);
	snprintf(path, sizeof(path), "%s/new", directory);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	first = spool_file_open(path, "zipkin");
	cr_assert_geq(first, 0, "the first is free again");
	cr_assert_eq(spool_file_open("/proc/none", "zipkin"), -ENOENT);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}
