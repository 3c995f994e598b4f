/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exporters/base/json_read.h"

/* The tokens of a text as one letter each; '!' ends it on an error. */
static void tokens_of(struct slice text, char *out, size_t size)
{
	static const char letters[] = "!.{}[]kSn10N";
	struct json_reader r;
	size_t n = 0;
	enum json_token token;

	json_init(&r, text);
	do {
		token = json_next(&r);
		if (n < size - 1)
			out[n++] = letters[token];
	} while (token != JSON_ERROR && token != JSON_END);
	out[n] = '\0';
	json_release(&r);
}

static void expect_tokens(const char *text, const char *wanted)
{
	char got[256];

	tokens_of(slice_of(text), got, sizeof(got));
	cr_expect_str_eq(got, wanted, "%s: got %s, wanted %s", text, got, wanted);
}

static void expect_string(const char *text, const char *wanted, size_t n)
{
	struct json_reader r;

	json_init(&r, slice_of(text));
	cr_assert_eq(json_next(&r), JSON_STRING, "%s: %s", text, r.error ? r.error : "");
	cr_expect(slice_equal(r.text, (struct slice){ wanted, n }), "%s gave '%.*s'", text, (int)r.text.n,
		  r.text.p);
	json_release(&r);
}
#define EXPECT_STRING(text, wanted) expect_string(text, wanted, sizeof(wanted) - 1)

Test(json_read, tokens_come_in_order)
{
	expect_tokens("{\"a\": [1, -2.5e+3, true, false, null, \"x\", {}], \"b\": {\"c\": []}}",
		      "{k[nn10NS{}]k{k[]}}.");
	expect_tokens(" \t\r\n0 ", "n.");
	expect_tokens("\"\"", "S.");
}

Test(json_read, what_is_not_json_is_an_error)
{
	static const char *const bad[] = {
		"",         " ",       "{",          "[",           "[1,]",     "{\"a\":1,}", "{,}",
		"[,]",      "{\"a\"}", "{a:1}",      "{\"a\" 1}",   "[1 2]",    "[1}",        "{\"a\":1]",
		"]",        "}",       "1 2",        "01",          "-",        "1.",         ".5",
		"1e",       "+1",      "NaN",        "tru",         "nul",      "True",       "\"",
		"\"\\\"",   "\"\\x\"", "\"\\u12\"",  "\"\\u12g4\"", "\"a\nb\"", "'a'",        "[1]]",
		"{\"a\":}", "/**/1",   "{\"a\":1}x",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char got[256];

		tokens_of(slice_of(bad[i]), got, sizeof(got));
		cr_expect(strchr(got, '!'), "'%s' was taken for JSON: %s", bad[i], got);
	}
}

Test(json_read, strings_are_decoded)
{
	EXPECT_STRING("\"plain\"", "plain");
	EXPECT_STRING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	EXPECT_STRING("\"\\u00e9\\u20ac\\ud83d\\ude80\"", "é€🚀");
	EXPECT_STRING("\"a\\u0000b\"", "a\0b");
	EXPECT_STRING("\"é€🚀\"", "é€🚀");
}

Test(json_read, text_that_is_not_utf8_becomes_the_replacement_character)
{
	EXPECT_STRING("\"a\xff"
		      "b\"",
		      "a\xef\xbf\xbd"
		      "b");
	EXPECT_STRING("\"\\ud83d\"", "\xef\xbf\xbd");
	EXPECT_STRING("\"\\ud83dx\"", "\xef\xbf\xbdx");
	EXPECT_STRING("\"\\udc00\"", "\xef\xbf\xbd");
	EXPECT_STRING("\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
					    "A");
}

Test(json_read, a_text_cut_anywhere_is_told_as_cut)
{
	static const char text[] = "{\"a\": [1, -2.5e+3, true, \"x\\u00e9\\n\", {\"b\": null}]}";

	for (size_t n = 1; n < sizeof(text) - 1; n++) {
		struct json_reader r;

		json_init(&r, (struct slice){ text, n });
		while (json_next(&r) > JSON_END)
			;
		cr_expect(r.error && r.cut, "cut at %zu: %s", n, r.error ? r.error : "no error");
		json_release(&r);
	}
}

Test(json_read, an_error_in_the_middle_is_not_told_as_cut)
{
	struct json_reader r;

	json_init(&r, SLICE("[1, 2, x"));
	while (json_next(&r) > JSON_END)
		;
	cr_expect(r.error && !r.cut);
	cr_expect_eq(json_column(&r), 8);
	json_release(&r);
}

Test(json_read, skip_reads_over_one_value_whole)
{
	struct json_reader r;

	json_init(&r, SLICE("{\"a\": {\"x\": [1, {\"y\": \"}\"}]}, \"b\": 7}"));
	cr_assert_eq(json_next(&r), JSON_OBJECT);
	cr_assert_eq(json_next(&r), JSON_KEY);
	cr_assert(json_skip(&r));
	cr_assert_eq(json_next(&r), JSON_KEY);
	cr_expect(slice_is(r.text, "b"));
	cr_assert(json_skip(&r));
	cr_expect_eq(json_next(&r), JSON_OBJECT_END);
	cr_expect_eq(json_next(&r), JSON_END);
	json_release(&r);
}

Test(json_read, nesting_is_bounded)
{
	char text[2 * JSON_DEPTH + 2], got[4 * JSON_DEPTH];

	memset(text, '[', JSON_DEPTH);
	memset(text + JSON_DEPTH, ']', JSON_DEPTH);
	tokens_of((struct slice){ text, 2 * JSON_DEPTH }, got, sizeof(got));
	cr_expect_eq(got[2 * JSON_DEPTH], '.');
	memset(text, '[', sizeof(text));
	tokens_of((struct slice){ text, sizeof(text) }, got, sizeof(got));
	cr_expect_eq(got[JSON_DEPTH], '!');
}

/* Every prefix of the text ends at a page that must not be touched. */
Test(json_read, nothing_is_read_behind_the_end)
{
	static const char text[] = "{\"k\\u00e9\\ud83d\\ude80é€🚀\":[true,false,null,-1.5e-7,\"\\n\"]}";
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char got[64];

	cr_assert(p != MAP_FAILED);
	cr_assert_eq(mprotect(p + page, page, PROT_NONE), 0);
	for (size_t n = 0; n < sizeof(text); n++) {
		memcpy(p + page - n, text, n);
		tokens_of((struct slice){ p + page - n, n }, got, sizeof(got));
	}
	munmap(p, 2 * page);
}

Test(json_read, integers_are_read_to_their_last_value_and_not_beyond)
{
	int64_t i;
	uint64_t u;

	cr_expect(json_to_i64(SLICE("-9223372036854775808"), &i) && i == INT64_MIN);
	cr_expect(json_to_i64(SLICE("9223372036854775807"), &i) && i == INT64_MAX);
	cr_expect(!json_to_i64(SLICE("9223372036854775808"), &i));
	cr_expect(!json_to_i64(SLICE("-9223372036854775809"), &i));
	cr_expect(json_to_u64(SLICE("18446744073709551615"), &u) && u == UINT64_MAX);
	cr_expect(!json_to_u64(SLICE("18446744073709551616"), &u));
	cr_expect(!json_to_u64(SLICE("-1"), &u) && !json_to_u64(SLICE(""), &u) &&
		  !json_to_i64(SLICE("-"), &i));
	cr_expect(!json_to_i64(SLICE("1.5"), &i) && !json_to_i64(SLICE(" 1"), &i));
}

Test(json_read, doubles_are_read)
{
	double d;

	cr_expect(json_to_double(SLICE("0.1"), &d) && d == 0.1);
	cr_expect(json_to_double(SLICE("-1.5e3"), &d) && d == -1500);
	cr_expect(json_to_double(SLICE("NaN"), &d) && isnan(d));
	cr_expect(json_to_double(SLICE("-Infinity"), &d) && isinf(d) && d < 0);
	cr_expect(!json_to_double(SLICE("0x10"), &d) && !json_to_double(SLICE("inf"), &d));
	cr_expect(!json_to_double(SLICE(""), &d) && !json_to_double(SLICE("1-"), &d));
}
