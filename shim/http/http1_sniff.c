/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/* The words of start lines, and what the first bytes of a connection or a call could be. */

#define SNIFF_BYTES 24

/* tchar of RFC 9110 5.6.2, one bit a character. */
bool http1_is_tchar(unsigned char c)
{
	static const uint64_t set[4] = { 0x03ff6cfa00000000u, 0x57ffffffc7fffffeu };

	return set[c >> 6] >> (c & 63) & 1;
}

/* "HTTP/" DIGIT "." DIGIT; the name is case-sensitive (RFC 9112 2.3). 0 if it is none of version 0 or 1. */
unsigned http1_parse_version(const char *s)
{
	unsigned minor = (unsigned char)s[7] - '0';

	if (memcmp(s, "HTTP/", 5) != 0 || (s[5] != '0' && s[5] != '1') || s[6] != '.' || minor > 9)
		return 0;
	return (s[5] == '1') << 4 | minor | 0x100;
}

/*
 * status-line = HTTP-version SP status-code SP [ reason-phrase ]. Servers leave out the
 * phrase and the space before it; the phrase may hold anything.
 */
bool http1_parse_status(struct http1 *p, const char *s, size_t n)
{
	unsigned v = n >= 13 ? http1_parse_version(s) : 0, status = 0;
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

static int sniff(const char *p, size_t n)
{
	static const char proxy2[] = "\r\n\r\n\0\r\nQUIT\n";
	static const char http_only[][8] = { "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "PATCH", "DELETE" };
	bool first = true, ours = false;
	size_t m = 0;

	if (starts(p, n, proxy2, 12))
		return n < 12 ? 0 : 2;
	for (; n && (*p == '\r' || *p == '\n'); p++, n--)
		first = false;
	if (starts(p, n, "PROXY ", 6))
		return n < 6 ? 0 : first ? 2 : -1;
	if (starts(p, n, "PRI * HTTP/2", 12))
		return n < 12 ? 0 : -1;
	for (; n && is_blank(*p); p++, n--)
		;
	while (m < n && http1_is_tchar((unsigned char)p[m]))
		m++;
	if (m == n)
		return 0;
	if (m == 0 || !is_blank(p[m]))
		return -1;
	for (size_t i = 0; i < sizeof(http_only) / sizeof(http_only[0]); i++)
		ours |= strlen(http_only[i]) == m && memcmp(p, http_only[i], m) == 0;
	return sniff_target(p + m, n - m, ours);
}

int http1_sniff(const char *p, size_t n)
{
	int answer = n == 0 ? 0 : sniff(p, n < SNIFF_BYTES ? n : SNIFF_BYTES);

	return answer == 0 && n >= SNIFF_BYTES ? -1 : answer;
}

static bool looks_like_request_line(const char *p, size_t n)
{
	const char *lf = scan_lf(p, p + n), *cur = p;

	if (!lf)
		return false;
	if (lf > p && lf[-1] == '\r')
		lf--;
	while (cur < lf && http1_is_tchar((unsigned char)*cur))
		cur++;
	if (cur == p || cur - p > HTTP1_METHOD_MAX || cur == lf || *cur++ != ' ')
		return false;
	p = cur;
	while (cur < lf && (unsigned char)*cur > 0x20)
		cur++;
	return cur > p && lf - cur == 9 && *cur == ' ' && http1_parse_version(cur + 1);
}

/* Stricter than the parser: no padding, no HTTP/0.9, the whole line or as much as tells. */
bool http1_looks_like_start(const char *p, size_t n, enum http1_role role)
{
	struct http1 scratch;

	if (role == HTTP1_REQUEST)
		return looks_like_request_line(p, n);
	return http1_parse_status(&scratch, p, n) && p[8] == ' ' && p[9] != ' ';
}
