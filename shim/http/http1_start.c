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

/* tchar of RFC 9110 5.6.2, one bit a character. */
static bool is_tchar(unsigned char c)
{
	static const uint64_t set[4] = { 0x03ff6cfa00000000u, 0x57ffffffc7fffffeu };

	return set[c >> 6] >> (c & 63) & 1;
}

static enum http1_event start_error(struct http1 *p)
{
	return http1_break(p, p->started || (p->flags & F_URL) ? HTTP1_BAD_START_LINE : HTTP1_NOT_HTTP);
}

static void carry(struct http1 *p, const char *s, size_t n)
{
	memcpy(p->name + p->name_len, s, n);
	p->name_len += (uint8_t)n;
}

static enum http1_event method(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	const char *start = *in, *cur = start;
	size_t n;

	while (cur < end && is_tchar((unsigned char)*cur) && cur - start <= HTTP1_METHOD_MAX)
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

static enum http1_event target(struct http1 *p, const char **in, const char *end, struct http1_data *d)
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
	return target(p, in, end, d);
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

/* "HTTP/" DIGIT "." DIGIT; the name is case-sensitive (RFC 9112 2.3). 0 if it is none of version 0 or 1. */
static unsigned version(const char *s)
{
	unsigned minor = (unsigned char)s[7] - '0';

	if (memcmp(s, "HTTP/", 5) != 0 || (s[5] != '0' && s[5] != '1') || s[6] != '.' || minor > 9)
		return 0;
	return (s[5] == '1') << 4 | minor | 0x100;
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

static enum http1_event request_version(struct http1 *p, const char **in, const char *end)
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
	v = n == 8 ? version(s) : 0;
	if (!v)
		return start_error(p);
	p->version = (uint8_t)v;
	p->started = true;
	p->name_len = 0;
	p->flags = 0;
	p->state = S_LINE;
	return HTTP1_VERSION;
}

enum http1_event http1_request_line(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (p->state) {
	case S_METHOD: return method(p, in, end, d);
	case S_TARGET_START: return target_start(p, in, end, d);
	case S_TARGET: return target(p, in, end, d);
	case S_TARGET_END: return target_end(p, in, end);
	default: return request_version(p, in, end);
	}
}

/*
 * status-line = HTTP-version SP status-code SP [ reason-phrase ]. Servers leave out the
 * phrase and the space before it; the phrase may hold anything.
 */
static bool parse_status(struct http1 *p, const char *s, size_t n)
{
	unsigned v = n >= 13 ? version(s) : 0, status = 0;
	size_t i = 8;

	if (!v || !is_blank(s[i]))
		return false;
	while (i < n && is_blank(s[i]))
		i++;
	if (i + 4 > n)
		return false;
	for (size_t stop = i + 3; i < stop; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		status = status * 10 + (unsigned)(s[i] - '0');
	}
	if (status < 100 || !(is_blank(s[i]) || s[i] == '\r' || s[i] == '\n'))
		return false;
	p->version = (uint8_t)v;
	p->status = (uint16_t)status;
	return true;
}

static enum http1_event no_status(struct http1 *p)
{
	return http1_break(p, p->started ? HTTP1_BAD_START_LINE : HTTP1_NO_STATUS_LINE);
}

enum http1_event http1_status_line(struct http1 *p, const char **in, const char *end)
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
		if (!parse_status(p, s, n))
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

static bool starts(const char *p, size_t n, const char *word, size_t len)
{
	return memcmp(p, word, n < len ? n : len) == 0;
}

/* Behind "METHOD SP" of a first line. Methods which other line protocols share (get, set) need a path or URL.
 */
static int sniff_target(const char *p, size_t n, bool http_only)
{
	size_t i = 0;

	while (i < n && is_blank(p[i]))
		i++;
	if (i == n)
		return 0;
	if (p[i] == '/' || p[i] == '*')
		return 1;
	if ((p[i] | 0x20) == 'h' && n - i < 4)
		return 0;
	if ((p[i] | 0x20) == 'h' && (p[i + 1] | 0x20) == 't' && (p[i + 2] | 0x20) == 't' &&
	    (p[i + 3] | 0x20) == 'p')
		return 1;
	return http_only && (unsigned char)p[i] > 0x20 ? 1 : -1;
}

int http1_sniff(const char *p, size_t n)
{
	static const char proxy2[] = "\r\n\r\n\0\r\nQUIT\n";
	static const char http_only[][8] = { "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "PATCH", "DELETE" };
	size_t i = 0, m;
	bool ours = false;

	if (n > 24)
		n = 24;
	if (n && starts(p, n, proxy2, 12))
		return n < 12 ? 0 : 2;
	while (i < n && (p[i] == '\r' || p[i] == '\n'))
		i++;
	p += i;
	n -= i;
	if (n == 0)
		return i == 24 ? -1 : 0;
	if (starts(p, n, "PROXY ", 6))
		return n < 6 ? 0 : i ? -1 : 2;
	if (starts(p, n, "PRI * HTTP/2", 12))
		return n < 12 ? 0 : -1;
	for (m = 0; m < n && is_tchar((unsigned char)p[m]); m++)
		;
	if (m == n)
		return i + n == 24 ? -1 : 0;
	if (m == 0 || !is_blank(p[m]))
		return -1;
	for (size_t k = 0; k < sizeof(http_only) / sizeof(http_only[0]); k++)
		ours |= strlen(http_only[k]) == m && memcmp(p, http_only[k], m) == 0;
	return sniff_target(p + m, n - m, ours);
}

static bool looks_like_request_line(const char *p, size_t n)
{
	const char *lf = scan_lf(p, p + n), *cur = p;

	if (!lf)
		return false;
	if (lf > p && lf[-1] == '\r')
		lf--;
	while (cur < lf && is_tchar((unsigned char)*cur))
		cur++;
	if (cur == p || cur - p > HTTP1_METHOD_MAX || cur == lf || *cur++ != ' ')
		return false;
	p = cur;
	while (cur < lf && (unsigned char)*cur > 0x20)
		cur++;
	return cur > p && lf - cur == 9 && *cur == ' ' && version(cur + 1);
}

/* Stricter than the parser: no padding, no HTTP/0.9, the whole line or as much as tells. */
bool http1_looks_like_start(const char *p, size_t n, enum http1_role role)
{
	struct http1 scratch;

	if (role == HTTP1_REQUEST)
		return looks_like_request_line(p, n);
	return parse_status(&scratch, p, n) && p[8] == ' ';
}
