/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/units.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	double ns;
} units[] = {
	{ "ns", 1 },  { "us", 1e3 }, { "\xc2\xb5s", 1e3 }, { "ms", 1e6 },
	{ "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
};

bool duration_parse(struct slice text, uint64_t *ns)
{
	char number[32];
	size_t n = 0;
	char *end;
	double value;

	while (n < text.n && n < sizeof(number) - 1 &&
	       (text.p[n] == '.' || (text.p[n] >= '0' && text.p[n] <= '9')))
		n++;
	memcpy(number, text.p, n);
	number[n] = '\0';
	value = strtod(number, &end);
	if (!n || *end)
		return false;
	while (n < text.n && text.p[n] == ' ')
		n++;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!slice_is((struct slice){ text.p + n, text.n - n }, units[i].name))
			continue;
		if (value * units[i].ns > 9e18)
			return false;
		*ns = (uint64_t)(value * units[i].ns + 0.5);
		return true;
	}
	return false;
}

void duration_print(struct buf *out, uint64_t ns, const char *micro)
{
	static const struct {
		uint64_t limit;
		double ns;
		const char *unit;
	} steps[] = { { 999500, 1e3, "us" }, { 999500000, 1e6, "ms" }, { 119500000000, 1e9, "s" } };

	if (ns < 1000) {
		buf_printf(out, "%u ns", (unsigned)ns);
		return;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		double value = (double)ns / steps[i].ns;

		if (ns >= steps[i].limit)
			continue;
		buf_printf(out, "%.*f ", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
		if (i == 0)
			buf_printf(out, "%ss", micro);
		else
			buf_add_text(out, steps[i].unit);
		return;
	}
	ns = ns / 1000000000 + (ns % 1000000000 >= 500000000);
	if (ns < 7200)
		buf_printf(out, "%u m %02u s", (unsigned)(ns / 60), (unsigned)(ns % 60));
	else
		buf_printf(out, "%llu h %02u m", (unsigned long long)(ns / 3600), (unsigned)(ns / 60 % 60));
}

void count_print(struct buf *out, uint64_t n)
{
	char text[32];
	int digits = snprintf(text, sizeof(text), "%llu", (unsigned long long)n);

	for (int i = 0; i < digits; i++) {
		if (i && (digits - i) % 3 == 0)
			buf_add_byte(out, ',');
		buf_add_byte(out, (uint8_t)text[i]);
	}
}

/* The character of the pattern at p: -1 for a star, else itself; *taken how much of the pattern it is. */
static int pattern_next(struct slice pattern, size_t p, size_t *taken)
{
	char c = pattern.p[p], next = p + 1 < pattern.n ? pattern.p[p + 1] : 0;

	*taken = c == '\\' && (next == '*' || next == '\\') ? 2 : 1;
	return c == '*' ? -1 : (unsigned char)(*taken == 2 ? next : c);
}

/* The last star is the only one to come back to: what stood before it has matched already. */
bool pattern_matches(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, taken = 1, after_star = SIZE_MAX, resume = 0;

	while (t < text.n) {
		int c = p < pattern.n ? pattern_next(pattern, p, &taken) : -2;

		if (c == -1) {
			after_star = ++p;
			resume = t;
		} else if (c == (unsigned char)text.p[t]) {
			p += taken;
			t++;
		} else if (after_star != SIZE_MAX) {
			p = after_star;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

void pattern_quote(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		char next = i + 1 < text.n ? text.p[i + 1] : 0;

		if (text.p[i] == '*' || (text.p[i] == '\\' && (next == '*' || next == '\\')))
			buf_add_byte(out, '\\');
		buf_add_byte(out, (uint8_t)text.p[i]);
	}
}

/* The part of the list before the next comma, without spaces; the list moves on. */
static struct slice next_part(struct slice *list)
{
	const char *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
	struct slice part = { list->p, comma ? (size_t)(comma - list->p) : list->n };
	size_t taken = part.n + (comma != NULL);

	*list = (struct slice){ list->p + taken, list->n - taken };
	while (part.n && part.p[0] == ' ')
		part = (struct slice){ part.p + 1, part.n - 1 };
	while (part.n && part.p[part.n - 1] == ' ')
		part.n--;
	return part;
}

/* A status gives its number, a class (5xx) its digit, "error" 0; anything else -1. */
static int part_value(struct slice part)
{
	bool class;

	if (slice_is(part, "error"))
		return 0;
	if (part.n != 3 || part.p[0] < '1' || part.p[0] > '9')
		return -1;
	class = (part.p[1] | 0x20) == 'x' && (part.p[2] | 0x20) == 'x';
	if (class)
		return part.p[0] - '0';
	if (part.p[1] < '0' || part.p[1] > '9' || part.p[2] < '0' || part.p[2] > '9')
		return -1;
	return (part.p[0] - '0') * 100 + (part.p[1] - '0') * 10 + part.p[2] - '0';
}

bool status_list_valid(struct slice list)
{
	if (!list.n)
		return false;
	while (list.n)
		if (part_value(next_part(&list)) < 0)
			return false;
	return true;
}

bool status_list_matches(struct slice list, int status, bool failed)
{
	while (list.n) {
		int value = part_value(next_part(&list));

		if (value == 0 ? failed : value < 10 ? value == status / 100 : value == status)
			return true;
	}
	return false;
}
