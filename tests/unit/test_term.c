/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "exporters/ctl/term.h"

static const struct term utf8 = { .utf8 = true, .width = 80 }, ascii = { .width = 80 },
			 colour = { .utf8 = true, .colour = true, .width = 80 };

static void start(void) { setlocale(LC_CTYPE, "C.UTF-8"); }

TestSuite(term, .init = start);

static void expect_text(const struct term *t, struct slice text, unsigned columns, const char *wanted,
			unsigned used_wanted)
{
	struct buf out;
	unsigned used;

	buf_init(&out);
	used = term_text(t, &out, text, columns);
	cr_expect(slice_is((struct slice){ out.p, out.n }, wanted), "got '%.*s', wanted '%s'", (int)out.n,
		  out.p, wanted);
	cr_expect_eq(used, used_wanted, "'%s': %u columns", wanted, used);
	buf_release(&out);
}

Test(term, control_characters_and_escapes_are_shown_never_passed_on)
{
	expect_text(&utf8, SLICE("\x1b[31m\t\r\n\x07\x7f"), 80, "\\e[31m\\t\\r\\n\\x07\\x7f", 20);
	expect_text(&utf8, ((struct slice){ "a\0b", 3 }), 80, "a\\x00b", 6);
	expect_text(&utf8, SLICE("\xc2\x9b"), 80, "\\u{9b}", 6);
	expect_text(&ascii, SLICE("\xc2\x9b\x1b"), 80, "\\u{9b}\\e", 8);
}

Test(term, characters_that_reorder_or_hide_text_are_shown)
{
	expect_text(&utf8, SLICE("\u202egnp\u200b\u2066\ufeff"), 80,
		    "\\u{202e}gnp\\u{200b}\\u{2066}\\u{feff}", 35);
	expect_text(&ascii, SLICE("\u202e"), 80, "\\u{202e}", 8);
}

Test(term, no_byte_below_space_comes_out_of_any_two_bytes)
{
	for (int i = 0; i < 65536; i++) {
		char text[2] = { (char)(i >> 8), (char)i };
		struct buf out;

		buf_init(&out);
		term_text(&utf8, &out, (struct slice){ text, 2 }, 80);
		for (size_t k = 0; k < out.n; k++)
			cr_assert((unsigned char)out.p[k] >= 0x20 && out.p[k] != 0x7f, "%04x", i);
		buf_release(&out);
	}
}

Test(term, text_is_cut_at_columns_not_bytes)
{
	expect_text(&utf8, SLICE("Grüße"), 5, "Grüße", 5);
	expect_text(&utf8, SLICE("Grüße!"), 5, "Grüß…", 5);
	expect_text(&utf8, SLICE("日本語"), 6, "日本語", 6);
	expect_text(&utf8, SLICE("日本語"), 5, "日本…", 5);
	expect_text(&utf8, SLICE("日本語"), 4, "日…", 3);
	expect_text(&utf8, SLICE("ab"), 1, "…", 1);
	expect_text(&utf8, SLICE("ab"), 0, "", 0);
	expect_text(&ascii, SLICE("abcdef"), 4, "abc~", 4);
	expect_text(&ascii, SLICE("Grüße"), 10, "Gr??e", 5);
	expect_text(&utf8, SLICE("bad\xff"), 10, "bad\ufffd", 4);
}

Test(term, a_cell_has_exactly_its_columns)
{
	struct buf out;

	buf_init(&out);
	term_cell(&utf8, &out, SLICE("日本"), 6, STYLE_RED);
	term_cell(&utf8, &out, SLICE("7"), -3, STYLE_RED);
	term_cell(&utf8, &out, SLICE("abcdef"), -3, STYLE_PLAIN);
	cr_expect(slice_is((struct slice){ out.p, out.n }, "日本    7ab…"), "'%.*s'", (int)out.n, out.p);
	buf_clear(&out);
	term_cell(&colour, &out, SLICE("x"), 3, STYLE_RED);
	cr_expect(slice_is((struct slice){ out.p, out.n }, "\x1b[31mx\x1b[0m  "));
	buf_release(&out);
}

static void expect_bar(const struct term *t, double from, double to, const char *wanted)
{
	struct buf out;

	buf_init(&out);
	term_bar(t, &out, from, to, 4, STYLE_PLAIN);
	cr_expect(slice_is((struct slice){ out.p, out.n }, wanted), "%g..%g: '%.*s'", from, to, (int)out.n,
		  out.p);
	buf_release(&out);
}

Test(term, a_bar_lies_where_it_belongs_and_is_never_nothing)
{
	expect_bar(&utf8, 0, 1, "━━━━");
	expect_bar(&utf8, 0, 0, "╸");
	expect_bar(&utf8, 1, 1, "   ╺");
	expect_bar(&utf8, 0.5, 1, "  ━━");
	expect_bar(&utf8, 0.125, 0.625, "╺━╸");
	expect_bar(&utf8, 0.125, 0.25, "╺");
	expect_bar(&utf8, 7, 9, "   ╺");
	expect_bar(&ascii, 0, 1, "====");
	expect_bar(&ascii, 1, 1, "   =");
	expect_bar(&ascii, 0.25, 0.5, " =");
}

Test(term, no_color_and_color_are_obeyed)
{
	struct term t;

	setenv("NO_COLOR", "1", 1);
	term_init(&t, STDOUT_FILENO, NULL);
	cr_expect(!t.colour);
	term_init(&t, STDOUT_FILENO, "always");
	cr_expect(t.colour, "what is asked for on the command line wins");
	unsetenv("NO_COLOR");
	term_init(&t, STDOUT_FILENO, "never");
	cr_expect(!t.colour);
	setenv("COLUMNS", "132", 1);
	term_init(&t, -1, "auto");
	cr_expect_eq(t.width, 132);
	cr_expect(!t.colour, "not a terminal");
	setenv("COLUMNS", "0", 1);
	term_init(&t, -1, "auto");
	cr_expect_eq(t.width, 100);
}
