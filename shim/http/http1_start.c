/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/*
 * Request lines (RFC 9112 3) and status lines (4). Words are delimited by any run of
 * spaces and tabs, as 3 and 4 allow. What has an unknown version or none is broken;
 * nothing is guessed (3.2: no autocorrection): every server refuses it with 400.
 */

/* Version and status fit here with room for padding; what does not is no start line. */
#define WINDOW 32

static enum http1_event start_error(struct http1 *p)
{
	return http1_break(p, p->started || (p->flags & F_URL) ? HTTP1_BAD_START_LINE : HTTP1_NOT_HTTP);
}

static void carry(struct http1 *p, const char *s, size_t n)
{
	memcpy(p->name + p->name_len, s, n);
	p->name_len += (uint8_t)n;
}

static enum http1_event any_method(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	const char *start = *in, *cur = start;
	size_t n;

	while (cur < end && http1_is_tchar((unsigned char)*cur) && cur - start <= HTTP1_METHOD_MAX)
		cur++;
	n = (size_t)(cur - start);
	if (p->name_len + n > HTTP1_METHOD_MAX)
		return start_error(p);
	*in = cur;
	if (cur == end) {
		carry(p, start, n);
		return HTTP1_NEED_MORE;
	}
	if (!is_blank(*cur) || p->name_len + n == 0)
		return start_error(p);
	d->p = start;
	d->n = n;
	if (p->name_len) {
		carry(p, start, n);
		d->p = p->name;
		d->n = p->name_len;
	}
	if (d->n == 3 && memcmp(d->p, "GET", 3) == 0)
		p->flags |= F_GET;
	p->name_len = 0;
	p->state = S_TARGET_START;
	return HTTP1_METHOD;
}

static enum http1_event any_target(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	const char *start = *in, *cur = start;

	/* Other control characters belong to it; servers differ in what they make of them. */
	while ((cur = scan_blank(cur, end)) < end && !is_blank(*cur) && *cur != '\r' && *cur != '\n')
		cur++;
	*in = cur;
	d->p = start;
	d->n = (size_t)(cur - start);
	d->first = p->state == S_TARGET_START;
	d->last = cur < end;
	if (cur == end) {
		p->state = S_TARGET;
		return d->n ? HTTP1_TARGET : HTTP1_NEED_MORE;
	}
	p->state = is_blank(*cur) ? S_VERSION : S_TARGET_END;
	return HTTP1_TARGET;
}

static enum http1_event target_start(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	while (*in < end && is_blank(**in))
		++*in;
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (**in) {
	case '\r':
	case '\n': return start_error(p);
	case '/':
	case '*':
	case 'h':
	case 'H': p->flags |= F_URL;
	}
	return any_target(p, in, end, d);
}

/* A line without version is the whole of an HTTP/0.9 request, which nginx, apache and Python still serve. */
static enum http1_event target_end(struct http1 *p, const char **in, const char *end)
{
	if (**in == '\r' && !p->token_len) {
		p->token_len = 1;
		++*in;
	}
	if (*in == end)
		return HTTP1_NEED_MORE;
	if (**in != '\n' || (p->flags & (F_GET | F_URL)) != (F_GET | F_URL))
		return start_error(p);
	++*in;
	p->flags = 0;
	p->version = 0x09;
	p->started = true;
	p->state = S_SIMPLE;
	return HTTP1_VERSION;
}

/*
 * Gathers a line of at most WINDOW bytes, or that many bytes of a longer one, in sight
 * of *s. False: not there yet, or (no prefix of "HTTP/") it never will be.
 */
static bool window(struct http1 *p, const char **in, const char *end, const char **s, size_t *n, bool *lf)
{
	size_t room = WINDOW - p->name_len, have = (size_t)(end - *in);
	const char *nl;

	if (have > room)
		have = room;
	nl = memchr(*in, '\n', have);
	if (nl)
		have = (size_t)(nl - *in) + 1;
	*lf = nl != NULL;
	*s = *in;
	*n = have;
	*in += have;
	if (p->name_len || !(nl || have == WINDOW)) {
		carry(p, *s, have);
		*s = p->name;
		*n = p->name_len;
	}
	return nl || *n == WINDOW;
}

static bool wrong_prefix(const char *s, size_t n) { return memcmp(s, "HTTP/", n < 5 ? n : 5) != 0; }

static enum http1_event version_done(struct http1 *p, unsigned version)
{
	p->version = (uint8_t)version;
	p->started = true;
	p->flags = 0;
	p->name_len = 0;
	p->state = S_LINE;
	return HTTP1_VERSION;
}

static enum http1_event any_version(struct http1 *p, const char **in, const char *end)
{
	const char *s;
	unsigned v;
	size_t n;
	bool lf;

	while (p->name_len == 0 && *in < end && is_blank(**in))
		++*in;
	if (*in == end)
		return HTTP1_NEED_MORE;
	if (p->name_len == 0 && (**in == '\r' || **in == '\n')) {
		p->state = S_TARGET_END;
		return HTTP1_AGAIN;
	}
	if (!window(p, in, end, &s, &n, &lf))
		return wrong_prefix(s, n) ? start_error(p) : HTTP1_NEED_MORE;
	if (!lf || n < 9)
		return start_error(p);
	n -= 1 + (s[n - 2] == '\r');
	while (n && is_blank(s[n - 1]))
		n--;
	v = n == 8 ? http1_parse_version(s) : 0;
	if (!v)
		return start_error(p);
	return version_done(p, v & 0xff);
}

static enum http1_event no_status(struct http1 *p)
{
	return http1_break(p, p->started ? HTTP1_BAD_START_LINE : HTTP1_NO_STATUS_LINE);
}

static enum http1_event any_status(struct http1 *p, const char **in, const char *end)
{
	const char *s;
	bool lf;
	size_t n;

	if (*in == end)
		return HTTP1_NEED_MORE;
	if (p->state == S_STATUS) {
		if (!window(p, in, end, &s, &n, &lf))
			return wrong_prefix(s, n) ? no_status(p) : HTTP1_NEED_MORE;
		p->name_len = 0;
		if (!http1_parse_status(p, s, n))
			return no_status(p);
		p->state = S_STATUS_REST;
	} else {
		s = scan_lf(*in, end);
		lf = s != NULL;
		*in = lf ? s + 1 : end;
	}
	if (!lf)
		return HTTP1_AGAIN;
	p->started = true;
	p->state = S_LINE;
	return HTTP1_STATUS;
}

HTTP1_STEP(http1_start_step)
{
	(void)opt;
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (p->state) {
	case S_METHOD: return any_method(p, in, end, d);
	case S_TARGET_START: return target_start(p, in, end, d);
	case S_TARGET: return any_target(p, in, end, d);
	case S_TARGET_END: return target_end(p, in, end);
	case S_VERSION: return any_version(p, in, end);
	default: return any_status(p, in, end);
	}
}

/* The steps for what clients and servers nearly always send, of which nothing was cut off. */

HTTP1_STEP(http1_method)
{
	if (p->name_len || end - *in < 5 || memcmp(*in, "GET /", 5) != 0)
		return http1_steps(p, opt, in, end, d);
	d->p = *in;
	d->n = 3;
	http1_take(p, in, *in + 4);
	p->flags = F_GET;
	p->state = S_TARGET_START;
	return HTTP1_METHOD;
}

HTTP1_STEP(http1_target)
{
	const char *cur = scan_blank(*in, end);

	if (cur == end || *cur != ' ' || **in != '/')
		return http1_steps(p, opt, in, end, d);
	d->p = *in;
	d->n = (size_t)(cur - *in);
	d->first = true;
	d->last = true;
	http1_take(p, in, cur + 1);
	p->flags |= F_URL;
	p->state = S_VERSION;
	return HTTP1_TARGET;
}

HTTP1_STEP(http1_version)
{
	if (p->name_len || end - *in < 10 || memcmp(*in, "HTTP/1.1\r\n", 10) != 0)
		return http1_steps(p, opt, in, end, d);
	http1_take(p, in, *in + 10);
	return version_done(p, 0x11);
}

HTTP1_STEP(http1_status)
{
	const char *lf;

	if (p->name_len || end - *in < 13 || !http1_parse_status(p, *in, 13) ||
	    !(lf = scan_lf(*in + 12, end)))
		return http1_steps(p, opt, in, end, d);
	http1_take(p, in, lf + 1);
	p->started = true;
	p->state = S_LINE;
	return HTTP1_STATUS;
}
