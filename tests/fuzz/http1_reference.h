/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_REFERENCE_H
#define BTRACE_HTTP1_REFERENCE_H

/*
 * A plain reading of RFC 9112 6.3 and 7.1 over whole messages, to hold the parser's
 * against. Slow and simple; for fuzz_http1_diff.c alone, which fills input and ours.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/http/http1.h"

#define MESSAGES 64

struct message {
	size_t start, head_end, end; /* offsets; 0: not reached */
	uint64_t body;
	uint64_t length;
	unsigned status, version, framing, answer;
	bool connect;
};

struct run {
	struct message m[MESSAGES];
	unsigned n;
	unsigned error; /* enum http1_error or http_errno */
	size_t error_at;
	bool switched;
};

static struct input {
	const char *bytes, *answers;
	size_t n, at;
	enum http1_role role;
} input;
static struct run ours, theirs;

/* The values of a field of one head, joined with commas, folded lines with spaces. False: none, or its name
 * is badly written. */
struct values {
	char text[4096];
	size_t n;
	bool present, blank_before_colon;
};

static void add(struct values *v, const char *p, size_t n)
{
	if (n > sizeof(v->text) - 1 - v->n)
		n = sizeof(v->text) - 1 - v->n;
	memcpy(v->text + v->n, p, n);
	v->n += n;
	v->text[v->n] = '\0';
}

static void read_values(const struct message *m, const char *name, struct values *v)
{
	const char *p = (const char *)memchr(input.bytes + m->start, '\n', m->head_end - m->start) + 1, *lf,
		   *colon, *stop;
	const char *end = input.bytes + m->head_end;
	bool ours_before = false;

	memset(v, 0, sizeof(*v));
	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		for (stop = lf; stop > p && stop[-1] == '\r';)
			stop--;
		if (*p == ' ' || *p == '\t') {
			if (ours_before) {
				add(v, " ", 1);
				add(v, p, (size_t)(stop - p));
			}
			continue;
		}
		colon = memchr(p, ':', (size_t)(lf - p));
		ours_before = false;
		if (!colon)
			continue;
		for (const char *q = colon; q > p && (q[-1] == ' ' || q[-1] == '\t'); q--)
			colon = q - 1;
		if ((size_t)(colon - p) != strlen(name) || strncasecmp(p, name, strlen(name)) != 0)
			continue;
		if (v->present)
			add(v, ",", 1);
		v->present = ours_before = true;
		v->blank_before_colon |= *colon != ':';
		colon = (const char *)memchr(colon, ':', (size_t)(lf - colon)) + 1;
		if (colon < stop)
			add(v, colon, (size_t)(stop - colon));
	}
}

/* The next element without its white space; false at the list's end. */
static bool element(const char **p, const char **start, size_t *n)
{
	const char *stop;

	if (!*p)
		return false;
	stop = *p + strcspn(*p, ",");
	*start = *p + strspn(*p, " \t");
	if (*start > stop)
		*start = stop;
	*n = (size_t)(stop - *start);
	while (*n && strchr(" \t", (*start)[*n - 1]))
		--*n;
	*p = *stop ? stop + 1 : NULL;
	return true;
}

static bool valid_length(const struct values *v, uint64_t *length)
{
	const char *p = v->text, *e;
	bool first = true;
	size_t n;

	if (strlen(v->text) != v->n)
		return false;
	while (element(&p, &e, &n)) {
		unsigned __int128 value = 0;

		if (n == 0 || strspn(e, "0123456789") < n)
			return false;
		for (size_t i = 0; i < n && value <= UINT64_MAX; i++)
			value = value * 10 + (unsigned)(e[i] - '0');
		if (value > UINT64_MAX || (!first && *length != (uint64_t)value))
			return false;
		*length = (uint64_t)value;
		first = false;
	}
	return true;
}

enum coding { CODING_NONE, CODING_CHUNKED, CODING_OTHER };

static enum coding coding_of(const struct values *v)
{
	enum coding coding = CODING_NONE;
	const char *p = v->text, *e;
	size_t n;

	if (!v->present)
		return CODING_NONE;
	if (strlen(v->text) != v->n)
		return CODING_OTHER; /* a NUL: no token has one, and our C strings end there */
	while (element(&p, &e, &n))
		if (n == 7 && strncasecmp(e, "chunked", 7) == 0)
			coding = CODING_CHUNKED;
		else if (n && !(input.role == HTTP1_RESPONSE && n == 8 && strncasecmp(e, "identity", 8) == 0))
			coding = CODING_OTHER;
	return coding == CODING_NONE && input.role == HTTP1_REQUEST ? CODING_OTHER : coding;
}

struct oddities {
	bool bare_cr, no_colon;
};

static struct oddities read_oddities(const struct message *m)
{
	const char *p = (const char *)memchr(input.bytes + m->start, '\n', m->head_end - m->start) + 1, *lf,
		   *stop;
	const char *end = input.bytes + m->head_end;
	struct oddities o = { 0 };

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf + 1 == end)
			break;
		for (stop = lf; stop > p && stop[-1] == '\r';)
			stop--;
		o.bare_cr |= stop == p || memchr(p, '\r', (size_t)(stop - p));
		o.no_colon |= *p != ' ' && *p != '\t' && !memchr(p, ':', (size_t)(lf - p));
	}
	return o;
}

static bool has_nul(const struct values *v) { return strlen(v->text) != v->n || v->n >= sizeof(v->text) - 1; }

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), abort())

/* Is what we made of a head what the RFC makes of it? */
static void check_head(const struct message *m, bool last)
{
	struct values length, coding;
	unsigned expected, error = HTTP1_OK;
	uint64_t bytes = 0;
	struct oddities odd = read_oddities(m);
	bool request = input.role == HTTP1_REQUEST;

	read_values(m, "content-length", &length);
	read_values(m, "transfer-encoding", &coding);
	if (has_nul(&length) || has_nul(&coding))
		return;
	expected = request ? HTTP1_NO_BODY : HTTP1_UNTIL_CLOSE;
	if (!request && (m->answer == HTTP1_ANSWER_HEAD || m->status / 100 == 1 || m->status == 204 ||
			 m->status == 304 || (m->answer == HTTP1_ANSWER_CONNECT && m->status / 100 == 2))) {
		expected = HTTP1_NO_BODY;
	} else if (request && (length.blank_before_colon || coding.blank_before_colon)) {
		error = ours.error == HTTP1_BAD_LENGTH && length.blank_before_colon ? HTTP1_BAD_LENGTH
										    : HTTP1_BAD_CODING;
	} else if (request && (odd.bare_cr || (odd.no_colon && (length.present || coding.present)))) {
		error = HTTP1_BAD_HEAD;
	} else if (request && m->version < 0x11 && length.present && coding.present) {
		error = HTTP1_BAD_CODING;
	} else if (coding_of(&coding) == CODING_CHUNKED) {
		expected = HTTP1_CHUNKED;
	} else if (coding_of(&coding) == CODING_OTHER) {
		error = request ? HTTP1_BAD_CODING : HTTP1_OK;
	} else if (length.present && !valid_length(&length, &bytes)) {
		error = HTTP1_BAD_LENGTH;
	} else if (length.present) {
		expected = HTTP1_LENGTH;
	}
	if (error && !(last && ours.error == error))
		FAIL("a head that cannot be framed was: expected error %u, got %u\n", error, ours.error);
	if (!error && (m->framing != expected || (expected == HTTP1_LENGTH && m->length != bytes)))
		FAIL("framing %u, not %u\n", m->framing, expected);
}

struct chunks {
	size_t end; /* 0: not reached */
	uint64_t body;
	bool broken;
};

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) % 16 : -1;
}

/* RFC 9112 7.1 from at on, where LF alone may end what CR LF ends but an extension. */
static struct chunks read_chunks(size_t at)
{
	const char *p = input.bytes + at, *end = input.bytes + input.n, *lf;
	struct chunks c = { 0 };
	unsigned __int128 size;
	bool extension, cr;

#define NEEDS_MORE (p == end)
#define BROKEN     (c.broken = true, c)
	for (;;) {
		for (size = 0, lf = p; p < end && digit(*p) >= 0; p++) {
			size = size << 4 | (unsigned)digit(*p);
			if (size >> 64)
				return BROKEN;
		}
		if (NEEDS_MORE)
			return c;
		if (p == lf)
			return BROKEN;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		extension = p < end && *p == ';';
		while (extension && p < end && *p != '\r' && *p != '\n')
			p++;
		cr = p < end && *p == '\r';
		p += cr;
		if (NEEDS_MORE)
			return c;
		if (*p != '\n' || (extension && !cr))
			return BROKEN;
		p++;
		if (size == 0)
			break;
		if ((size_t)(end - p) < size) {
			c.body += (uint64_t)(end - p);
			return c;
		}
		c.body += (uint64_t)size;
		p += (size_t)size;
		p += p < end && *p == '\r';
		if (NEEDS_MORE)
			return c;
		if (*p++ != '\n')
			return BROKEN;
	}
	while ((lf = memchr(p, '\n', (size_t)(end - p)))) {
		if (lf == p || (lf == p + 1 && *p == '\r')) {
			c.end = (size_t)(lf + 1 - input.bytes);
			break;
		}
		p = lf + 1;
	}
	return c;
}

static void check_chunks(const struct message *m, bool last)
{
	struct chunks c = read_chunks(m->head_end);

	if (c.end != m->end || c.body != m->body || c.broken != (last && ours.error == HTTP1_BAD_CHUNK))
		FAIL("chunks: end %zu body %llu broken %d, not %zu %llu %u\n", c.end,
		     (unsigned long long)c.body, c.broken, m->end, (unsigned long long)m->body, ours.error);
}

static void check_message(const struct message *m, bool last)
{
	check_head(m, last);
	if (m->framing == HTTP1_CHUNKED)
		check_chunks(m, last);
}

#endif
