/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/sink.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* --- a format that writes the names, and a transport that answers as told --- */
static bool splits = true; /* whether the format honours max_payload_bytes itself */

static size_t encode_ten(const struct batch *batch, size_t from, size_t n,
			 const struct encode_options *options, struct buf *out)
{
	size_t taken = 0;

	for (; taken < n; taken++) {
		size_t bytes = batch->spans[from + taken].name.n;

		if (splits && options->max_payload_bytes && out->n + bytes > options->max_payload_bytes)
			break;
		buf_add_slice(out, batch->spans[from + taken].name);
	}
	return taken;
}

static const struct format ten = { .name = "ten", .encode = encode_ten };

struct fake {
	struct send_report answer;
	bool hold; /* keeps what it gets until fake_answer() */
	int sends, holding;
	struct {
		const struct payload *payload;
		send_done *done;
		void *context;
	} held[QUEUE_SLOTS];
	size_t sizes[1000];
	bool maybe_sent;
	size_t too_large_above;
	bool open;
};

static struct fake fake;

static int fake_open(void **state, const struct endpoint *endpoint, const char *content_type,
		     struct transport_loop *loop, char error[256])
{
	(void)endpoint, (void)content_type, (void)loop, (void)error;
	*state = &fake;
	fake.open = true;
	return 0;
}

static void fake_send(void *state, const struct payload *payload, send_done *done, void *context)
{
	struct send_report report = fake.answer;

	(void)state;
	cr_assert_lt(fake.sends, 1000);
	fake.sizes[fake.sends++] = payload->bytes.n;
	fake.maybe_sent = payload->maybe_sent;
	if (fake.hold) {
		fake.held[fake.holding].payload = payload;
		fake.held[fake.holding].done = done;
		fake.held[fake.holding++].context = context;
		return;
	}
	if (fake.too_large_above && payload->bytes.n > fake.too_large_above)
		report = (struct send_report){ .result = SEND_TOO_LARGE, .message = "too large" };
	done(context, &report);
}

static void fake_answer(struct send_report report)
{
	fake.holding--;
	fake.held[fake.holding].done(fake.held[fake.holding].context, &report);
}

static void fake_close(void *state)
{
	(void)state;
	fake.open = false;
	fake.holding = 0;
}

static struct transport transport_fake = {
	.name = "fake",
	.in_flight = 1,
	.max_payload_bytes = 1000,
	.open = fake_open,
	.send = fake_send,
	.close = fake_close,
};

/* --- the rest of the world --- */
static struct transport_loop loop;
static char said[20][400];
static int lines;

static void take_line(void *context, const char *line)
{
	(void)context;
	if (lines < 20)
		snprintf(said[lines], sizeof(said[0]), "%s", line);
	lines++;
}

static struct sink *open_sink(struct sink_limits limits, uint32_t total_timeout_ms)
{
	struct encode_options options = { 0 };
	struct endpoint endpoint = { .label = "fake at home", .total_timeout_ms = total_timeout_ms };
	struct sink *sink = NULL;
	char error[256] = "";

	if (!loop.log)
		loop_init(&loop, take_line, NULL);
	cr_assert_eq(
		sink_open(&sink, "fake", &ten, &options, &transport_fake, &endpoint, &limits, &loop, error),
		0, "%s", error);
	return sink;
}

static void put_spans_of(struct sink *sink, size_t n, size_t bytes)
{
	static char text[5000];
	struct span *spans = calloc(n, sizeof(*spans));

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < n; i++)
		spans[i].name = (struct slice){ text, bytes };
	sink_put(sink, &(struct batch){ spans, n });
	free(spans);
}

static void put(struct sink *sink, size_t n) { put_spans_of(sink, n, 10); }

static void assert_counters(struct sink *sink, uint64_t sent, uint64_t failed, uint64_t dropped,
			    uint64_t queued)
{
	struct sink_counters c = sink_counters(sink);

	cr_assert_eq(c.sent, sent, "sent %lu", c.sent);
	cr_assert_eq(c.failed, failed, "failed %lu", c.failed);
	cr_assert_eq(c.queue_dropped, dropped, "dropped %lu", c.queue_dropped);
	cr_assert_eq(c.queued, queued, "queued %lu", c.queued);
	cr_assert_eq(c.put, sent + failed + dropped + queued);
}

Test(sink, batch_is_sent_in_payloads_of_the_limit)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	put(sink, 250);
	cr_assert_eq(fake.sends, 3);
	cr_assert_eq(fake.sizes[0], 1000);
	cr_assert_eq(fake.sizes[2], 500);
	assert_counters(sink, 250, 0, 0, 0);
	cr_assert(sink_idle(sink));
	sink_free(sink);
	cr_assert_not(fake.open);
}

Test(sink, format_without_splitting_is_split_for_it)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	splits = false;
	put(sink, 250);
	assert_counters(sink, 250, 0, 0, 0);
	for (int i = 0; i < fake.sends; i++)
		cr_assert_leq(fake.sizes[i], 1000);
	put_spans_of(sink, 1, 1001);
	assert_counters(sink, 250, 1, 0, 0);
	sink_free(sink);
}

Test(sink, span_that_fits_no_payload_fails_alone)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	put_spans_of(sink, 3, 1001);
	put(sink, 3);
	assert_counters(sink, 3, 3, 0, 0);
	cr_assert_str_eq(said[0], "fake at home: a span is larger than 1000 bytes (1 span lost)");
	sink_free(sink);
	cr_assert_eq(lines, 2, "the other two are told at the end");
	cr_assert_str_eq(said[1], "fake at home: a span is larger than 1000 bytes (2 spans lost)");
}

Test(sink, refused_payload_is_counted_and_told_once)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	fake.answer = (struct send_report){ .result = SEND_REFUSED, .message = "HTTP 404" };
	put(sink, 5);
	put(sink, 5);
	assert_counters(sink, 0, 10, 0, 0);
	cr_assert_eq(lines, 1);
	cr_assert_str_eq(said[0], "fake at home: HTTP 404 (5 spans lost)");
	sink_free(sink);
}

Test(sink, partial_success_counts_the_rejected_and_is_not_retried)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	fake.answer = (struct send_report){ .result = SEND_PARTIAL, .rejected = 2, .message = "bad" };
	put(sink, 5);
	assert_counters(sink, 3, 2, 0, 0);
	fake.answer.rejected = 99;
	put(sink, 5);
	assert_counters(sink, 3, 7, 0, 0);
	cr_assert_eq(fake.sends, 2);
	sink_free(sink);
}

Test(sink, failing_one_waits_while_its_queue_fills_and_then_sends_in_order, .timeout = 30)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);
	uint64_t start = loop_now_ms();

	fake.answer = (struct send_report){ .result = SEND_RETRY, .message = "HTTP 503" };
	put(sink, 1);
	put(sink, 2);
	put(sink, 3);
	cr_assert_eq(fake.sends, 1, "nothing else is sent during the wait");
	assert_counters(sink, 0, 0, 0, 6);
	fake.answer.result = SEND_OK;
	while (!sink_idle(sink))
		loop_wait(&loop, 5000);
	cr_assert_geq(loop_now_ms() - start, 500);
	cr_assert_eq(fake.sizes[1], 10);
	cr_assert_eq(fake.sizes[3], 30);
	assert_counters(sink, 6, 0, 0, 0);
	cr_assert_eq(lines, 2);
	cr_assert_str_eq(said[0], "fake at home: HTTP 503, trying again (1 span waiting)");
	sink_free(sink);
}

Test(sink, wish_of_the_receiver_is_the_least_wait, .timeout = 30)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	fake.answer = (struct send_report){ .result = SEND_RETRY, .retry_after_ms = 5000 };
	put(sink, 1);
	sink_pump(sink, loop_now_ms() + 4900);
	cr_assert_eq(fake.sends, 1);
	fake.answer.result = SEND_OK;
	sink_pump(sink, loop_now_ms() + 5001);
	cr_assert_eq(fake.sends, 2);
	sink_free(sink);
}

Test(sink, total_time_over_means_failed)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 400);

	fake.answer = (struct send_report){ .result = SEND_RETRY, .message = "HTTP 503" };
	put(sink, 7);
	assert_counters(sink, 0, 7, 0, 0);
	cr_assert_str_eq(said[0], "fake at home: HTTP 503, gave up after 1 tries (7 spans lost)");
	put(sink, 7);
	cr_assert_eq(fake.sends, 1, "the pause holds for the next one too");
	assert_counters(sink, 0, 7, 0, 7);
	sink_free(sink);
}

Test(sink, full_queue_drops_the_oldest_while_one_hangs)
{
	struct sink *sink = open_sink((struct sink_limits){ .max_spans = 10 }, 0);

	fake.hold = true;
	put(sink, 4);
	for (int i = 0; i < 5; i++)
		put(sink, 5);
	assert_counters(sink, 0, 0, 15, 14);
	cr_assert_eq(lines, 1);
	fake.hold = false;
	fake_answer((struct send_report){ .result = SEND_OK });
	assert_counters(sink, 14, 0, 15, 0);
	sink_free(sink);
}

Test(sink, too_large_at_once_is_encoded_again_and_nothing_is_lost)
{
	struct sink *sink;

	transport_fake.max_payload_bytes = 4000;
	sink = open_sink((struct sink_limits){ 0 }, 0);
	fake.too_large_above = 1024;
	put(sink, 400);
	assert_counters(sink, 400, 0, 0, 0);
	fake.sends = 0;
	put(sink, 400);
	cr_assert_eq(fake.sizes[0], 1020, "learnt");
	assert_counters(sink, 800, 0, 0, 0);
	cr_assert_eq(lines, 0);
	put_spans_of(sink, 1, 1025);
	cr_assert_eq(sink_counters(sink).failed, 1);
	sink_free(sink);
}

Test(sink, too_large_later_is_lost_and_the_next_ones_are_smaller)
{
	struct sink *sink;

	transport_fake.max_payload_bytes = 4000;
	sink = open_sink((struct sink_limits){ 0 }, 0);
	fake.hold = true;
	put(sink, 400);
	fake.hold = false;
	fake_answer((struct send_report){ .result = SEND_TOO_LARGE, .message = "HTTP 413" });
	assert_counters(sink, 0, 400, 0, 0);
	put(sink, 400);
	cr_assert_eq(fake.sizes[1], 2000);
	assert_counters(sink, 400, 400, 0, 0);
	cr_assert_str_eq(said[0],
			 "fake at home: HTTP 413, next ones will be at most 2000 bytes (400 spans lost)");
	sink_free(sink);
}

Test(sink, stopping_tries_once_more_at_once_and_counts_what_is_left)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);
	uint64_t start = loop_now_ms();

	fake.answer = (struct send_report){ .result = SEND_RETRY };
	put(sink, 5);
	put(sink, 6);
	sink_stop(sink, loop_now_ms() + 100);
	cr_assert_eq(fake.sends, 2);
	while (!sink_idle(sink))
		loop_wait(&loop, 5000);
	assert_counters(sink, 0, 0, 11, 0);
	cr_assert_lt(loop_now_ms() - start, 400, "no waiting for a try that can never be");
	cr_assert_not(fake.open);
	put(sink, 3);
	assert_counters(sink, 0, 0, 14, 0);
	sink_free(sink);
}

Test(sink, stopping_cancels_what_hangs_at_the_deadline, .timeout = 20)
{
	struct sink *sink = open_sink((struct sink_limits){ 0 }, 0);

	fake.hold = true;
	put(sink, 5);
	sink_stop(sink, loop_now_ms() + 50);
	cr_assert_not(sink_idle(sink));
	while (!sink_idle(sink))
		loop_wait(&loop, 5000);
	assert_counters(sink, 0, 0, 5, 0);
	cr_assert_str_eq(said[0], "fake at home: no time left at the end (5 spans lost)");
	sink_free(sink);
}

Test(sink, successor_sends_what_a_dead_one_held)
{
	struct endpoint endpoint = { 0 };
	struct sink_limits limits = { .max_spans = 100, .max_bytes = 10000 };
	struct sink *sink;

	limits.region_bytes = sink_region_bytes(&transport_fake, &endpoint, &limits);
	limits.region =
		mmap(NULL, limits.region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sink = open_sink(limits, 0);
	fake.hold = true;
	put(sink, 5);
	put(sink, 6);
	/* The first worker is gone without a word. */
	fake.hold = false;
	fake.sends = 0;
	sink = open_sink(limits, 0);
	cr_assert_eq(fake.sends, 0);
	loop_wait(&loop, 0);
	cr_assert_eq(fake.sends, 2);
	cr_assert_eq(fake.sizes[0], 50);
	cr_assert_not(fake.maybe_sent);
	assert_counters(sink, 11, 0, 0, 0);
	sink_free(sink);
}

Test(sink, one_that_hangs_holds_up_no_other)
{
	struct sink *hangs = open_sink((struct sink_limits){ 0 }, 0),
		    *works = open_sink((struct sink_limits){ 0 }, 0);

	fake.hold = true;
	put(hangs, 5);
	fake.hold = false;
	put(works, 5);
	assert_counters(works, 5, 0, 0, 0);
	assert_counters(hangs, 0, 0, 0, 5);
	sink_free(hangs);
	sink_free(works);
}
