/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/encode/thrift.h"

static struct buf b;

static void setup(void) { buf_init(&b); }

static void teardown(void) { buf_release(&b); }

TestSuite(thrift, .init = setup, .fini = teardown);

static struct thrift writer(bool compact)
{
	buf_clear(&b);
	return (struct thrift){ .out = &b, .compact = compact };
}

#define cr_assert_bytes(literal)                                     \
	do {                                                         \
		cr_assert_eq(b.n, sizeof(literal) - 1, "%zu", b.n);  \
		cr_assert_arr_eq(b.p, literal, sizeof(literal) - 1); \
	} while (0)

Test(thrift, compact_numbers_are_zigzag_varints)
{
	struct thrift t = writer(true);

	thrift_i64(&t, 1, 0);
	thrift_i64(&t, 2, -1);
	thrift_i64(&t, 3, 1);
	thrift_i32(&t, 4, -64);
	thrift_i32(&t, 5, 64);
	thrift_i64(&t, 6, INT64_MIN);
	thrift_i64(&t, 7, INT64_MAX);
	thrift_i32(&t, 8, INT32_MIN);
	cr_assert_bytes("\x16\x00\x16\x01\x16\x02\x15\x7f\x15\x80\x01"
			"\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
			"\x16\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
			"\x15\xff\xff\xff\xff\x0f");
}

Test(thrift, compact_header_tells_the_step_from_the_last_field)
{
	struct thrift t = writer(true);
	uint8_t outer, inner;

	outer = thrift_item(&t);
	thrift_i32(&t, 3, 1);
	inner = thrift_struct(&t, 5);
	thrift_bool(&t, 1, true);
	thrift_bool(&t, 15, false);
	thrift_end(&t, inner);
	thrift_i32(&t, 6, 1); /* one after the struct, not after what was in it */
	thrift_end(&t, outer);
	cr_assert_bytes("\x35\x02\x2c\x11\xe2\x00\x15\x02\x00");
}

Test(thrift, compact_strings_and_doubles)
{
	struct thrift t = writer(true);

	thrift_string(&t, 1, SLICE("svc"));
	thrift_string(&t, 2, SLICE(""));
	thrift_double(&t, 3, 0.5);
	thrift_string(&t, 4, SLICE("\xff"));
	cr_assert_bytes("\x18\x03svc\x18\x00\x17\x00\x00\x00\x00\x00\x00\xe0\x3f\x18\x03\xef\xbf\xbd");
}

Test(thrift, compact_lists_of_fifteen_take_the_long_form)
{
	struct thrift t = writer(true);

	thrift_list(&t, 1, 0);
	thrift_list(&t, 2, 14);
	thrift_list(&t, 3, 15);
	thrift_list(&t, 4, 128);
	cr_assert_bytes("\x19\x0c\x19\xec\x19\xfc\x0f\x19\xfc\x80\x01");
	cr_assert_eq(thrift_list_size(&t, 14), 1);
	cr_assert_eq(thrift_list_size(&t, 127), 2);
	cr_assert_eq(thrift_list_size(&t, 128), 3);
}

Test(thrift, binary_is_big_endian_and_of_fixed_width)
{
	struct thrift t = writer(false);
	uint8_t outer;

	thrift_i32(&t, 1, -2);
	thrift_i64(&t, 2, 1);
	thrift_bool(&t, 3, true);
	thrift_bool(&t, 4, false);
	thrift_double(&t, 5, 0.5);
	thrift_string(&t, 6, SLICE("svc"));
	thrift_list(&t, 7, 2);
	outer = thrift_struct(&t, 8);
	thrift_end(&t, outer);
	cr_assert_bytes("\x08\x00\x01\xff\xff\xff\xfe\x0a\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01"
			"\x02\x00\x03\x01\x02\x00\x04\x00\x04\x00\x05\x3f\xe0\x00\x00\x00\x00\x00\x00"
			"\x0b\x00\x06\x00\x00\x00\x03svc\x0f\x00\x07\x0c\x00\x00\x00\x02\x0c\x00\x08\x00");
}

Test(thrift, messages_are_oneway)
{
	struct thrift t = writer(true);

	thrift_message(&t, SLICE("emitBatch"));
	cr_assert_bytes("\x82\x81\x00\x09"
			"emitBatch");
	t = writer(false);
	thrift_message(&t, SLICE("emitBatch"));
	cr_assert_bytes("\x80\x01\x00\x04\x00\x00\x00\x09"
			"emitBatch"
			"\x00\x00\x00\x00");
}

Test(thrift, string_from_the_tail_is_the_string)
{
	struct thrift t = writer(true);

	thrift_i32(&t, 2, 0);
	buf_add_text(&b, "[1]");
	thrift_string_from_tail(&t, 3, 2);
	cr_assert_bytes("\x25\x00\x18\x03[1]");
	t = writer(false);
	buf_add_text(&b, "[1]");
	thrift_string_from_tail(&t, 3, 0);
	cr_assert_bytes("\x0b\x00\x03\x00\x00\x00\x03[1]");
}
