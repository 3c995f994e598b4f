/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/loop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct transport_loop loop;
static char order[32], a[] = "a", b[] = "b", c[] = "c", r[] = "r", x[] = "x", one[] = "1";

static void note(void *context) { memcpy(order + strlen(order), context, 2); }

static void note_ready(void *context, short revents)
{
	(void)revents;
	note(context);
}

static void set_up(void) { cr_assert_eq(loop_init(&loop, NULL, NULL), 0); }

TestSuite(loop, .init = set_up, .timeout = 20);

Test(loop, timers_run_soonest_first_and_once)
{
	struct loop_timer first = { 0 }, second = { 0 }, third = { 0 };
	uint64_t now = loop_now_ms();

	loop_timer_set(&loop, &third, now + 30, note, c);
	loop_timer_set(&loop, &first, now + 10, note, a);
	loop_timer_set(&loop, &second, now + 20, note, b);
	while (!strchr(order, 'c'))
		loop_wait(&loop, 10000);
	cr_assert_str_eq(order, "abc");
	cr_assert_geq(loop_now_ms(), now + 30);
	loop_wait(&loop, 0);
	cr_assert_str_eq(order, "abc");
}

Test(loop, timer_can_be_moved_and_cancelled)
{
	struct loop_timer first = { 0 }, second = { 0 };
	uint64_t now = loop_now_ms();

	loop_timer_set(&loop, &first, now, note, a);
	loop_timer_set(&loop, &second, now, note, b);
	loop_timer_set(&loop, &first, now + 100000, note, a);
	loop_timer_cancel(&loop, &first);
	loop_timer_cancel(&loop, &first);
	loop_wait(&loop, 0);
	cr_assert_str_eq(order, "b");
}

static struct loop_timer again;

static void set_again(void *context)
{
	note(context);
	if (strlen(order) < 3)
		loop_timer_set(&loop, &again, loop_now_ms(), set_again, context);
}

Test(loop, timer_may_set_itself_again)
{
	loop_timer_set(&loop, &again, 0, set_again, x);
	while (strlen(order) < 3)
		loop_wait(&loop, 10000);
	cr_assert_str_eq(order, "xxx");
}

static void ready_pipe(bool network, const char *bytes, bool hang_up)
{
	int p[2];

	cr_assert_eq(pipe(p), 0);
	if (network)
		cr_assert_eq(loop_start_network(&loop), 0);
	cr_assert_eq(loop_add_fd(&loop, p[0], note_ready, r), 0);
	loop_wait(&loop, 0);
	cr_assert_str_eq(order, "");
	cr_assert_eq(write(p[1], bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	if (hang_up)
		close(p[1]);
	loop_wait(&loop, 10000);
	cr_assert_str_eq(order, "r");
	loop_remove_fd(&loop, p[0]);
	loop_wait(&loop, 0);
	cr_assert_str_eq(order, "r");
	loop_release(&loop);
}

Test(loop, readable_descriptor_is_told) { ready_pipe(false, "x", false); }

Test(loop, readable_descriptor_is_told_beside_libcurl) { ready_pipe(true, "x", false); }

Test(loop, hang_up_is_told) { ready_pipe(false, "", true); }

Test(loop, hang_up_is_told_beside_libcurl) { ready_pipe(true, "", true); }

static int pipes[2][2];

static void remove_the_other(void *context, short revents)
{
	(void)revents;
	note(one);
	loop_remove_fd(&loop, *(int *)context);
}

Test(loop, watch_that_an_earlier_callback_removed_is_not_called)
{
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(pipe(pipes[i]), 0);
		cr_assert_eq(write(pipes[i][1], "x", 1), 1);
	}
	loop_add_fd(&loop, pipes[0][0], remove_the_other, &pipes[1][0]);
	loop_add_fd(&loop, pipes[1][0], remove_the_other, &pipes[0][0]);
	loop_wait(&loop, 1000);
	cr_assert_str_eq(order, "1");
}

Test(loop, more_watches_than_there_is_room_for_are_refused)
{
	for (int i = 0; i < LOOP_WATCHES; i++)
		cr_assert_eq(loop_add_fd(&loop, 0, note_ready, x), 0);
	cr_assert_eq(loop_add_fd(&loop, 0, note_ready, x), -ENOSPC);
	loop_remove_fd(&loop, 0);
	cr_assert_eq(loop_add_fd(&loop, 0, note_ready, x), 0);
}

Test(loop, is_quiet_while_nothing_but_the_own_watches_can_end_a_wait)
{
	struct loop_timer timer = { 0 };

	cr_assert(loop_is_quiet(&loop, 0));
	loop_add_fd(&loop, 0, note_ready, x);
	cr_assert(loop_is_quiet(&loop, 1));
	cr_assert_not(loop_is_quiet(&loop, 0));
	loop_timer_set(&loop, &timer, loop_now_ms() + 3600000, note, one);
	cr_assert(loop_is_quiet(&loop, 1));
	cr_assert_eq(loop_until_timer(&loop, 5), 5);
	loop_timer_set(&loop, &timer, 0, note, one);
	cr_assert_eq(loop_until_timer(&loop, 5), 0);
}

static void ignore(int number) { (void)number; }

Test(loop, signal_ends_the_wait)
{
	struct loop_timer timer = { 0 };

	signal(SIGALRM, ignore);
	alarm(1);
	loop_timer_set(&loop, &timer, loop_now_ms() + 60000, note, x);
	cr_assert_eq(loop_wait(&loop, 60000), 0);
	cr_assert_str_eq(order, "");
}

Test(loop, broken_pipe_is_an_error_and_not_a_death)
{
	int p[2];

	cr_assert_eq(pipe(p), 0);
	close(p[0]);
	cr_assert_eq(write(p[1], "x", 1), -1);
	cr_assert_eq(errno, EPIPE);
}
