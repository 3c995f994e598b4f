/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/arena.h"

Test(arena, pieces_are_aligned_and_do_not_overlap)
{
	struct arena a;
	uint8_t *pieces[3000];

	arena_init(&a);
	for (size_t i = 0; i < 3000; i++) {
		pieces[i] = arena_take(&a, i + 1);
		cr_assert_not_null(pieces[i]);
		cr_assert_eq((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)(i & 0xff), i + 1);
	}
	for (size_t i = 0; i < 3000; i++)
		for (size_t j = 0; j <= i; j++)
			cr_assert_eq(pieces[i][j], i & 0xff);
	arena_release(&a);
}

Test(arena, copy_and_printf_own_their_bytes)
{
	char text[] = "path";
	struct arena a;
	struct slice copy, number;

	arena_init(&a);
	copy = arena_copy(&a, slice_of(text));
	number = arena_printf(&a, "%s:%d", text, 80);
	memset(text, 'x', 4);
	cr_assert(slice_is(copy, "path"));
	cr_assert(slice_is(number, "path:80"));
	cr_assert_eq(arena_copy(&a, (struct slice){ NULL, 0 }).n, 0);
	cr_assert_not(a.failed);
	arena_release(&a);
}

Test(arena, clear_keeps_the_largest_block_for_the_next_batch)
{
	struct arena a;
	size_t kept;

	arena_init(&a);
	for (int i = 0; i < 100; i++)
		arena_take(&a, 20000);
	kept = a.total;
	arena_clear(&a);
	cr_assert_geq(a.total, kept / 2 - 16384);
	cr_assert_lt(a.total, kept);
	kept = a.total;
	cr_assert_not_null(arena_take(&a, kept));
	cr_assert_eq(a.total, kept, "taken again from the same block");
	arena_release(&a);
	cr_assert_eq(a.total, 0);
}

Test(arena, no_memory_is_remembered_until_cleared)
{
	struct arena a;

	arena_init(&a);
	cr_assert_null(arena_take(&a, SIZE_MAX));
	cr_assert_null(arena_take(&a, SIZE_MAX / 2));
	cr_assert_not_null(arena_take(&a, 1));
	cr_assert(a.failed);
	arena_clear(&a);
	cr_assert_not(a.failed);
	arena_release(&a);
}
