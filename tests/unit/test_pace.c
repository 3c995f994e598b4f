/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/pace.h"

#include <criterion/criterion.h>

Test(pace, burst_goes_at_once_and_the_rest_at_the_rate)
{
	struct pace p = { 0 };
	uint64_t now = 1000, sent = 0;

	while (pace_wait_ms(&p, now, 65000) == 0) {
		pace_sent(&p, 65000);
		sent += 65000;
	}
	cr_assert_eq(sent, 130000);
	for (int i = 0; i < 1000; i++) {
		uint64_t wait = pace_wait_ms(&p, now, 65000);

		cr_assert_leq(wait, 2);
		now += wait;
		cr_assert_eq(pace_wait_ms(&p, now, 65000), 0, "the wait is enough");
		pace_sent(&p, 65000);
		sent += 65000;
		cr_assert_leq(sent, PACE_BURST + 65000 + (now - 1000) * PACE_PER_MS);
	}
}

Test(pace, clock_that_stands_still_or_steps_back_does_no_harm)
{
	struct pace p = { 0 };

	cr_assert_eq(pace_wait_ms(&p, 1000, 1000), 0);
	pace_sent(&p, PACE_BURST);
	cr_assert_eq(pace_wait_ms(&p, 999, 1), 1);
}
