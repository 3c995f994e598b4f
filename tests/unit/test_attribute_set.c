/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/attribute_set.h"

#include <criterion/criterion.h>

#include "exporters/span/text.h"

static struct arena arena;
static struct attribute_set set;

static void set_up(void)
{
	arena_init(&arena);
	attribute_set_begin(&set, &arena, 128, UINT32_MAX);
}
static void tear_down(void) { arena_release(&arena); }
TestSuite(attribute_set, .init = set_up, .fini = tear_down);

Test(attribute_set, values_come_out_as_they_went_in)
{
	struct value items[2] = { { .type = VALUE_STRING, .string = SLICE("a") },
				  { .type = VALUE_STRING, .string = SLICE("b") } };
	struct attributes out;

	attribute_set_text(&set, SLICE("s"), SLICE("text"));
	attribute_set_int(&set, SLICE("i"), INT64_MIN);
	attribute_set_bool(&set, SLICE("b"), true);
	attribute_set_texts(&set, SLICE("a"), items, 2);
	out = attribute_set_end(&set);
	cr_assert_eq(out.n, 4);
	cr_expect(slice_is(out.items[0].value.string, "text"));
	cr_expect_eq(out.items[1].value.integer, INT64_MIN);
	cr_expect(out.items[2].value.type == VALUE_BOOL && out.items[2].value.boolean);
	cr_expect(out.items[3].value.type == VALUE_ARRAY && out.items[3].value.array.n == 2);
}

Test(attribute_set, above_the_limit_the_new_one_is_dropped_and_counted)
{
	attribute_set_begin(&set, &arena, 2, UINT32_MAX);
	for (int i = 0; i < 5; i++)
		attribute_set_int(&set, SLICE("k"), i);
	cr_expect_eq(attribute_set_end(&set).n, 2);
	cr_expect_eq(set.dropped, 3);
	attribute_set_begin(&set, &arena, UINT32_MAX, UINT32_MAX);
	for (unsigned int i = 0; i < ATTRIBUTES_MAX + 7; i++)
		attribute_set_int(&set, SLICE("k"), i);
	cr_expect_eq(attribute_set_end(&set).n, ATTRIBUTES_MAX);
	cr_expect_eq(set.dropped, 7);
}

Test(attribute_set, set_overwrites_also_when_the_limit_is_reached)
{
	attribute_set_begin(&set, &arena, 1, UINT32_MAX);
	attribute_set_put(&set, SLICE("k"), (struct value){ .type = VALUE_INT, .integer = 1 });
	attribute_set_put(&set, SLICE("k"), (struct value){ .type = VALUE_STRING, .string = SLICE("x") });
	attribute_set_put(&set, SLICE(""), (struct value){ .type = VALUE_INT });
	attribute_set_put(&set, SLICE("l"), (struct value){ .type = VALUE_INT });
	cr_expect_eq(set.n, 1);
	cr_expect_eq(set.dropped, 1);
	cr_expect(slice_is(set.items[0].value.string, "x"));
}

Test(attribute_set, values_are_cut_by_characters_not_by_bytes)
{
	struct value items[1] = { { .type = VALUE_STRING, .string = SLICE("\xe6\x9d\xb1\xe4\xba\xac!") } };

	attribute_set_begin(&set, &arena, 128, 2);
	attribute_set_text(&set, SLICE("a"), SLICE("abc"));
	attribute_set_text(&set, SLICE("b"), SLICE("\xc3\xa4\xc3\xb6\xc3\xbc"));
	attribute_set_text(&set, SLICE("c"), SLICE("\xf0\x9f\x9a\x80"));
	attribute_set_texts(&set, SLICE("d"), items, 1);
	attribute_set_put(&set, SLICE("e"), (struct value){ .type = VALUE_STRING, .string = SLICE("12345") });
	cr_expect(slice_is(set.items[0].value.string, "ab"));
	cr_expect(slice_is(set.items[1].value.string, "\xc3\xa4\xc3\xb6"));
	cr_expect(slice_is(set.items[2].value.string, "\xf0\x9f\x9a\x80"));
	cr_expect(slice_is(set.items[3].value.array.items[0].string, "\xe6\x9d\xb1\xe4\xba\xac"));
	cr_expect(slice_is(set.items[4].value.string, "12"));
	cr_expect_eq(text_cut(SLICE("abc"), 0).n, 0);
	cr_expect_eq(text_cut(SLICE("abc"), 3).n, 3);
}

Test(attribute_set, none_is_no_memory_asked_for)
{
	cr_expect_eq(attribute_set_end(&set).n, 0);
	cr_expect_not(arena.failed);
	cr_expect_eq(arena.total, 0);
}
