/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_names.h"

/*
 * Field lines that are whole in the input, and which names are of interest. Most lines
 * are of none, and their first letter tells.
 */

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
