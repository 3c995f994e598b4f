/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/utf8.h"

#define FFFD "\xef\xbf\xbd"

static const struct {
	struct slice bytes;
	const char *repaired;
} cases[] = {
	{ SLICE("plain"), "plain" },
	{ SLICE("Gr\xc3\xbc\xc3\x9f"
		"e \xe6\x9d\xb1 \xf0\x9f\x9a\x80"),
	  "Gr\xc3\xbc\xc3\x9f"
	  "e \xe6\x9d\xb1 \xf0\x9f\x9a\x80" },
	{ SLICE("\xff"), FFFD },
	{ SLICE("a\x80z"), "a" FFFD "z" },
	{ SLICE("\xc0\xaf"), FFFD FFFD },                   /* overlong / */
	{ SLICE("\xe0\x80\xaf"), FFFD FFFD FFFD },          /* overlong */
	{ SLICE("\xed\xa0\x80"), FFFD FFFD FFFD },          /* surrogate */
	{ SLICE("\xf4\x90\x80\x80"), FFFD FFFD FFFD FFFD }, /* above U+10FFFF */
	{ SLICE("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf" },  /* U+10FFFF */
	{ SLICE("\xf0\x9f\x9a"), FFFD },                    /* cut off: one for the part */
	{ SLICE("\xf0\x9f\x9a x"), FFFD " x" },
	{ SLICE("\xe6\x9d"), FFFD },
	{ SLICE("\xe6x"), FFFD "x" },
	{ SLICE("\xc3"), FFFD },
	/* Unicode 3.9, table 3-8 */
	{ SLICE("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64"),
	  "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d" },
	{ SLICE("eight---\xff-eight---"), "eight---" FFFD "-eight---" },
};

Test(utf8, repairs_each_maximal_part_with_one_replacement)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena a;
		struct buf b;
		struct slice repaired;

		arena_init(&a);
		buf_init(&b);
		repaired = utf8_repair(&a, cases[i].bytes);
		buf_add_utf8(&b, cases[i].bytes);
		cr_assert(slice_is(repaired, cases[i].repaired), "case %zu", i);
		cr_assert(slice_is((struct slice){ b.p, b.n }, cases[i].repaired), "case %zu", i);
		cr_assert(utf8_valid(repaired));
		cr_assert_eq(utf8_valid(cases[i].bytes), slice_is(cases[i].bytes, cases[i].repaired),
			     "case %zu", i);
		arena_release(&a);
		buf_release(&b);
	}
}

Test(utf8, valid_text_is_not_copied)
{
	struct arena a;
	struct slice s = SLICE("\xf0\x9f\x9a\x80");

	arena_init(&a);
	cr_assert_eq(utf8_repair(&a, s).p, s.p);
	cr_assert_eq(a.total, 0);
}

Test(utf8, is_ascii_sees_a_high_byte_at_every_place)
{
	char text[40];

	for (size_t n = 0; n <= sizeof(text); n++) {
		memset(text, 'a', sizeof(text));
		cr_assert(utf8_is_ascii((struct slice){ text, n }), "%zu", n);
		for (size_t i = 0; i < sizeof(text); i++) {
			text[i] = (char)0x80;
			cr_assert_eq(utf8_is_ascii((struct slice){ text, n }), i >= n, "%zu of %zu", i, n);
			text[i] = 'a';
		}
	}
}

/* All sequences of up to three bytes after a few first ones: agrees with the definition by decoding. */
static bool well_formed(const uint8_t *p, size_t n, int *length)
{
	uint32_t code;

	if (p[0] < 0x80) {
		*length = 1;
		return true;
	}
	*length = p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
	if (*length == 0 || (size_t)*length > n)
		return false;
	code = p[0] & (0x7f >> *length);
	for (int i = 1; i < *length; i++) {
		if (p[i] >> 6 != 2)
			return false;
		code = code << 6 | (p[i] & 0x3f);
	}
	return code >= (*length == 2   ? 0x80u
			: *length == 3 ? 0x800u
				       : 0x10000u) &&
	       code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
}

Test(utf8, next_agrees_with_decoding_for_every_three_bytes)
{
	for (uint32_t i = 0; i < 1u << 24; i += i % 7 + 1) {
		uint8_t p[4] = { (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0x80 };
		int length, got = utf8_next((const char *)p, 4);

		if (well_formed(p, 4, &length))
			cr_assert_eq(got, length, "%02x %02x %02x", p[0], p[1], p[2]);
		else
			cr_assert(got < 0 && got >= -3, "%02x %02x %02x", p[0], p[1], p[2]);
	}
}

Test(utf8, cut_ends_between_characters)
{
	struct slice s = SLICE("a\xc3\xbc\xe6\x9d\xb1\xf0\x9f\x9a\x80");
	static const size_t kept[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	for (size_t max = 0; max < sizeof(kept) / sizeof(*kept); max++)
		cr_assert_eq(utf8_cut(s, max), kept[max], "at %zu", max);
}

Test(utf8, cut_of_no_text_keeps_as_much_as_allowed)
{
	cr_assert_eq(utf8_cut(SLICE("\x80\x80\x80\x80\x80\x80\x80\x80"), 5), 5);
	cr_assert_eq(utf8_cut((struct slice){ NULL, 0 }, 0), 0);
}
