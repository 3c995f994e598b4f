/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/*
 * Field lines that are whole in the input, and which names are of interest. Most lines
 * are of none, and their first letter tells.
 */

static inline uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint32_t load4(const char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Compares with a lower case word. Only its letters may differ in bit 0x20: CR is not '-'. */
static inline bool same8(const char *p, const char *lower)
{
	uint64_t w = load8(lower);

	return (load8(p) | (w & 0x4040404040404040u) >> 1) == w;
}

static inline bool same4(const char *p, const char *lower)
{
	uint32_t w = load4(lower);

	return (load4(p) | (w & 0x40404040u) >> 1) == w;
}

/* Are the n bytes at p, n being its length, the name? The compiler makes constants of all but the loads. */
static inline __attribute__((always_inline)) bool is_name(const char *p, const char *name, size_t n)
{
	if (n > 16 && !same8(p + 8, name + 8))
		return false;
	if (n >= 8)
		return same8(p, name) && same8(p + n - 8, name + n - 8);
	if (n >= 4)
		return same4(p, name) && same4(p + n - 4, name + n - 4);
	return (p[0] | 0x20) == name[0] && p[1] == name[1];
}

#define IS(name) is_name(p, name, sizeof(name) - 1)

/* An id of headers.def or a KIND_. A unit test holds that each row of headers.def is found. */
static inline __attribute__((always_inline)) unsigned known(const char *p, size_t n)
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

bool http1_open_field(struct http1 *p, const struct http1_options *opt, const char *name, size_t n,
		      unsigned sub)
{
	unsigned id = known(name, n);

	p->field = HTTP1_FIELD_NONE;
	p->kind = KIND_NONE;
	if (id >= KIND_LENGTH) {
		p->kind = (uint8_t)id;
		if (sub & NAME_BLANK)
			http1_framing_bad_name(p);
	} else if (opt->wanted >> id & 1) {
		p->field = (uint8_t)id;
	}
	if (!p->field && opt->captured.count)
		p->field = (uint8_t)captured(&opt->captured, name, n);
	if (sub & NAME_FAR)
		p->field = HTTP1_FIELD_NONE;
	return p->kind || p->field;
}

/* What a line may be by its first byte. */
enum { LINE_SKIP, LINE_KNOWN, LINE_BLANK, LINE_CR, LINE_LF };

static const uint8_t first_bytes[256] = {
	['b'] = LINE_KNOWN, ['c'] = LINE_KNOWN, ['e'] = LINE_KNOWN,  ['f'] = LINE_KNOWN, ['h'] = LINE_KNOWN,
	['t'] = LINE_KNOWN, ['u'] = LINE_KNOWN, ['x'] = LINE_KNOWN,  ['B'] = LINE_KNOWN, ['C'] = LINE_KNOWN,
	['E'] = LINE_KNOWN, ['F'] = LINE_KNOWN, ['H'] = LINE_KNOWN,  ['T'] = LINE_KNOWN, ['U'] = LINE_KNOWN,
	['X'] = LINE_KNOWN, [' '] = LINE_BLANK, ['\t'] = LINE_BLANK, ['\r'] = LINE_CR,   ['\n'] = LINE_LF,
};

/* The value between colon and eol without its white space, nearly always one space. */
static inline void trim(const char *colon, const char *eol, const char **v, const char **stop)
{
	const char *p = colon + 1, *q = eol;

	if (q - p >= 2 && *p == ' ' && (unsigned char)p[1] > ' ' && (unsigned char)q[-1] > ' ') {
		*v = p + 1;
		*stop = q;
		return;
	}
	while (p < q && is_blank(*p))
		p++;
	while (q > p && is_blank(q[-1]))
		q--;
	*v = p;
	*stop = q;
}

/* "Connection: keep-alive" to the letter, as nearly all send it. */
static inline bool is_keep_alive(const char *colon, const char *eol)
{
	return eol - colon == 12 && memcmp(colon, ": keep-alive", 12) == 0;
}

static inline void tell(struct http1_data *d, unsigned id, const char *colon, const char *eol)
{
	const char *v, *stop;

	trim(colon, eol, &v, &stop);
	d->p = v;
	d->n = (size_t)(stop - v);
	d->field = (enum http1_field)id;
	d->first = true;
	d->last = true;
}

/* The first colon behind cur, or anything at or beyond eol if the line has none. */
static inline const char *find_colon(const char *cur, const char *eol, const char *stop)
{
#ifdef __SSE2__
	unsigned hit;

	for (; stop - cur >= 16 && cur < eol; cur += 16) {
		hit = scan_mask(cur, ':');
		if (hit)
			return cur + __builtin_ctz(hit);
	}
#endif
	while (cur < eol && *cur != ':')
		cur++;
	return cur;
}

/* Behind what can be read fast: the head's limit, or the input's end. */
static inline const char *limit(const struct http1 *p, const char *in, const char *end)
{
	size_t room = p->head_bytes < HTTP1_HEAD_LIMIT ? HTTP1_HEAD_LIMIT - p->head_bytes : 0;

	return (size_t)(end - in) > room ? in + room : end;
}

/* The line at cur is a step's work. */
static inline enum http1_event odd_line(struct http1 *p, const char **in, const char *cur)
{
	http1_take(p, in, cur);
	p->state = S_LINE_ODD;
	return HTTP1_AGAIN;
}

/* So is the value of a framing field, whole in sight behind the colon. */
static inline enum http1_event framing_line(struct http1 *p, const char **in, const char *colon, unsigned id)
{
	http1_take(p, in, colon + 1);
	p->kind = (uint8_t)id;
	p->state = S_FRAMING;
	return HTTP1_AGAIN;
}

/*
 * The next event among whole lines. HTTP1_AGAIN at a line that frames the message or is
 * odd: cut off, beyond the limit, ended by a bare LF, a control character in it, white
 * space before its colon, perhaps a folded line behind it. Without captured names nothing here calls a
 * function: on most lines that would cost more than the line.
 */
static inline __attribute__((always_inline)) enum http1_event lines(struct http1 *p,
								    const struct http1_options *opt,
								    const char **in, const char *end,
								    struct http1_data *d, bool capture)
{
	const char *cur = *in, *stop = limit(p, cur, end), *eol, *lf, *colon;
	unsigned first, id;

	for (; cur < stop; cur = lf + 1) {
		first = first_bytes[(unsigned char)*cur];
		if (first > LINE_KNOWN) {
			if (first != LINE_CR || stop - cur < 2 || cur[1] != '\n')
				return odd_line(p, in, cur);
			http1_take(p, in, cur + 2);
			return HTTP1_HEAD_END;
		}
		eol = scan_low(cur, stop, '\r');
		if (!eol || stop - eol < 2 || memcmp(eol, "\r\n", 2) != 0)
			return odd_line(p, in, cur);
		lf = eol + 1;
		colon = find_colon(cur, eol, stop);
		if (colon >= eol) {
			p->sub |= HEAD_NO_COLON;
			continue;
		}
		if (first == LINE_SKIP && !capture)
			continue;
		id = known(cur, (size_t)(colon - cur));
		if (id < KIND_LENGTH && !(opt->wanted >> id & 1))
			id = HTTP1_FIELD_NONE;
		if (capture && id == HTTP1_FIELD_NONE && colon - cur <= HTTP1_NAME_MAX)
			id = captured(&opt->captured, cur, (size_t)(colon - cur));
		if (id == HTTP1_FIELD_NONE) {
			if (colon > cur && is_blank(colon[-1]))
				return odd_line(p, in, cur);
			continue;
		}
		if (lf + 1 == stop || is_blank(lf[1]))
			return odd_line(p, in, cur);
		if (id < KIND_LENGTH || (capture && id >= HTTP1_FIELD_CAPTURED)) {
			tell(d, id, colon, eol);
			http1_take(p, in, lf + 1);
			return HTTP1_FIELD;
		}
		if (capture)
			return odd_line(p, in, cur); /* it may be among the captured ones, too */
		if (id != KIND_CONNECTION || !is_keep_alive(colon, eol))
			return framing_line(p, in, colon, id);
		p->flags |= F_KEEP_ALIVE;
	}
	if (stop < end)
		return odd_line(p, in, cur);
	http1_take(p, in, cur);
	return HTTP1_NEED_MORE;
}

/* The same for http1_steps(), which goes on by itself. */
HTTP1_STEP(http1_lines_step)
{
	enum http1_event ev =
		opt->captured.count ? lines(p, opt, in, end, d, true) : lines(p, opt, in, end, d, false);

	return ev == HTTP1_HEAD_END ? http1_framing_decide(p) : ev;
}

HTTP1_STEP(http1_lines)
{
	enum http1_event ev = HTTP1_AGAIN;

	if (!opt->captured.count)
		ev = lines(p, opt, in, end, d, false);
	if (ev == HTTP1_AGAIN)
		return http1_steps(p, opt, in, end, d);
	return ev == HTTP1_HEAD_END ? http1_framing_decide(p) : ev;
}

/* S_FRAMING: the value of a framing field, whole in sight */
HTTP1_STEP(http1_framing_step)
{
	const char *lf = scan_lf(*in, end), *v, *stop;

	(void)opt;
	(void)d;
	trim(*in - 1, lf[-1] == '\r' ? lf - 1 : lf, &v, &stop);
	http1_take(p, in, lf + 1);
	p->state = S_LINE;
	http1_framing_value(p, v, (size_t)(stop - v));
	return HTTP1_AGAIN;
}
