/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>

#include "exporters/base/buf.h"

static struct slice whole(const struct buf *b) { return (struct slice){ b->p, b->n }; }

#define cr_assert_buf(b, text) cr_assert(slice_is(whole(&(b)), text), "got \"%.*s\"", (int)(b).n, (b).p)

Test(buf, grows_over_many_small_additions)
{
	struct buf b;

	buf_init(&b);
	for (int i = 0; i < 100000; i++)
		buf_add_byte(&b, (uint8_t)i);
	cr_assert_eq(b.n, 100000);
	for (int i = 0; i < 100000; i++)
		cr_assert_eq((uint8_t)b.p[i], (uint8_t)i);
	cr_assert_not(b.failed);
	buf_release(&b);
	cr_assert_null(b.p);
}

Test(buf, adds_texts_numbers_and_hex)
{
	static const uint8_t id[] = { 0x00, 0xf1, 0x9a };
	struct buf b;

	buf_init(&b);
	buf_add_text(&b, "a");
	buf_add_slice(&b, SLICE("bc"));
	buf_add_u64(&b, UINT64_MAX);
	buf_add_byte(&b, ' ');
	buf_add_i64(&b, INT64_MIN);
	buf_add_byte(&b, ' ');
	buf_add_hex(&b, id, sizeof(id));
	buf_printf(&b, " %s=%05d", "n", 42);
	cr_assert_buf(b, "abc18446744073709551615 -9223372036854775808 00f19a n=00042");
	buf_release(&b);
}

Test(buf, insert_moves_what_is_behind)
{
	struct buf b;

	buf_init(&b);
	buf_add_text(&b, "ad");
	buf_insert(&b, 1, "bc", 2);
	buf_insert(&b, 4, "e", 1);
	buf_insert(&b, 0, "", 0);
	cr_assert_buf(b, "abcde");
	buf_release(&b);
}

Test(buf, repeat_survives_the_move_of_the_memory)
{
	struct buf b;

	buf_init(&b);
	buf_add_text(&b, "xabcdefgh");
	while (b.n < 100000)
		buf_repeat(&b, 1, 8);
	for (size_t i = 1; i < b.n; i++)
		cr_assert_eq(b.p[i], "abcdefgh"[(i - 1) % 8]);
	buf_release(&b);
}

Test(buf, printf_longer_than_the_buffer_is_whole)
{
	struct buf b;

	buf_init(&b);
	buf_printf(&b, "%3000d", 7);
	cr_assert_eq(b.n, 3000);
	cr_assert_eq(b.p[2999], '7');
	buf_printf(&b, "%s", "");
	cr_assert_eq(b.n, 3000);
	buf_release(&b);
}

Test(buf, clear_keeps_memory_and_truncate_never_grows)
{
	struct buf b;
	size_t size;

	buf_init(&b);
	buf_add_text(&b, "hello");
	size = b.size;
	buf_truncate(&b, 9);
	cr_assert_eq(b.n, 5);
	buf_truncate(&b, 2);
	cr_assert_buf(b, "he");
	buf_clear(&b);
	cr_assert_eq(b.n, 0);
	cr_assert_eq(b.size, size);
	buf_release(&b);
}

Test(buf, out_of_memory_drops_what_follows_until_cleared)
{
	struct buf b;

	buf_init(&b);
	buf_add_text(&b, "kept");
	cr_assert_not(buf_reserve(&b, SIZE_MAX));
	cr_assert_not(buf_reserve(&b, (size_t)PTRDIFF_MAX - 4));
	cr_assert(b.failed);
	buf_add_byte(&b, 'x');
	buf_add_text(&b, "y");
	buf_add_u64(&b, 1);
	buf_add_hex(&b, (const uint8_t *)"z", 1);
	buf_printf(&b, "%d", 3);
	cr_assert_buf(b, "kept");
	buf_clear(&b);
	cr_assert_not(b.failed);
	buf_add_byte(&b, 'x');
	cr_assert_buf(b, "x");
	buf_release(&b);
}
