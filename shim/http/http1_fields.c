/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/*
 * Field lines (RFC 9112 5) in any pieces: each state may stop at any byte. What this
 * tells of a line and what http1_lines.c tells of it must be the same.
 *
 * White space between name and colon: the fields that frame a message make a request
 * broken (5.1 wants it refused with 400); anywhere else it is taken off. Lines without
 * a colon and names of more than HTTP1_NAME_MAX bytes are passed over.
 */

static void give(struct http1 *p, struct http1_data *d, const char *v, size_t n, bool last)
{
	d->p = v;
	d->n = n;
	d->field = (enum http1_field)p->field;
	d->first = p->flags & F_FIRST;
	d->last = last;
	p->flags &= (uint8_t)~F_FIRST;
}

/* The line of an open field has ended and no folded one follows. */
static enum http1_event close_field(struct http1 *p, struct http1_data *d, const char *cur)
{
	p->state = S_LINE;
	if (p->kind)
		http1_framing_end(p);
	if (!p->field)
		return HTTP1_AGAIN;
	give(p, d, cur, 0, true);
	return HTTP1_FIELD;
}

/* The next line begins with white space: it goes on with the value, after one space (5.2). */
static enum http1_event fold(struct http1 *p, const struct http1_options *opt)
{
	p->state = S_VALUE_LEAD;
	opt->carry[0] = ' ';
	p->carried = !(p->flags & F_FIRST);
	return HTTP1_AGAIN;
}

static enum http1_event open_field(struct http1 *p, const struct http1_options *opt)
{
	p->state = S_SKIP;
	if (p->carried <= HTTP1_NAME_MAX && http1_open_field(p, opt, opt->carry, p->carried, p->sub)) {
		p->state = S_VALUE_LEAD;
		p->flags |= F_FIRST;
		if (p->kind)
			http1_framing_begin(p);
	}
	p->carried = 0;
	return HTTP1_AGAIN;
}

/* Behind a CR: it ended no line unless more CRs and an LF come. */
static void after_cr(struct http1 *p, char c)
{
	if ((p->sub & AFTER_CR) && c != '\r') {
		p->sub &= (uint8_t)~AFTER_CR;
		if (c != '\n')
			p->sub |= HEAD_CR;
	}
	if (c == '\r')
		p->sub |= AFTER_CR;
}

static enum http1_event name(struct http1 *p, const struct http1_options *opt, const char **in,
			     const char *end)
{
	char c;

	for (; *in < end; ++*in) {
		c = **in;
		after_cr(p, c);
		if (c == '\n') {
			++*in;
			p->sub |= HEAD_NO_COLON;
			p->carried = 0;
			p->state = S_LINE;
			return HTTP1_AGAIN;
		}
		if (c == ':') {
			++*in;
			return open_field(p, opt);
		}
		if (is_blank(c))
			p->sub |= NAME_BLANK;
		else if (p->sub & NAME_BLANK)
			p->carried = HTTP1_NAME_MAX + 1; /* two words */
		else if (p->carried <= HTTP1_NAME_MAX && ++p->carried <= HTTP1_NAME_MAX)
			opt->carry[p->carried - 1] = c;
	}
	return HTTP1_NEED_MORE;
}

/*
 * The next piece of the value's text. What may be trailing white space (blanks, then
 * CRs: those before an LF belong to the line's end) is carried until something follows it; of more
 * than HTTP1_NAME_MAX - 1 blanks the rest is left out. False: no text in sight; the
 * state is S_LINE_OPEN if the line is at its end.
 */
static bool piece(struct http1 *p, const struct http1_options *opt, const char **in, const char *end,
		  const char **v, size_t *n)
{
	const char *cur = *in, *lf, *stop, *text;

	if (p->state == S_VALUE_LEAD) {
		while (cur < end && is_blank(*cur))
			cur++;
		*in = cur;
		if (cur == end)
			return false;
		p->state = S_VALUE;
	}
	lf = scan_lf(cur, end);
	stop = lf ? lf : end;
	text = stop;
	while (text > cur && text[-1] == '\r')
		text--;
	while (text > cur && is_blank(text[-1]))
		text--;
	if (p->carried &&
	    (text > cur || (opt->carry[p->carried - 1] == '\r' && cur < stop && *cur != '\r'))) {
		*v = opt->carry;
		*n = p->carried;
		p->carried = 0;
		return true;
	}
	if (text > cur) {
		*v = cur;
		*n = (size_t)(text - cur);
		*in = text;
		return true;
	}
	for (; cur < stop; cur++)
		if (p->carried < HTTP1_NAME_MAX - (*cur != '\r'))
			opt->carry[p->carried++] = *cur;
	*in = stop;
	if (lf) {
		*in = lf + 1;
		p->carried = 0;
		p->state = S_LINE_OPEN;
	}
	return false;
}

static HTTP1_STEP(value)
{
	const char *v;
	size_t n;

	while (piece(p, opt, in, end, &v, &n)) {
		if (memchr(v, '\r', n))
			p->sub |= HEAD_CR;
		if (p->kind)
			http1_framing_feed(p, v, n);
		if (p->field) {
			give(p, d, v, n, false);
			return HTTP1_FIELD;
		}
		p->flags &= (uint8_t)~F_FIRST;
	}
	return p->state == S_LINE_OPEN ? HTTP1_AGAIN : HTTP1_NEED_MORE;
}

static enum http1_event line_start(struct http1 *p, const char **in)
{
	char c = **in;

	if (c == '\n') {
		++*in;
		return HTTP1_HEAD_END;
	}
	if (c == '\r') {
		++*in;
		p->state = S_LINE_CR;
	} else if (is_blank(c)) {
		p->state = S_SKIP; /* RFC 9112 2.2, or the fold of a line of no interest */
	} else {
		p->state = S_NAME;
		p->carried = 0;
		p->sub &= HEAD_CR | HEAD_NO_COLON;
		if (p->head_bytes >= HTTP1_HEAD_LIMIT)
			p->sub |= NAME_FAR;
	}
	return HTTP1_AGAIN;
}

static enum http1_event skip(struct http1 *p, const char **in, const char *end)
{
	const char *eol;
	char c;

	while (*in < end) {
		if (!(p->sub & AFTER_CR)) {
			eol = scan_eol(*in, end);
			*in = eol ? eol : end;
			if (!eol)
				break;
		}
		c = *(*in)++;
		after_cr(p, c);
		if (c == '\n') {
			p->state = S_LINE;
			return HTTP1_AGAIN;
		}
	}
	return HTTP1_NEED_MORE;
}

HTTP1_STEP(http1_field_step)
{
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (p->state) {
	case S_LINE_ODD: return line_start(p, in);
	case S_LINE_OPEN: return is_blank(**in) ? fold(p, opt) : close_field(p, d, *in);
	case S_LINE_CR:
		if (**in == '\n') {
			++*in;
			return HTTP1_HEAD_END;
		}
		p->sub |= HEAD_CR;
		p->state = S_SKIP; /* a line of junk */
		return HTTP1_AGAIN;
	case S_NAME: return name(p, opt, in, end);
	case S_SKIP: return skip(p, in, end);
	default: return value(p, opt, in, end, d);
	}
}
