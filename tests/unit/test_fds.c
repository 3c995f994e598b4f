/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>

#include "shim/exchange.h"
#include "shim/fds.h"
#include "shim/shim.h"
#include "tests/lib/traced.h"

static void begin(void)
{
	traced_table(64);
	atomic_store(&shim_mode, SHIM_ACTIVE);
}

static struct conn *follow(int fd)
{
	uint32_t index = conn_new(CONN_SERVER);

	cr_assert(fd_set_entry(fd, fd_entry_of_conn(index)), "%d", fd);
	return conn_at(index);
}

Test(fds, any_number_may_be_a_connection, .init = begin)
{
	static const int numbers[] = { 0, 1023, 1024, 65535, 65536, 1 << 22, INT_MAX };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct conn *c = follow(numbers[i]);

		cr_expect(shim_tracks(numbers[i]), "%d", numbers[i]);
		cr_expect_eq(fd_index(fd_get(numbers[i])), c->index);
		fd_forget(numbers[i]);
		cr_expect(!shim_tracks(numbers[i]), "%d", numbers[i]);
	}
}

Test(fds, negative_numbers_are_nobodys, .init = begin)
{
	static const int numbers[] = { -1, INT_MIN, AT_FDCWD };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		cr_expect(!fd_set_entry(numbers[i], 1));
		cr_expect(!shim_tracks(numbers[i]));
		cr_expect_eq(fd_get(numbers[i]), 0);
	}
}

Test(fds, a_range_closes_what_is_in_it_and_no_more, .init = begin)
{
	follow(5);
	follow(6);
	follow(100000);
	shim_closing_range(6, UINT_MAX);
	cr_expect(shim_tracks(5));
	cr_expect(!shim_tracks(6));
	cr_expect(!shim_tracks(100000));
	shim_closing_range(0, 5);
	cr_expect(!shim_tracks(5));
}
