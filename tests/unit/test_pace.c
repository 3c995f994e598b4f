/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/pace.h"

#include <criterion/criterion.h>

enum { DATAGRAM = 65000, SMALL = 1400 };

/* Sends for so many milliseconds as fast as it may, late by up to `late` each time; the bytes that went. */
static uint64_t press(struct pace *p, uint64_t *now, uint64_t ms, uint64_t size, uint64_t late)
{
	uint64_t end = *now + ms, sent = 0;

	for (;;) {
		uint64_t wait = pace_wait_ms(p, *now, size);

		if (*now + wait > end)
			return sent;
		*now += wait ? wait + late : 0;
		cr_assert_eq(pace_wait_ms(p, *now, size), 0, "the wait is enough");
		pace_sent(p, size);
		sent += size;
	}
}

Test(pace, one_large_datagram_goes_at_once)
{
	struct pace p = { 0 };

	cr_assert_eq(pace_wait_ms(&p, 1000, 65507), 0);
	pace_sent(&p, 65507);
	cr_assert_gt(pace_wait_ms(&p, 1000, 65507), 0);
}

/* 208 KiB less the burst, at the first rate: what an agent that waits for a CPU can hold. */
Test(pace, buffer_of_a_stalled_receiver_holds_the_first_50_milliseconds)
{
	const uint64_t sizes[] = { SMALL, DATAGRAM };

	for (int i = 0; i < 2; i++) {
		struct pace p = { 0 };
		uint64_t now = 1000, sent = press(&p, &now, 50, sizes[i], 0);

		cr_assert_gt(sent, 60000);
		cr_assert_leq(sent / sizes[i] * pace_cost(sizes[i]), 208 * 1024);
	}
}

Test(pace, rate_grows_under_pressure_and_is_bounded)
{
	struct pace p = { 0 };
	uint64_t now = 1000, first = press(&p, &now, 100, DATAGRAM, 0), last;

	press(&p, &now, 2000, DATAGRAM, 0);
	last = press(&p, &now, 1000, DATAGRAM, 0);
	cr_assert_lt(first, (uint64_t)100 * 4 * 1024);
	cr_assert_gt(last, (uint64_t)600 * 32 * 1024);
	cr_assert_leq(last, (uint64_t)1000 * 32 * 1024 + DATAGRAM);
}

Test(pace, timers_that_are_late_do_not_keep_it_slow)
{
	struct pace p = { 0 };
	uint64_t now = 1000;

	press(&p, &now, 4000, DATAGRAM, 1);
	cr_assert_gt(press(&p, &now, 1000, DATAGRAM, 1), (uint64_t)1000 * 8 * 1024);
}

Test(pace, idle_time_makes_it_slow_again)
{
	struct pace p = { 0 };
	uint64_t now = 1000;

	press(&p, &now, 2000, SMALL, 0);
	now += 2000;
	cr_assert_lt(press(&p, &now, 50, SMALL, 0), 208 * 1024);
}

Test(pace, clock_that_stands_still_or_steps_back_does_no_harm)
{
	struct pace p = { 0 };

	cr_assert_eq(pace_wait_ms(&p, 1000, 1000), 0);
	pace_sent(&p, PACE_BURST);
	cr_assert_eq(pace_wait_ms(&p, 999, 1), 3);
}
