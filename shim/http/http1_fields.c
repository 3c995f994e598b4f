/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/*
 * Field lines (RFC 9112 5). A line that is whole in the buffer, with the byte behind it
 * (a folded line may follow), is read where it stands; any other goes through
 * S_NAME and S_VALUE, which may stop at any byte. Both must tell the same.
 *
 * White space between name and colon: the fields that frame a message make a request
 * broken (5.1 wants it refused with 400); anywhere else it is taken off.
 */

static uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* 0x20 for each letter of a lower case word; '-' and digits must match as they are. */
static uint64_t letters(uint64_t w) { return (w & 0x4040404040404040u) >> 1; }

static bool same8(const char *p, const char *lower)
{
	uint64_t w = load8(lower);

	return (load8(p) | letters(w)) == w;
}

/* Is p/n the name? n is the name's length already. */
static inline __attribute__((always_inline)) bool is_name(const char *p, const char *name, size_t n)
{
	char c;

	if (n >= 8) {
		for (size_t i = 0; i + 8 < n; i += 8)
			if (!same8(p + i, name + i))
				return false;
		return same8(p + n - 8, name + n - 8);
	}
	for (size_t i = 0; i < n; i++) {
		c = name[i];
		if ((p[i] | (c & 0x40) >> 1) != c)
			return false;
	}
	return true;
}

#define IS(name) is_name(p, name, sizeof(name) - 1)

/* An id of headers.def or a KIND_. The unit test holds that each row of headers.def is found. */
static unsigned known(const char *p, size_t n)
{
	switch (n) {
	case 2: return IS("b3") ? HTTP1_FIELD_B3 : 0;
	case 4: return IS("host") ? HTTP1_FIELD_HOST : 0;
	case 6: return IS("expect") ? KIND_EXPECT : 0;
	case 7: return IS("baggage") ? HTTP1_FIELD_BAGGAGE : 0;
	case 9: return IS("forwarded") ? HTTP1_FIELD_FORWARDED : 0;
	case 10:
		return IS("connection")   ? KIND_CONNECTION
		       : IS("user-agent") ? HTTP1_FIELD_USER_AGENT
		       : IS("tracestate") ? HTTP1_FIELD_TRACESTATE
		       : IS("x-b3-flags") ? HTTP1_FIELD_X_B3_FLAGS
					  : 0;
	case 11:
		return IS("traceparent")   ? HTTP1_FIELD_TRACEPARENT
		       : IS("x-b3-spanid") ? HTTP1_FIELD_X_B3_SPANID
					   : 0;
	case 12:
		return IS("x-b3-traceid")   ? HTTP1_FIELD_X_B3_TRACEID
		       : IS("x-b3-sampled") ? HTTP1_FIELD_X_B3_SAMPLED
					    : 0;
	case 13: return IS("uber-trace-id") ? HTTP1_FIELD_UBER_TRACE_ID : 0;
	case 14: return IS("content-length") ? KIND_LENGTH : 0;
	case 15: return IS("x-forwarded-for") ? HTTP1_FIELD_X_FORWARDED_FOR : 0;
	case 16: return IS("x-forwarded-host") ? HTTP1_FIELD_X_FORWARDED_HOST : 0;
	case 17:
		return IS("transfer-encoding")   ? KIND_CODING
		       : IS("x-forwarded-proto") ? HTTP1_FIELD_X_FORWARDED_PROTO
						 : 0;
	default: return 0;
	}
}

static int compare(const char *p, size_t n, const char *lower)
{
	size_t i;
	char c;

	for (i = 0; i < n && lower[i]; i++) {
		c = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
		if (c != lower[i])
			return (unsigned char)c < (unsigned char)lower[i] ? -1 : 1;
	}
	return (i < n) - (lower[i] != 0);
}

static unsigned captured(const struct http1_captured *list, const char *p, size_t n)
{
	size_t low = 0, high = list->count, mid;
	int order;

	while (low < high) {
		mid = (low + high) / 2;
		order = compare(p, n, list->names[mid]);
		if (order == 0)
			return (unsigned)(HTTP1_FIELD_CAPTURED + mid);
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return HTTP1_FIELD_NONE;
}

/* p->sub while a name is read */
enum {
	NAME_BLANK = 1, /* white space stood behind it */
	NAME_FAR = 2,   /* its line begins beyond HTTP1_HEAD_LIMIT: framing only */
};

static unsigned how_far(const struct http1 *p) { return p->head_bytes >= HTTP1_HEAD_LIMIT ? NAME_FAR : 0; }

/* Sets kind and field by the name. True: the value is of interest. */
static bool open_field(struct http1 *p, const struct http1_options *opt, const char *name, size_t n,
		       unsigned sub)
{
	unsigned id = known(name, n);

	p->field = HTTP1_FIELD_NONE;
	if (id >= KIND_LENGTH) {
		if (sub & NAME_BLANK)
			http1_framing_bad_name(p, id);
		http1_framing_begin(p, id);
	} else if (opt->wanted >> id & 1) {
		p->field = (uint8_t)id;
	}
	if (!p->field && opt->captured.count)
		p->field = (uint8_t)captured(&opt->captured, name, n);
	if (sub & NAME_FAR)
		p->field = HTTP1_FIELD_NONE;
	if (!p->kind && !p->field)
		return false;
	p->flags |= F_OPEN | F_FIRST;
	return true;
}

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
	p->flags &= (uint8_t)~F_OPEN;
	if (p->kind)
		http1_framing_end(p);
	if (!p->field)
		return HTTP1_AGAIN;
	give(p, d, cur, 0, true);
	return HTTP1_FIELD;
}

/* A line that begins with white space goes on with the value before it, after one space (5.2). */
static enum http1_event fold(struct http1 *p)
{
	p->state = S_SKIP;
	if (p->flags & F_OPEN) {
		p->state = S_VALUE_LEAD;
		p->name[0] = ' ';
		p->name_len = !(p->flags & F_FIRST);
	}
	return HTTP1_AGAIN;
}

static enum http1_event name(struct http1 *p, const struct http1_options *opt, const char **in,
			     const char *end)
{
	char c;

	for (; *in < end; ++*in) {
		c = **in;
		if (c == '\n') {
			++*in;
			p->state = S_LINE;
			return HTTP1_AGAIN;
		}
		if (c == ':') {
			++*in;
			p->state = open_field(p, opt, p->name, p->name_len, p->sub) ? S_VALUE_LEAD : S_SKIP;
			p->name_len = 0;
			return HTTP1_AGAIN;
		}
		if (is_blank(c)) {
			p->sub |= NAME_BLANK;
		} else if ((p->sub & NAME_BLANK) || p->name_len == HTTP1_NAME_MAX) {
			p->state = S_SKIP;
			return HTTP1_AGAIN;
		} else {
			p->name[p->name_len++] = c;
		}
	}
	return HTTP1_NEED_MORE;
}

/*
 * The next piece of the value's text. What may be trailing white space (blanks, then
 * perhaps the CR of the line end) waits in p->name until something follows it; of more
 * than HTTP1_NAME_MAX - 1 blanks the rest is left out. False: no text in sight; the
 * state is S_LINE if the line is at its end.
 */
static bool piece(struct http1 *p, const char **in, const char *end, const char **v, size_t *n)
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
	if (text > cur && text[-1] == '\r')
		text--;
	while (text > cur && is_blank(text[-1]))
		text--;
	if (p->name_len && (text > cur || (p->name[p->name_len - 1] == '\r' && cur < stop))) {
		*v = p->name;
		*n = p->name_len;
		p->name_len = 0;
		return true;
	}
	if (text > cur) {
		*v = cur;
		*n = (size_t)(text - cur);
		*in = text;
		return true;
	}
	for (; cur < stop; cur++)
		if (p->name_len < HTTP1_NAME_MAX - (*cur != '\r'))
			p->name[p->name_len++] = *cur;
	*in = stop;
	if (lf) {
		*in = lf + 1;
		p->name_len = 0;
		p->state = S_LINE;
	}
	return false;
}

static enum http1_event value(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	const char *v;
	size_t n;

	while (piece(p, in, end, &v, &n)) {
		if (p->kind)
			http1_framing_feed(p, v, n);
		if (p->field) {
			give(p, d, v, n, false);
			return HTTP1_FIELD;
		}
		p->flags &= (uint8_t)~F_FIRST;
	}
	return p->state == S_LINE ? HTTP1_AGAIN : HTTP1_NEED_MORE;
}

/* A whole line [line, lf) with the byte behind it in sight. False: nothing to tell. */
static bool whole_line(struct http1 *p, const char *colon, const char *lf, struct http1_data *d)
{
	const char *v = colon + 1, *stop = lf;

	if (stop > v && stop[-1] == '\r')
		stop--;
	while (v < stop && is_blank(*v))
		v++;
	while (stop > v && is_blank(stop[-1]))
		stop--;
	p->flags &= (uint8_t)~F_OPEN;
	if (p->kind) {
		http1_framing_feed(p, v, (size_t)(stop - v));
		http1_framing_end(p);
	}
	if (!p->field)
		return false;
	give(p, d, v, (size_t)(stop - v), true);
	return true;
}

static void start_name(struct http1 *p)
{
	p->state = S_NAME;
	p->name_len = 0;
	p->sub = (uint8_t)how_far(p);
}

/* One line from its first byte on, which is neither CR, LF nor a blank. */
static enum http1_event line(struct http1 *p, const struct http1_options *opt, const char **in,
			     const char *end, struct http1_data *d)
{
	const char *cur = *in, *lf = scan_lf(cur, end), *colon, *stop;

	if (!lf) {
		start_name(p);
		return HTTP1_AGAIN;
	}
	colon = memchr(cur, ':', (size_t)(lf - cur));
	if (!colon) {
		*in = lf + 1;
		return HTTP1_AGAIN;
	}
	for (stop = colon; stop > cur && is_blank(stop[-1]);)
		stop--;
	if (stop - cur > HTTP1_NAME_MAX ||
	    !open_field(p, opt, cur, (size_t)(stop - cur), how_far(p) | (stop < colon))) {
		*in = lf + 1;
		return HTTP1_AGAIN;
	}
	if (lf + 1 == end || is_blank(lf[1])) {
		*in = colon + 1;
		p->name_len = 0;
		p->state = S_VALUE_LEAD;
		return HTTP1_AGAIN;
	}
	*in = lf + 1;
	return whole_line(p, colon, lf, d) ? HTTP1_FIELD : HTTP1_AGAIN;
}

static enum http1_event line_start(struct http1 *p, const struct http1_options *opt, const char **in,
				   const char *end, struct http1_data *d)
{
	char c = **in;

	if (is_blank(c))
		return fold(p);
	if (p->flags & F_OPEN)
		return close_field(p, d, *in);
	if (c == '\n') {
		++*in;
		return HTTP1_HEAD_END;
	}
	if (c == '\r') {
		++*in;
		p->state = S_LINE_CR;
		return HTTP1_AGAIN;
	}
	return line(p, opt, in, end, d);
}

static enum http1_event skip(struct http1 *p, const char **in, const char *end)
{
	const char *lf = scan_lf(*in, end);

	*in = lf ? lf + 1 : end;
	if (!lf)
		return HTTP1_NEED_MORE;
	p->state = S_LINE;
	return HTTP1_AGAIN;
}

enum http1_event http1_field_lines(struct http1 *p, const struct http1_options *opt, const char **in,
				   const char *end, struct http1_data *d)
{
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (p->state) {
	case S_LINE: return line_start(p, opt, in, end, d);
	case S_LINE_CR:
		if (**in == '\n') {
			++*in;
			return HTTP1_HEAD_END;
		}
		p->state = S_SKIP; /* a line of junk */
		return HTTP1_AGAIN;
	case S_NAME: return name(p, opt, in, end);
	case S_SKIP: return skip(p, in, end);
	default: return value(p, in, end, d);
	}
}
