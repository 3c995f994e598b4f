/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/config/report.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/base/utf8.h"

/* Control bytes and broken UTF-8 must not reach a terminal. */
static void make_printable(char *text)
{
	unsigned char *p = (unsigned char *)text;
	size_t left = strlen(text);

	while (left) {
		int n = utf8_next((const char *)p, left);

		if (n < 0 || *p < 0x20 || *p == 0x7f || (n == 2 && *p == 0xc2 && p[1] < 0xa0)) {
			n = n < 0 ? -n : n;
			memset(p, '?', (size_t)n);
		}
		p += n;
		left -= (size_t)n;
	}
}

static void report_add(struct config_report *r, enum config_severity severity, struct config_mark at,
		       const char *format, va_list list)
{
	char line[REPORT_TEXT_MAX];
	struct slice text;

	severity == CONFIG_ERROR ? r->errors++ : r->warnings++;
	if (r->n >= REPORT_MAX)
		return;
	if (r->n == r->size) {
		size_t size = r->size ? r->size * 2 : 8;
		struct config_message *grown = realloc(r->messages, size * sizeof(*grown));

		if (!grown)
			return;
		r->messages = grown;
		r->size = size;
	}
	vsnprintf(line, sizeof(line), format, list);
	make_printable(line);
	text = arena_printf(&r->arena, "%s", line);
	at.source = at.source ? arena_printf(&r->arena, "%s", at.source).p : NULL;
	r->messages[r->n++] = (struct config_message){ severity, at, text.p };
}

void report_error(struct config_report *r, struct config_mark at, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	report_add(r, CONFIG_ERROR, at, format, list);
	va_end(list);
}

void report_warning(struct config_report *r, struct config_mark at, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	report_add(r, CONFIG_WARNING, at, format, list);
	va_end(list);
}

static bool comes_before(const struct config_message *a, const struct config_message *b)
{
	if (!a->mark.source || !b->mark.source || strcmp(a->mark.source, b->mark.source) != 0)
		return false;
	return a->mark.line < b->mark.line ||
	       (a->mark.line == b->mark.line && a->mark.column < b->mark.column);
}

void report_sort(struct config_report *r)
{
	for (size_t i = 1; i < r->n; i++) {
		for (size_t k = i; k > 0 && comes_before(&r->messages[k], &r->messages[k - 1]); k--) {
			struct config_message later = r->messages[k - 1];

			r->messages[k - 1] = r->messages[k];
			r->messages[k] = later;
		}
	}
}

const char *report_quote(char out[REPORT_QUOTE_MAX], const char *text)
{
	const size_t room = REPORT_QUOTE_MAX - 8;
	size_t n = strlen(text), cut = n;

	if (n > room)
		for (cut = room; cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80;)
			cut--;
	snprintf(out, REPORT_QUOTE_MAX, "'%.*s%s'", (int)cut, text, cut < n ? "..." : "");
	return out;
}

void config_report_release(struct config_report *report)
{
	free(report->messages);
	arena_release(&report->arena);
	*report = (struct config_report)CONFIG_REPORT_INIT;
}

void config_message_text(const struct config_message *message, struct buf *out)
{
	if (message->mark.source)
		buf_printf(out, "%s:", message->mark.source);
	if (message->mark.line)
		buf_printf(out, "%u:", message->mark.line);
	if (message->mark.column)
		buf_printf(out, "%u:", message->mark.column);
	if (message->mark.source)
		buf_add_byte(out, ' ');
	buf_printf(out, "%s: %s", message->severity == CONFIG_ERROR ? "error" : "warning", message->text);
}

void config_report_line(const struct config_report *report, struct buf *out)
{
	const struct config_message *told = NULL;

	for (size_t i = 0; i < report->n && (!told || told->severity != CONFIG_ERROR); i++)
		if (!told || report->messages[i].severity == CONFIG_ERROR)
			told = &report->messages[i];
	if (!told)
		return;
	config_message_text(told, out);
	if (report->errors + report->warnings > 1)
		buf_printf(out, " (and %zu more: btracectl check)", report->errors + report->warnings - 1);
}

void config_report_text(const struct config_report *report, struct buf *out)
{
	size_t all = report->errors + report->warnings;

	for (size_t i = 0; i < report->n; i++) {
		config_message_text(&report->messages[i], out);
		buf_add_byte(out, '\n');
	}
	if (all > report->n)
		buf_printf(out, "... and %zu more\n", all - report->n);
}

/* Damerau-Levenshtein, the restricted form, over three rows. */
unsigned report_distance(const char *word, const char *candidate)
{
	enum { LONGEST = 64 };
	unsigned row[3][LONGEST + 1];
	size_t n = strlen(word), m = strlen(candidate);

	if (n > LONGEST || m > LONGEST)
		return REPORT_FAR;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			int a = tolower((unsigned char)word[i - 1]);
			int b = tolower((unsigned char)candidate[j - 1]);
			unsigned best = last[j - 1] + (a != b);

			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a == tolower((unsigned char)candidate[j - 2]) &&
			    b == tolower((unsigned char)word[i - 2]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}

unsigned report_tolerance(const char *word)
{
	size_t n = strlen(word);

	return n <= 2 ? 0 : n <= 4 ? 1 : n <= 8 ? 2 : 3;
}
