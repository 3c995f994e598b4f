/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>

#include "exporters/encode/json.h"
#include "tests/lib/json_tree.h"
#include "tests/lib/sample_spans.h"

static struct buf b;

static void setup(void) { buf_init(&b); }

static void teardown(void) { buf_release(&b); }

TestSuite(json, .init = setup, .fini = teardown);

#define cr_assert_json(text) \
	cr_assert(slice_is((struct slice){ b.p, b.n }, text), "got %.*s, wanted %s", (int)b.n, b.p, text)

Test(json, string_escapes_what_has_to_be_and_no_more)
{
	json_string(&b, SLICE("q\"b\\s/n\nr\rt\tb\bf\fnul\0one\x01us\x1f del\x7f"));
	cr_assert_json("\"q\\\"b\\\\s/n\\nr\\rt\\tb\\u0008f\\u000cnul\\u0000one\\u0001us\\u001f del\x7f\"");
}

Test(json, string_keeps_utf8_and_repairs_the_rest)
{
	json_string(&b, SLICE("Gr\xc3\xbc\xc3\x9f"
			      "e \xe2\x80\xa8 \xf0\x9f\x9a\x80 \xff\xc3"));
	cr_assert_json("\"Gr\xc3\xbc\xc3\x9f"
		       "e \xe2\x80\xa8 \xf0\x9f\x9a\x80 \xef\xbf\xbd\xef\xbf\xbd\"");
}

/* The plain words of eight bytes are copied at once: each byte must be noticed at each place. */
Test(json, string_reads_back_with_any_byte_at_any_place)
{
	struct arena a;

	arena_init(&a);
	for (size_t n = 1; n < 20; n++)
		for (size_t place = 0; place < n; place++)
			for (int byte = 0; byte < 128; byte++) {
				char text[20];
				struct json *read;

				memset(text, 'a', n);
				text[place] = (char)byte;
				buf_clear(&b);
				json_string(&b, (struct slice){ text, n });
				read = json_parse(&a, (struct slice){ b.p, b.n });
				cr_assert(read && slice_equal(read->text, (struct slice){ text, n }),
					  "byte %d at %zu of %zu", byte, place, n);
			}
	arena_release(&a);
}

Test(json, empty_string_and_null_pointer)
{
	json_string(&b, (struct slice){ NULL, 0 });
	cr_assert_json("\"\"");
}

Test(json, doubles_that_are_no_numbers_are_strings)
{
	json_double(&b, 0.1);
	json_double(&b, NAN);
	json_double(&b, INFINITY);
	json_double(&b, -INFINITY);
	cr_assert_json("0.1\"NaN\"\"Infinity\"\"-Infinity\"");
}

Test(json, object_holds_values_of_all_types)
{
	static const struct value items[] = { { .type = VALUE_INT, .integer = 1 },
					      { .type = VALUE_INT, .integer = -2 } };
	static const struct value nested[] = { { .type = VALUE_ARRAY, .array = { items, 2 } } };
	const struct attribute list[] = {
		STRING_ATTRIBUTE("s", "a\"b"), INT_ATTRIBUTE("i", INT64_MIN), BOOL_ATTRIBUTE("t", true),
		BOOL_ATTRIBUTE("f", false),    DOUBLE_ATTRIBUTE("d", 1.5),    ARRAY_ATTRIBUTE("a", items),
		ARRAY_ATTRIBUTE("n", nested),
	};

	json_object(&b, ATTRIBUTES(list));
	cr_assert_json("{\"s\":\"a\\\"b\",\"i\":-9223372036854775808,\"t\":true,\"f\":false,\"d\":1.5,"
		       "\"a\":[1,-2],\"n\":[null]}");
	buf_clear(&b);
	json_object(&b, (struct attributes){ NULL, 0 });
	cr_assert_json("{}");
}

Test(json, quoted_tail_replaces_the_bytes)
{
	buf_add_text(&b, "x:");
	buf_add_text(&b, "[\"a\"]");
	json_quote_tail(&b, 2);
	cr_assert_json("x:\"[\\\"a\\\"]\"");
	json_quote_tail(&b, b.n);
	cr_assert_json("x:\"[\\\"a\\\"]\"\"\"");
}

Test(json, string_too_long_to_escape_fails_without_touching_it)
{
	json_string(&b, (struct slice){ "x", SIZE_MAX / 4 });
	cr_assert(b.failed);
	cr_assert_eq(b.n, 0);
}

/* The reader is what other tests rely on: it has to refuse what is not JSON. */
Test(json, reader_of_the_tests_refuses_what_is_not_json)
{
	static const char *const bad[] = { "",       "{",     "[1,]",     "{\"a\":}",    "{\"a\":1,}",
					   "01",     "1.",    "tru",      "\"a",         "\"\\x\"",
					   "\"\n\"", "[1] 2", "\"\xff\"", "nul",         "'a'",
					   "{a:1}",  "[1 2]", "+1",       "\"\\ud800\"", "-",
					   "1e" };
	struct arena a;

	arena_init(&a);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_null(json_parse(&a, slice_of(bad[i])), "%s", bad[i]);
	cr_assert_not_null(
		json_parse(&a, SLICE(" {\"a\" : [1, -2.5e+3, \"\\ud83d\\ude80\", null, true ]} ")));
	arena_release(&a);
}
