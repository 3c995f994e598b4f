/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TERM_H
#define BTRACE_TERM_H

/*
 * Text for a terminal or for a file: colour, width, and what comes from spans
 * made harmless. Span names are written by whoever sends requests: control
 * characters, escapes, bidirectional overrides and invisible characters are
 * shown as \xNN or \u{NNNN}, never passed on. Columns are those of wcwidth(), so
 * main() must have called setlocale(LC_CTYPE, "").
 */

#include <stdbool.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

enum term_style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_RED,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_BLUE,
	STYLE_MAGENTA,
	STYLE_CYAN,
};

struct term {
	bool colour, utf8;
	unsigned width; /* columns, at least 40 */
};

/*
 * For output to `fd`. colour_mode: "always", "never", else by NO_COLOR
 * (no-color.org), TERM=dumb and whether fd is a terminal. Width: the terminal's,
 * else COLUMNS, else 100.
 */
void term_init(struct term *t, int fd, const char *colour_mode);

void term_style(const struct term *t, struct buf *out, enum term_style style); /* STYLE_PLAIN ends one */

/* How many columns the text takes when shown. */
unsigned term_columns(const struct term *t, struct slice text);

/* Adds the text, cut to max_columns with an ellipsis. Returns the columns used. */
unsigned term_text(const struct term *t, struct buf *out, struct slice text, unsigned max_columns);

/* Adds the text styled and padded to exactly `columns`; negative: padded on the left. */
void term_cell(const struct term *t, struct buf *out, struct slice text, int columns, enum term_style style);

void term_repeat(struct buf *out, const char *text, unsigned times);

/* A bar over [from, to) of 0..1 in `columns` columns; something is always to be seen. */
void term_bar(const struct term *t, struct buf *out, double from, double to, unsigned columns,
	      enum term_style style);

#endif
