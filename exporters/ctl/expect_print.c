/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "exporters/base/codepoint.h"
#include "exporters/base/utf8.h"
#include "exporters/ctl/expect.h"
#include "exporters/ctl/term.h"
#include "exporters/encode/json.h"

static void add_place(struct buf *out, struct config_mark mark)
{
	if (!mark.source)
		return;
	buf_add_text(out, mark.source);
	if (mark.line)
		buf_printf(out, ":%u", mark.line);
}

/* Lines of a diff in their colours, all of it further in. */
static void add_detail(struct buf *out, const struct term *term, struct slice detail)
{
	size_t from = 0;

	while (from < detail.n) {
		const char *newline = memchr(detail.p + from, '\n', detail.n - from);
		size_t to = newline ? (size_t)(newline - detail.p) : detail.n;
		struct slice line = { detail.p + from, to - from };
		char sign = line.n > 1 && line.p[1] == ' ' ? line.p[0] : 0;

		buf_add_text(out, "        ");
		term_style(term, out, sign == '-' ? STYLE_RED : sign == '+' ? STYLE_GREEN : STYLE_DIM);
		term_text(term, out, line, 10000);
		term_style(term, out, STYLE_PLAIN);
		buf_add_byte(out, '\n');
		from = to + 1;
	}
}

static void add_finding(struct buf *out, const struct term *term, const struct expect_finding *finding)
{
	term_style(term, out, finding->ok ? STYLE_GREEN : STYLE_RED);
	buf_add_text(out, finding->ok ? "ok    " : "FAIL  ");
	term_style(term, out, STYLE_PLAIN);
	term_text(term, out, finding->name, 10000);
	buf_add_text(out, ": ");
	if (!finding->ok)
		term_style(term, out, STYLE_BOLD);
	buf_add_slice(out, finding->got);
	if (!finding->ok) {
		term_style(term, out, STYLE_PLAIN);
		buf_add_text(out, ", wanted ");
		buf_add_slice(out, finding->wanted);
		if (finding->mark.source) {
			term_style(term, out, STYLE_DIM);
			buf_add_text(out, "  ");
			add_place(out, finding->mark);
			term_style(term, out, STYLE_PLAIN);
		}
	}
	buf_add_byte(out, '\n');
	add_detail(out, term, finding->detail);
}

void expect_print(struct buf *out, const struct term *term, const struct expect_result *r, bool all)
{
	for (size_t i = 0; i < r->n; i++)
		if (all || !r->findings[i].ok)
			add_finding(out, term, &r->findings[i]);
	if (r->failed)
		buf_printf(out, "%zu of %zu checks failed\n", r->failed, r->n);
	else
		buf_printf(out, "all %zu check%s passed\n", r->n, r->n == 1 ? "" : "s");
}

static void add_member(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, ",\"%s\":", name);
	json_string(out, text);
}

void expect_print_json(struct buf *out, const struct expect_result *r)
{
	struct buf place;

	buf_init(&place);
	buf_printf(out, "{\"ok\":%s,\"checks\":%zu,\"failed\":%zu,\"findings\":[",
		   r->failed ? "false" : "true", r->n, r->failed);
	for (size_t i = 0; i < r->n; i++) {
		const struct expect_finding *finding = &r->findings[i];

		buf_printf(out, "%s\n{\"ok\":%s", i ? "," : "", finding->ok ? "true" : "false");
		add_member(out, "name", finding->name);
		add_member(out, "wanted", finding->wanted);
		add_member(out, "got", finding->got);
		if (finding->detail.n)
			add_member(out, "detail", finding->detail);
		buf_clear(&place);
		add_place(&place, finding->mark);
		if (place.n)
			add_member(out, "place", (struct slice){ place.p, place.n });
		buf_add_byte(out, '}');
	}
	buf_add_text(out, "\n]}\n");
	buf_release(&place);
}

/* XML 1.0 has no way to write most control characters: they become U+FFFD. */
static void add_xml(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n;) {
		int n = utf8_next(text.p + i, text.n - i);
		uint32_t code = n > 0 ? codepoint_decode(text.p + i, n) : CODEPOINT_REPLACEMENT;

		if (code == '<')
			buf_add_text(out, "&lt;");
		else if (code == '>')
			buf_add_text(out, "&gt;");
		else if (code == '&')
			buf_add_text(out, "&amp;");
		else if (code == '"')
			buf_add_text(out, "&quot;");
		else if (n < 0 || (code < 0x20 && code != '\n') || (code & 0xfffe) == 0xfffe)
			buf_add_text(out, "\xef\xbf\xbd");
		else
			buf_add(out, text.p + i, (size_t)n);
		i += (size_t)abs(n);
	}
}

void expect_print_junit(struct buf *out, const struct expect_result *r, const char *suite)
{
	buf_printf(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite tests=\"%zu\" "
		   "failures=\"%zu\" errors=\"0\" skipped=\"0\" name=\"",
		   r->n, r->failed);
	add_xml(out, slice_of(suite));
	buf_add_text(out, "\">\n");
	for (size_t i = 0; i < r->n; i++) {
		const struct expect_finding *finding = &r->findings[i];

		buf_add_text(out, "<testcase classname=\"btrace\" name=\"");
		add_xml(out, finding->name);
		if (finding->ok) {
			buf_add_text(out, "\"/>\n");
			continue;
		}
		buf_add_text(out, "\">\n<failure message=\"");
		add_xml(out, finding->got);
		buf_add_text(out, ", wanted ");
		add_xml(out, finding->wanted);
		buf_add_text(out, "\">");
		add_xml(out, finding->detail);
		buf_add_text(out, "</failure>\n</testcase>\n");
	}
	buf_add_text(out, "</testsuite>\n</testsuites>\n");
}
