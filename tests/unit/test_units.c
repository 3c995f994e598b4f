/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/ctl/units.h"

static void expect_duration(uint64_t ns, const char *wanted)
{
	struct buf out;

	buf_init(&out);
	duration_print(&out, ns, "u");
	cr_expect(slice_is((struct slice){ out.p, out.n }, wanted), "%llu: got '%.*s', wanted '%s'",
		  (unsigned long long)ns, (int)out.n, out.p, wanted);
	buf_release(&out);
}

Test(units, durations_have_three_digits)
{
	expect_duration(0, "0 ns");
	expect_duration(999, "999 ns");
	expect_duration(1000, "1.00 us");
	expect_duration(9994, "9.99 us");
	expect_duration(9996, "10.0 us");
	expect_duration(99960, "100 us");
	expect_duration(999499, "999 us");
	expect_duration(999500, "1.00 ms");
	expect_duration(12345678, "12.3 ms");
	expect_duration(999600000, "1.00 s");
	expect_duration(119400000000, "119 s");
	expect_duration(119600000000, "2 m 00 s");
	expect_duration(192000000000, "3 m 12 s");
	expect_duration(UINT64_C(8000000000000), "2 h 13 m");
	expect_duration(UINT64_MAX, "5124095 h 34 m");
}

Test(units, durations_are_read_with_their_unit)
{
	uint64_t ns;

	cr_expect(duration_parse(SLICE("100ms"), &ns) && ns == 100000000);
	cr_expect(duration_parse(SLICE("1.5 s"), &ns) && ns == 1500000000);
	cr_expect(duration_parse(SLICE("250us"), &ns) && ns == 250000);
	cr_expect(duration_parse(SLICE("250µs"), &ns) && ns == 250000);
	cr_expect(duration_parse(SLICE("80ns"), &ns) && ns == 80);
	cr_expect(duration_parse(SLICE("2m"), &ns) && ns == UINT64_C(120000000000));
	cr_expect(duration_parse(SLICE("1h"), &ns) && ns == UINT64_C(3600000000000));
	cr_expect(!duration_parse(SLICE("100"), &ns));
	cr_expect(!duration_parse(SLICE("ms"), &ns));
	cr_expect(!duration_parse(SLICE("-1ms"), &ns));
	cr_expect(!duration_parse(SLICE("1.2.3s"), &ns));
	cr_expect(!duration_parse(SLICE("1 parsec"), &ns));
	cr_expect(!duration_parse(SLICE(""), &ns));
	cr_expect(!duration_parse(SLICE("99999999999999h"), &ns));
	cr_expect(!duration_parse(SLICE("11111111111111111111111111111111111111ns"), &ns));
}

Test(units, counts_have_groups_of_three)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 12345678, "12,345,678" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out;

		buf_init(&out);
		count_print(&out, cases[i].n);
		cr_expect(slice_is((struct slice){ out.p, out.n }, cases[i].text));
		buf_release(&out);
	}
}

Test(units, a_star_stands_for_any_text)
{
	cr_expect(pattern_matches(SLICE("/users/*"), SLICE("/users/42/x")));
	cr_expect(pattern_matches(SLICE("*"), SLICE("")));
	cr_expect(pattern_matches(SLICE("a*b*c"), SLICE("aXbXbXc")));
	cr_expect(pattern_matches(SLICE("/a"), SLICE("/a")));
	cr_expect(pattern_matches(SLICE("/[id]?.{x}"), SLICE("/[id]?.{x}")));
	cr_expect(!pattern_matches(SLICE("/a"), SLICE("/ab")));
	cr_expect(!pattern_matches(SLICE("/ab"), SLICE("/a")));
	cr_expect(!pattern_matches(SLICE("a*b"), SLICE("aXbX")));
	cr_expect(!pattern_matches(SLICE(""), SLICE("a")));
	cr_expect(pattern_matches(SLICE(""), SLICE("")));
}

Test(units, a_quoted_pattern_matches_its_text_alone)
{
	static const char *const texts[] = { "*", "\\", "\\*", "\\\\", "\\\\*", "a\\x*y\\", "**", "" };
	size_t n = sizeof(texts) / sizeof(*texts);

	for (size_t i = 0; i < n; i++) {
		struct buf out;

		buf_init(&out);
		pattern_quote(&out, slice_of(texts[i]));
		for (size_t k = 0; k < n; k++)
			cr_expect_eq(pattern_matches((struct slice){ out.p, out.n }, slice_of(texts[k])),
				     i == k, "'%s' as '%.*s' against '%s'", texts[i], (int)out.n, out.p,
				     texts[k]);
		buf_release(&out);
	}
}

Test(units, status_lists_know_numbers_classes_and_error)
{
	cr_expect(status_list_valid(SLICE("404")) && status_list_valid(SLICE("4xx, 5XX,error")));
	cr_expect(!status_list_valid(SLICE("")) && !status_list_valid(SLICE("40")) &&
		  !status_list_valid(SLICE("0xx")));
	cr_expect(!status_list_valid(SLICE("404,,500")) && !status_list_valid(SLICE("4x4")) &&
		  !status_list_valid(SLICE("fine")));
	cr_expect(status_list_matches(SLICE("4xx"), 404, false) &&
		  !status_list_matches(SLICE("4xx"), 500, true));
	cr_expect(status_list_matches(SLICE("200,404"), 404, false) &&
		  !status_list_matches(SLICE("200"), 404, false));
	cr_expect(status_list_matches(SLICE("error"), 0, true) &&
		  !status_list_matches(SLICE("error"), 500, false));
	cr_expect(!status_list_matches(SLICE("5xx"), 0, true));
}
