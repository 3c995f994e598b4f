/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/retry.h"

#include <criterion/criterion.h>

Test(retry, delays_grow_by_half_up_to_the_cap)
{
	uint32_t last = 0;

	for (uint32_t tries = 1; tries < 40; tries++) {
		uint32_t middle = retry_delay_ms(tries, 1u << 31);

		cr_assert_geq(middle, last);
		cr_assert_leq(middle, RETRY_MAX_MS);
		last = middle;
	}
	cr_assert_eq(retry_delay_ms(1, 1u << 31), RETRY_FIRST_MS);
	cr_assert_eq(retry_delay_ms(2, 1u << 31), 1500);
	cr_assert_eq(last, RETRY_MAX_MS);
}

Test(retry, jitter_spreads_over_half_to_one_and_a_half)
{
	cr_assert_eq(retry_delay_ms(1, 0), 500);
	cr_assert_eq(retry_delay_ms(1, UINT32_MAX), 1499);
	cr_assert_eq(retry_delay_ms(UINT32_MAX, UINT32_MAX), 14999);
}

Test(retry, receivers_wish_is_the_least_wait)
{
	cr_assert_eq(retry_due_ms(5000, 5000, 0, 1, 7000, 0), 12000);
	cr_assert_eq(retry_due_ms(5000, 5000, 0, 1, 100, 0), 5500);
}

Test(retry, gives_up_when_the_next_try_would_pass_the_total_time)
{
	cr_assert_eq(retry_due_ms(60000, 0, 60499, 1, 0, 0), 0);
	cr_assert_eq(retry_due_ms(60000, 0, 60500, 1, 0, 0), 60500);
	cr_assert_eq(retry_due_ms(0, 0, 0, 1, RETRY_TOTAL_MS + 1, 0), 0);
	cr_assert_neq(retry_due_ms(1000, 2000, 1000, 1, 0, 0), 0, "a clock of another process may be ahead");
}
