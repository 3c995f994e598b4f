/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/session/unix_time.h"

#define S     UINT64_C(1000000000)
#define EPOCH (UINT64_C(1700000000) * S) /* when the machine was booted */
#define NIGHT (8 * 3600 * S)

/* Unix time of what ended then, as a look at that moment would have it. */
static uint64_t unix_of(const struct unix_time *u, uint64_t end)
{
	return end + (uint64_t)unix_time_offset(u, end);
}

Test(unix_time, a_clock_that_is_set_right_is_right_for_what_waited)
{
	struct unix_time u = { 0 };

	unix_time_look(&u, 100 * S, 100 * S, EPOCH + 100 * S - 3600 * S);
	unix_time_look(&u, 101 * S, 101 * S, EPOCH + 101 * S);
	cr_assert_eq(unix_of(&u, 99 * S), EPOCH + 99 * S);
	cr_assert_eq(unix_of(&u, 101 * S), EPOCH + 101 * S);
}

Test(unix_time, what_ended_before_a_suspend_stays_before_it)
{
	struct unix_time u = { 0 };

	unix_time_look(&u, 100 * S, 100 * S, EPOCH + 100 * S);
	unix_time_look(&u, 101 * S, 101 * S + NIGHT, EPOCH + 101 * S + NIGHT);
	cr_assert_eq(unix_of(&u, 99 * S), EPOCH + 99 * S);
	cr_assert_eq(unix_of(&u, 100 * S), EPOCH + 100 * S);
	cr_assert_eq(unix_of(&u, 101 * S), EPOCH + 101 * S + NIGHT);
	/* and at later looks */
	unix_time_look(&u, 102 * S, 102 * S + NIGHT, EPOCH + 102 * S + NIGHT);
	cr_assert_eq(unix_of(&u, 100 * S), EPOCH + 100 * S);
	cr_assert_eq(unix_of(&u, 102 * S), EPOCH + 102 * S + NIGHT);
}

Test(unix_time, suspends_before_the_first_look_do_not_matter)
{
	struct unix_time u = { 0 };

	unix_time_look(&u, 100 * S, 100 * S + NIGHT, EPOCH + 100 * S + NIGHT);
	cr_assert_eq(unix_of(&u, 99 * S), EPOCH + 99 * S + NIGHT);
}

Test(unix_time, time_between_the_questions_is_no_suspend)
{
	struct unix_time u = { 0 };

	unix_time_look(&u, 100 * S, 100 * S, EPOCH + 100 * S);
	unix_time_look(&u, 101 * S, 101 * S + 2000000, EPOCH + 101 * S);
	cr_assert_eq(unix_of(&u, 99 * S), EPOCH + 99 * S);
}

Test(unix_time, the_clocks_of_this_machine_are_asked)
{
	struct unix_time u = { 0 };

	unix_time_read(&u);
	cr_assert_gt(unix_of(&u, u.seen), EPOCH);
	cr_assert_eq(u.missed, 0);
}
