/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/*
 * Request lines (RFC 9112 3) and status lines (4). Words are delimited by any run of
 * spaces, tabs and bare CRs, as 3 allows. The target is all between the method and the
 * last word if that is a version: what servers make of white space in it differs, and we
 * tell what was sent. A line with a malformed version or none is told as a request (the
 * server answers it with 400, or without a status line) and breaks the connection.
 */

/* Version and status of an answer fit here with room for padding; what does not is no status line. */
#define WINDOW 32

/* p->token_len while a version is read; below G_SLASH: that many letters of "HTTP/" */
enum { G_BLANK, G_SLASH = 5, G_MAJOR, G_DOT, G_MINOR, G_PADDING };

static enum http1_event start_error(struct http1 *p)
{
	return http1_break(p, p->started || (p->flags & F_URL) ? HTTP1_BAD_START_LINE : HTTP1_NOT_HTTP);
}

static void carry(struct http1 *p, const struct http1_options *opt, const char *s, size_t n)
{
	memcpy(opt->carry + p->carried, s, n);
	p->carried += (uint8_t)n;
}

static HTTP1_STEP(any_method)
{
	const char *start = *in, *cur;
	size_t n;

	while (start < end && p->carried == 0 && is_blank(*start))
		start++;
	cur = start;
	while (cur < end && http1_is_tchar((unsigned char)*cur) && cur - start <= HTTP1_METHOD_MAX)
		cur++;
	n = (size_t)(cur - start);
	if (p->carried + n > HTTP1_METHOD_MAX)
		return start_error(p);
	*in = cur;
	if (cur == end) {
		carry(p, opt, start, n);
		return HTTP1_NEED_MORE;
	}
	if (!is_blank(*cur) || p->carried + n == 0)
		return start_error(p);
	d->p = start;
	d->n = n;
	if (p->carried) {
		carry(p, opt, start, n);
		d->p = opt->carry;
		d->n = p->carried;
	}
	if (d->n == 3 && memcmp(d->p, "GET", 3) == 0)
		p->flags |= F_GET;
	if (d->n == 3 && memcmp(d->p, "PRI", 3) == 0)
		p->flags |= F_PRI;
	p->carried = 0;
	p->state = S_TARGET_START;
	return HTTP1_METHOD;
}

static void piece(struct http1 *p, struct http1_data *d, const char *s, size_t n, bool last)
{
	d->p = s;
	d->n = n;
	d->first = !(p->flags & F_TOLD);
	d->last = last;
	p->flags |= F_TOLD;
}

static bool is_gap(char c) { return is_blank(c) || c == '\r'; }

static enum http1_event any_target(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	const char *start = *in, *cur = start;

	/* Other control characters belong to it; servers differ in what they make of them. */
	while ((cur = scan_blank(cur, end)) < end && !is_gap(*cur) && *cur != '\n')
		cur++;
	*in = cur;
	if (cur > start) {
		piece(p, d, start, (size_t)(cur - start), false);
		p->state = S_TARGET;
		return HTTP1_TARGET;
	}
	p->state = S_GAP;
	p->carried = 0;
	p->token_len = G_BLANK;
	return HTTP1_AGAIN;
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

/* One more digit; what does not fit its half of p->version is 15 there. */
static unsigned digit(unsigned value, char c)
{
	value = value * 10 + (unsigned)(c - '0');
	return value < 15 ? value : 15;
}

/* Does c go on with what may be the version? */
static bool extends(struct http1 *p, char c)
{
	bool is_digit = c >= '0' && c <= '9';
	unsigned major = p->version >> 4, minor = p->version & 15, g = p->token_len;

	if (g == G_BLANK && is_gap(c))
		return true;
	if (g < G_SLASH && c == "HTTP/"[g]) {
		p->token_len++;
	} else if ((g == G_SLASH || g == G_MAJOR) && is_digit) {
		p->version = (uint8_t)(digit(major, c) << 4);
		p->token_len = G_MAJOR;
	} else if (g == G_MAJOR && c == '.') {
		p->token_len = G_DOT;
	} else if ((g == G_DOT || g == G_MINOR) && is_digit) {
		p->version = (uint8_t)(major << 4 | digit(minor, c));
		p->token_len = G_MINOR;
	} else if ((g == G_MINOR || g == G_PADDING) && is_gap(c)) {
		p->token_len = G_PADDING;
	} else {
		return false;
	}
	return true;
}

/* What was held back was no version. */
static enum http1_event no_version(struct http1 *p, const struct http1_options *opt, struct http1_data *d)
{
	if (p->token_len >= G_SLASH) {
		piece(p, d, "", 0, true);
		p->state = S_BAD_LINE;
		return HTTP1_TARGET;
	}
	if (!p->started && !(p->flags & F_URL))
		return start_error(p);
	piece(p, d, opt->carry, p->carried, false);
	p->carried = 0;
	p->flags |= F_WORDS;
	p->state = S_TARGET;
	return HTTP1_TARGET;
}

/* A line without version is the whole of an HTTP/0.9 request, which nginx, apache and Python still serve. */
static enum http1_event line_end(struct http1 *p, struct http1_data *d)
{
	const unsigned simple = F_GET | F_URL;

	if (p->token_len >= G_MINOR) {
		if (p->flags & F_PRI && p->version >= 0x20 && !p->started) /* RFC 9113 3.4 */
			return http1_break(p, HTTP1_NOT_HTTP);
		p->state = S_VERSION_TOLD;
	} else if (!p->started && !(p->flags & F_URL)) {
		return start_error(p);
	} else if (p->token_len == G_BLANK && (p->flags & (simple | F_WORDS)) == simple) {
		p->version = 0x09;
		p->state = S_SIMPLE_VERSION;
	} else {
		p->state = S_BAD_VERSION;
	}
	piece(p, d, "", 0, true);
	return HTTP1_TARGET;
}

/* Behind a word of the target: white space, then perhaps the version. All that is carried. */
static HTTP1_STEP(gap)
{
	for (; *in < end; ++*in) {
		if (**in == '\n') {
			++*in;
			return line_end(p, d);
		}
		if (p->carried == HTTP1_NAME_MAX || !extends(p, **in))
			return no_version(p, opt, d);
		opt->carry[p->carried++] = **in;
	}
	return HTTP1_NEED_MORE;
}

static enum http1_event bad_line(struct http1 *p, const char **in, const char *end)
{
	const char *lf = scan_lf(*in, end);

	*in = lf ? lf + 1 : end;
	if (!lf)
		return HTTP1_NEED_MORE;
	p->state = S_BAD_VERSION;
	return HTTP1_AGAIN;
}

HTTP1_STEP(http1_version)
{
	(void)opt;
	(void)in;
	(void)end;
	(void)d;
	p->carried = 0;
	p->flags = 0;
	p->started = true;
	if (p->state == S_BAD_VERSION) {
		p->version = 0;
		p->error = HTTP1_BAD_START_LINE;
	}
	p->state = p->state == S_BAD_VERSION ? S_BREAK : p->state == S_SIMPLE_VERSION ? S_SIMPLE : S_LINE;
	return HTTP1_VERSION;
}

/*
 * Gathers a line of at most WINDOW bytes, or that many bytes of a longer one, in sight
 * of *s. False: not there yet, or (no prefix of "HTTP/") it never will be.
 */
static bool window(struct http1 *p, const struct http1_options *opt, const char **in, const char *end,
		   const char **s, size_t *n, bool *lf)
{
	size_t room = WINDOW - p->carried, have = (size_t)(end - *in);
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
	if (p->carried || !(nl || have == WINDOW)) {
		carry(p, opt, *s, have);
		*s = opt->carry;
		*n = p->carried;
	}
	return nl || *n == WINDOW;
}

static bool wrong_prefix(const char *s, size_t n) { return memcmp(s, "HTTP/", n < 5 ? n : 5) != 0; }

static enum http1_event no_status(struct http1 *p)
{
	return http1_break(p, p->started ? HTTP1_BAD_START_LINE : HTTP1_NO_STATUS_LINE);
}

static enum http1_event any_status(struct http1 *p, const struct http1_options *opt, const char **in,
				   const char *end)
{
	const char *s;
	bool lf;
	size_t n;

	if (*in == end)
		return HTTP1_NEED_MORE;
	if (p->state == S_STATUS) {
		if (!window(p, opt, in, end, &s, &n, &lf))
			return wrong_prefix(s, n) ? no_status(p) : HTTP1_NEED_MORE;
		p->carried = 0;
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
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (p->state) {
	case S_METHOD: return any_method(p, opt, in, end, d);
	case S_TARGET_START: return target_start(p, in, end, d);
	case S_TARGET: return any_target(p, in, end, d);
	case S_GAP: return gap(p, opt, in, end, d);
	case S_BAD_LINE: return bad_line(p, in, end);
	default: return any_status(p, opt, in, end);
	}
}

/* The steps for what clients and servers nearly always send, of which nothing was cut off. */

HTTP1_STEP(http1_method)
{
	if (p->carried || end - *in < 5 || memcmp(*in, "GET /", 5) != 0)
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

	if (end - cur < 11 || **in != '/' || memcmp(cur, " HTTP/1.1\r\n", 11) != 0)
		return http1_steps(p, opt, in, end, d);
	d->p = *in;
	d->n = (size_t)(cur - *in);
	d->first = true;
	d->last = true;
	http1_take(p, in, cur + 11);
	p->version = 0x11;
	p->state = S_VERSION_TOLD;
	return HTTP1_TARGET;
}

HTTP1_STEP(http1_status)
{
	const char *lf;

	if (p->carried || end - *in < 13 || !http1_parse_status(p, *in, 13) || !(lf = scan_lf(*in + 12, end)))
		return http1_steps(p, opt, in, end, d);
	http1_take(p, in, lf + 1);
	p->started = true;
	p->state = S_LINE;
	return HTTP1_STATUS;
}
