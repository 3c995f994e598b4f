/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/base/base64.h"

static struct buf b;

static void setup(void) { buf_init(&b); }

static void teardown(void) { buf_release(&b); }

TestSuite(base64, .init = setup, .fini = teardown);

/* RFC 4648, section 10, and the forms without padding. */
Test(base64, decodes_with_and_without_padding)
{
	static const char *const cases[][2] = { { "", "" },
						{ "Zg==", "f" },
						{ "Zg", "f" },
						{ "Zm8=", "fo" },
						{ "Zm8", "fo" },
						{ "Zm9v", "foo" },
						{ "Zm9vYg", "foob" },
						{ "Zm9vYmE=", "fooba" },
						{ "Zm9vYmFy", "foobar" },
						{ "-_-_", "\xfb\xff\xbf" },
						{ "+/+/", "\xfb\xff\xbf" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&b);
		cr_assert(base64_decode(&b, slice_of(cases[i][0])), "%s", cases[i][0]);
		cr_assert(slice_is((struct slice){ b.p, b.n }, cases[i][1]), "%s", cases[i][0]);
	}
}

Test(base64, refuses_what_is_none_and_appends_nothing)
{
	static const char *const bad[] = { "A", "AAAAA", "AB C", "Zm9v!", "Z===m9v", "\xff\xff\xff\xff" };

	buf_add_text(&b, "before");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_not(base64_decode(&b, slice_of(bad[i])), "%s", bad[i]);
		cr_assert_eq(b.n, 6);
	}
}
