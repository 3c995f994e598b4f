/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct slice text(const char *s) { return slice_of(s); }

static void assert_balanced(const struct queue *q)
{
	struct queue_counters c = queue_counters(q);

	cr_assert_eq(c.put, c.sent + c.failed + c.dropped + c.spooled + queue_spans(q),
		     "put %lu sent %lu failed %lu dropped %lu queued %lu", c.put, c.sent, c.failed, c.dropped,
		     queue_spans(q));
}

static void open_own(struct queue *q, uint64_t spans, uint64_t bytes, uint32_t payload, uint32_t slots)
{
	struct queue_limits l = { spans, bytes, payload, slots };

	cr_assert_eq(queue_open(q, &l, NULL, 0), 0);
}

Test(queue, payloads_leave_in_the_order_they_came)
{
	struct queue q;
	struct queue_item item;

	open_own(&q, 0, 0, 0, 1);
	cr_assert_eq(queue_push(&q, text("one"), 1), 0);
	cr_assert_eq(queue_push(&q, text("second"), 2), 0);
	cr_assert(queue_take(&q, 7, &item));
	cr_assert(slice_is(item.bytes, "one"));
	cr_assert_eq(item.first_try_ms, 7);
	cr_assert_not(queue_take(&q, 8, &(struct queue_item){ 0 }), "the only slot is taken");
	queue_settle(&q, item.slot, 1);
	cr_assert(queue_take(&q, 9, &item));
	cr_assert(slice_is(item.bytes, "second"));
	cr_assert_eq(item.spans, 2);
	queue_settle(&q, item.slot, 1);
	cr_assert_not(queue_take(&q, 10, &item));
	cr_assert_eq(queue_counters(&q).sent, 2);
	cr_assert_eq(queue_counters(&q).failed, 1, "what is not sent has failed");
	assert_balanced(&q);
	queue_release(&q);
}

Test(queue, full_of_spans_drops_the_oldest_and_counts)
{
	struct queue q;
	struct queue_item item;

	open_own(&q, 10, 0, 0, 1);
	for (int i = 0; i < 7; i++)
		cr_assert_eq(queue_push(&q, (struct slice){ &"abcdefg"[i], 1 }, 4), 0);
	cr_assert_eq(queue_counters(&q).dropped, 20);
	cr_assert_eq(queue_spans(&q), 8);
	cr_assert(queue_take(&q, 0, &item));
	cr_assert(slice_is(item.bytes, "f"));
	assert_balanced(&q);
	queue_release(&q);
}

Test(queue, full_of_bytes_drops_the_oldest_and_never_the_one_being_sent)
{
	struct queue q;
	struct queue_item item, later;
	char bytes[100];

	open_own(&q, 0, 1000, 100, 1);
	memset(bytes, 'a', sizeof(bytes));
	queue_push(&q, (struct slice){ bytes, sizeof(bytes) }, 1);
	cr_assert(queue_take(&q, 0, &item));
	for (int i = 0; i < 1000; i++) {
		memset(bytes, 'b' + i % 20, sizeof(bytes));
		cr_assert_eq(queue_push(&q, (struct slice){ bytes, 60 + (size_t)i % 40 }, 1), 0);
		assert_balanced(&q);
	}
	cr_assert_leq(queue_spans(&q), 1 + 1000 / 80);
	cr_assert_geq(queue_spans(&q), 1 + 7);
	cr_assert(queue_get(&q, item.slot, &later));
	cr_assert_eq(later.bytes.n, 100);
	cr_assert_eq(later.bytes.p[99], 'a');
	queue_drop_all(&q);
	cr_assert_eq(queue_counters(&q).dropped, 1001);
	cr_assert_eq(queue_spans(&q), 0);
	queue_release(&q);
}

Test(queue, payload_beyond_the_limit_is_counted_as_dropped)
{
	struct queue q;
	char bytes[129] = { 0 };

	open_own(&q, 100, 4096, 128, 1);
	cr_assert_eq(queue_push(&q, (struct slice){ bytes, 129 }, 3), -EMSGSIZE);
	cr_assert_eq(queue_push(&q, (struct slice){ bytes, 1 }, 101), -EMSGSIZE);
	cr_assert_eq(queue_push(&q, (struct slice){ bytes, 128 }, 3), 0);
	cr_assert_eq(queue_counters(&q).dropped, 104);
	assert_balanced(&q);
	queue_release(&q);
}

Test(queue, withdrawn_payload_was_never_put)
{
	struct queue q;
	struct queue_item item;

	open_own(&q, 0, 0, 0, 1);
	queue_push(&q, text("too large"), 5);
	cr_assert(queue_take(&q, 0, &item));
	queue_withdraw(&q, item.slot);
	cr_assert_eq(queue_counters(&q).put, 0);
	assert_balanced(&q);
	queue_release(&q);
}

/* Content is a function of the first byte and the length: whatever comes out must be whole. */
static size_t make_payload(char *bytes, unsigned number)
{
	size_t n = 1 + number * 37 % 400;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(number + i);
	return n;
}

static void assert_whole(const struct queue_item *item)
{
	for (size_t i = 0; i < item->bytes.n; i++)
		cr_assert_eq(item->bytes.p[i], (char)((unsigned char)item->bytes.p[0] + i));
	cr_assert_eq(item->spans, 1 + item->bytes.n % 5);
}

static void random_step(struct queue *q, unsigned *number)
{
	struct queue_item item;
	char bytes[512];
	size_t n;

	switch (rand() % 6) {
	case 0:
	case 1:
	case 2:
		n = make_payload(bytes, (*number)++);
		queue_push(q, (struct slice){ bytes, n }, (uint32_t)(1 + n % 5));
		break;
	case 3: queue_take(q, 0, &item); break;
	case 4: queue_settle(q, (uint32_t)(rand() % 3), (uint64_t)(rand() % 6)); break;
	default:
		if (rand() % 8 == 0)
			queue_drop(q, (uint32_t)(rand() % 3));
		queue_tried(q, 0);
	}
}

Test(queue, counters_balance_after_any_steps)
{
	struct queue q;
	struct queue_item item;
	unsigned number = 0;

	open_own(&q, 50, 3000, 512, 3);
	srand(1);
	for (int i = 0; i < 100000; i++) {
		random_step(&q, &number);
		assert_balanced(&q);
		for (uint32_t slot = 0; slot < 3; slot++)
			if (queue_get(&q, slot, &item))
				assert_whole(&item);
	}
	cr_assert_gt(queue_counters(&q).sent, 1000);
	cr_assert_gt(queue_counters(&q).dropped, 1000);
	queue_release(&q);
}

/* A worker killed at any moment: its successor finds a queue that balances, each payload whole. */
Test(queue, successor_of_a_killed_worker_goes_on)
{
	struct queue_limits l = { 50, 3000, 512, 3 };
	size_t bytes = queue_region_bytes(&l);
	char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t put_before = 0;

	for (int round = 0; round < 200; round++) {
		int go[2];
		struct queue q;
		struct queue_item item;
		pid_t child;
		char byte;

		cr_assert_eq(pipe(go), 0);
		child = fork();
		if (child == 0) {
			unsigned number = (unsigned)round;

			srand((unsigned)round);
			if (queue_open(&q, &l, region, bytes) < 0)
				_exit(1);
			for (unsigned long steps = 0;; steps++) {
				random_step(&q, &number);
				if (steps == (unsigned long)round * 7)
					(void)!write(go[1], "x", 1);
			}
		}
		cr_assert_eq(read(go[0], &byte, 1), 1);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		close(go[0]);
		close(go[1]);
		cr_assert_eq(queue_open(&q, &l, region, bytes), 0);
		assert_balanced(&q);
		cr_assert_gt(queue_counters(&q).put, put_before);
		put_before = queue_counters(&q).put;
		for (uint32_t slot = 0; slot < 3; slot++)
			if (queue_get(&q, slot, &item)) {
				cr_assert(item.maybe_sent);
				assert_whole(&item);
				queue_settle(&q, slot, item.spans);
			}
		while (queue_take(&q, 0, &item)) {
			cr_assert_not(item.maybe_sent);
			assert_whole(&item);
			queue_settle(&q, item.slot, item.spans);
		}
		cr_assert_eq(queue_spans(&q), 0);
		assert_balanced(&q);
		queue_release(&q);
	}
	munmap(region, bytes);
}

Test(queue, region_of_other_limits_is_refused)
{
	struct queue_limits l = { 50, 4096, 512, 2 }, other = { 50, 4096, 256, 2 };
	size_t bytes = queue_region_bytes(&l);
	void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct queue q;

	cr_assert_eq(queue_open(&q, &l, region, bytes - 1), -EINVAL);
	cr_assert_eq(queue_open(&q, &l, region, bytes), 0);
	queue_release(&q);
	cr_assert_eq(queue_open(&q, &other, region, bytes), -EINVAL);
	cr_assert_eq(queue_open(&q, &l, region, bytes), 0);
	queue_release(&q);
	munmap(region, bytes);
}

/* Whoever wrote into the region: no crash, no overrun (ASan), no endless loop. */
Test(queue, garbage_in_the_region_is_survived)
{
	struct queue_limits l = { 50, 3000, 512, 3 };
	size_t bytes = queue_region_bytes(&l);
	char *region = malloc(bytes);
	unsigned number = 0;

	srand(3);
	for (int round = 0; round < 3000; round++) {
		struct queue q;
		struct queue_item item;

		memset(region, 0, bytes);
		cr_assert_eq(queue_open(&q, &l, region, bytes), 0);
		for (int i = 0; i < 60; i++)
			random_step(&q, &number);
		for (int i = rand() % 20; i >= 0; i--) {
			size_t at = sizeof(struct queue_region) - sizeof(struct queue_state) * 2;

			at += (size_t)rand() % (round % 2 ? bytes - at : 2 * sizeof(struct queue_state));
			region[at] = (char)rand();
		}
		if (round % 3 == 0 && queue_open(&q, &l, region, bytes) < 0)
			continue;
		for (int i = 0; i < 100; i++)
			random_step(&q, &number);
		for (uint32_t slot = 0; slot < 3; slot++)
			if (queue_get(&q, slot, &item))
				cr_assert_leq(item.bytes.n, 512);
		queue_drop_all(&q);
		cr_assert_eq(queue_spans(&q), 0);
		queue_release(&q);
	}
	free(region);
}

static size_t resident(const void *p, size_t n)
{
	unsigned char pages[20000];
	size_t count = 0, total = (n + 4095) / 4096;

	cr_assert_leq(total, sizeof(pages));
	cr_assert_eq(mincore((void *)p, n, pages), 0);
	for (size_t i = 0; i < total; i++)
		count += pages[i] & 1;
	return count * 4096;
}

Test(queue, memory_is_touched_only_as_far_as_needed_and_given_back)
{
	struct queue q;
	struct queue_item item;
	static char bytes[100000];

	open_own(&q, 0, 0, 0, 1);
	for (int i = 0; i < 2000; i++) {
		memset(bytes, i, sizeof(bytes));
		queue_push(&q, (struct slice){ bytes, sizeof(bytes) }, 1);
		cr_assert(queue_take(&q, 0, &item));
		queue_settle(&q, item.slot, 1);
	}
	cr_assert_lt(resident(q.region, q.region_bytes), 300000, "200 MB went through a ring of 32 MiB");
	for (int i = 0; i < 300; i++)
		queue_push(&q, (struct slice){ bytes, sizeof(bytes) }, 1);
	cr_assert_gt(resident(q.region, q.region_bytes), 29000000);
	while (queue_take(&q, 0, &item))
		queue_settle(&q, item.slot, 1);
	cr_assert_lt(resident(q.region, q.region_bytes), 300000);
	queue_release(&q);
}

Test(queue, trimming_gives_the_rest_back_but_nothing_that_is_in_use)
{
	struct queue q;
	struct queue_item item;
	static char bytes[100000];

	open_own(&q, 0, 0, 0, 2);
	for (int i = 0; i < 3; i++) {
		memset(bytes, 'a' + i, sizeof(bytes));
		queue_push(&q, (struct slice){ bytes, sizeof(bytes) }, 1);
	}
	for (int i = 0; i < 3; i++) {
		cr_assert(queue_take(&q, 0, &item));
		queue_trim(&q);
		cr_assert_eq(item.bytes.p[sizeof(bytes) - 1], 'a' + i);
		queue_settle(&q, item.slot, 1);
	}
	cr_assert_gt(resident(q.region, q.region_bytes), 300000);
	queue_trim(&q);
	cr_assert_lt(resident(q.region, q.region_bytes), 30000);
	queue_release(&q);
}
