/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shim/exchange.h"
#include "shim/fds.h"
#include "shim/shim.h"
#include "tests/lib/traced.h"

/*
 * A connection that is not followed any more costs what one costs that never was: all that
 * a hook asks then is shim_tracks().
 */

#define FD 7

static void begin(void)
{
	traced_table(64);
	cr_assert(fd_set_entry(FD, fd_entry_of_conn(conn_new(CONN_SERVER))));
}

static void moved(enum shim_direction direction, const char *p, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	shim_moved(FD, direction, &iov, 1, (ssize_t)n);
}

static void expect_untracked_after(const char *what)
{
	cr_assert(shim_tracks(FD));
	moved(SHIM_IN, what, strlen(what));
	moved(SHIM_IN, "x", 1); /* the first call that finds it opaque forgets it */
	cr_expect(!shim_tracks(FD), "still tracked after %s", what);
}

Test(opaque, a_protocol_that_is_none_of_ours_is_untracked_at_its_second_call, .init = begin)
{
	expect_untracked_after("*1\r\n$4\r\nPING\r\n");
}

Test(opaque, tls_is_untracked_at_its_second_call, .init = begin) { expect_untracked_after("\x16\x03\x01"); }

Test(opaque, an_upgraded_connection_is_untracked, .init = begin)
{
	static const char get[] = "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
	static const char answer[] = "HTTP/1.1 101 X\r\n\r\n";

	moved(SHIM_IN, get, sizeof(get) - 1);
	moved(SHIM_OUT, answer, sizeof(answer) - 1);
	expect_untracked_after("frame");
}

Test(opaque, letters_for_ever_are_given_up_after_a_bounded_look, .init = begin)
{
	for (int i = 0; i < 40; i++)
		moved(SHIM_IN, "A", 1);
	cr_expect(!shim_tracks(FD));
}

Test(opaque, half_a_proxy_header_is_given_up_when_it_becomes_none, .init = begin)
{
	for (const char *p = "PROXY TCP9 "; *p; p++)
		moved(SHIM_IN, p, 1);
	for (int i = 0; i < 120; i++)
		moved(SHIM_IN, "x", 1);
	cr_expect(!shim_tracks(FD));
}
