/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* wcwidth */
#include "exporters/ctl/term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "exporters/base/codepoint.h"
#include "exporters/base/utf8.h"
#include "exporters/ctl/harmless.h"

#define MIN_WIDTH     40
#define DEFAULT_WIDTH 100
#define MAX_WIDTH     1000

static unsigned find_width(int fd)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	unsigned long width = 0;

	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	else if (columns)
		width = strtoul(columns, NULL, 10);
	if (!width)
		width = DEFAULT_WIDTH;
	return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : (unsigned)width;
}

static bool find_colour(int fd, const char *mode)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (mode && !strcmp(mode, "always"))
		return true;
	if ((mode && !strcmp(mode, "never")) || (no_color && *no_color))
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

void term_init(struct term *t, int fd, const char *colour_mode)
{
	t->colour = find_colour(fd, colour_mode);
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	t->width = find_width(fd);
}

void term_style(const struct term *t, struct buf *out, enum term_style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "0", [STYLE_BOLD] = "1",     [STYLE_DIM] = "2",
		[STYLE_RED] = "31",  [STYLE_GREEN] = "32",   [STYLE_YELLOW] = "33",
		[STYLE_BLUE] = "34", [STYLE_MAGENTA] = "35", [STYLE_CYAN] = "36",
	};

	if (t->colour)
		buf_printf(out, "\x1b[%sm", codes[style]);
}

struct glyph {
	char text[HARMLESS_MAX];
	size_t n;
	int columns;
};

/* What stands for the character at p; returns how many bytes of p that was. */
static size_t next_glyph(const struct term *t, const char *p, size_t left, struct glyph *glyph)
{
	int n = utf8_next(p, left);
	uint32_t code = n > 0 ? codepoint_decode(p, n) : CODEPOINT_REPLACEMENT;
	int columns = code < 0x7f ? 1 : t->utf8 ? wcwidth((wchar_t)code) : -1;

	if (!harmless(code) || (columns < 0 && t->utf8)) {
		glyph->n = harmless_name(code, glyph->text);
		glyph->columns = (int)glyph->n;
	} else if (columns >= 0) {
		glyph->n = codepoint_encode(code, glyph->text);
		glyph->columns = columns;
	} else {
		glyph->text[0] = '?';
		glyph->n = 1;
		glyph->columns = 1;
	}
	return (size_t)abs(n);
}

unsigned term_columns(const struct term *t, struct slice text)
{
	unsigned columns = 0;
	struct glyph glyph;

	for (size_t i = 0; i < text.n;) {
		i += next_glyph(t, text.p + i, text.n - i, &glyph);
		columns += (unsigned)glyph.columns;
	}
	return columns;
}

unsigned term_text(const struct term *t, struct buf *out, struct slice text, unsigned max_columns)
{
	const char *ellipsis = t->utf8 ? "\xe2\x80\xa6" : "~";
	unsigned used = 0;
	size_t cut_at = out->n; /* where the ellipsis would stand */
	unsigned cut_used = 0;
	struct glyph glyph;

	for (size_t i = 0; i < text.n;) {
		i += next_glyph(t, text.p + i, text.n - i, &glyph);
		if (used + (unsigned)glyph.columns > max_columns) {
			out->n = out->n < cut_at ? out->n : cut_at;
			if (max_columns)
				buf_add_text(out, ellipsis);
			return cut_used + (max_columns > 0);
		}
		buf_add(out, glyph.text, glyph.n);
		used += (unsigned)glyph.columns;
		if (used < max_columns) {
			cut_at = out->n;
			cut_used = used;
		}
	}
	return used;
}

void term_cell(const struct term *t, struct buf *out, struct slice text, int columns, enum term_style style)
{
	unsigned width = (unsigned)abs(columns), used = term_columns(t, text);

	if (columns < 0 && used < width)
		term_repeat(out, " ", width - used);
	if (style != STYLE_PLAIN && text.n)
		term_style(t, out, style);
	used = term_text(t, out, text, width);
	if (style != STYLE_PLAIN && text.n)
		term_style(t, out, STYLE_PLAIN);
	if (columns > 0 && used < width)
		term_repeat(out, " ", width - used);
}

void term_repeat(struct buf *out, const char *text, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		buf_add_text(out, text);
}

void term_bar(const struct term *t, struct buf *out, double from, double to, unsigned columns,
	      enum term_style style)
{
	unsigned halves = 2 * columns, begin = (unsigned)(from * halves), end = (unsigned)(to * halves + 0.5);

	begin = begin < halves ? begin : halves - 1;
	end = end > halves ? halves : end > begin ? end : begin + 1;
	term_repeat(out, " ", begin / 2);
	term_style(t, out, style);
	if (!t->utf8) {
		term_repeat(out, "=", (end + 1) / 2 - begin / 2);
	} else {
		if (begin % 2)
			buf_add_text(out, "\u257a"); /* the right half of a line */
		term_repeat(out, "\u2501", end / 2 > (begin + 1) / 2 ? end / 2 - (begin + 1) / 2 : 0);
		if (end % 2 && end / 2 >= (begin + 1) / 2)
			buf_add_text(out, "\u2578"); /* the left half */
	}
	term_style(t, out, STYLE_PLAIN);
}
