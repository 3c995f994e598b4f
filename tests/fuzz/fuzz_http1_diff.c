/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where does a message end? Our parser against two others: Debian's http_parser, and a
 * plain reading of RFC 9112 6.3 over the lines of the head. Any disagreement that is not
 * on the list below is a failure. Input as fuzz_http1's, whose corpus it shares.
 * FUZZ_SOURCES: shim/http/http1.c shim/http/http1_body.c shim/http/http1_fields.c
 * FUZZ_SOURCES: shim/http/http1_framing.c shim/http/http1_lines.c
 * FUZZ_SOURCES: shim/http/http1_sniff.c shim/http/http1_start.c
 * FUZZ_LIBS: -lhttp_parser
 */
#define _GNU_SOURCE
#include <http_parser.h>
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

/* --- ours --- */

static enum http1_answer answer_to(unsigned nth)
{
	switch (input.answers[nth < 4 ? nth : 3]) {
	case 'h': return HTTP1_ANSWER_HEAD;
	case 'c': return HTTP1_ANSWER_CONNECT;
	default: return HTTP1_ANSWER_PLAIN;
	}
}

static void run_ours(void)
{
	struct http1_options options = { 0 };
	struct http1_data d;
	const char *in = input.bytes, *end = in + input.n;
	struct message *m = ours.m;
	enum http1_event event;
	struct http1 p;
	unsigned answered = 0;

	http1_init(&p, input.role);
	while ((event = http1_next(&p, &options, &in, end, &d)) != HTTP1_NEED_MORE) {
		size_t at = (size_t)(in - input.bytes);

		switch (event) {
		case HTTP1_BEGIN:
			if (ours.n == MESSAGES)
				return;
			m = &ours.m[ours.n++];
			m->start = (size_t)(d.p - input.bytes);
			break;
		case HTTP1_METHOD: m->connect = d.n == 7 && memcmp(d.p, "CONNECT", 7) == 0; break;
		case HTTP1_STATUS:
			m->status = p.status;
			m->answer = http1_is_interim(&p) ? HTTP1_ANSWER_PLAIN : answer_to(answered++);
			http1_answers(&p, (enum http1_answer)m->answer);
			break;
		case HTTP1_HEAD_END:
			m->head_end = at;
			m->version = p.version;
			m->framing = p.framing;
			m->length = p.content_length;
			break;
		case HTTP1_BODY: m->body += d.bytes; break;
		case HTTP1_END: m->end = at; break;
		case HTTP1_SWITCHED: ours.switched = true; break;
		case HTTP1_BROKEN:
			ours.error = p.error;
			ours.error_at = at;
			break;
		default: break;
		}
	}
}

/* --- http_parser, a byte at a time --- */

static int on_begin(http_parser *p)
{
	(void)p;
	if (theirs.n < MESSAGES)
		theirs.m[theirs.n++].start = input.at;
	return 0;
}

/* 1: no body, 2: no body and what follows is another protocol; that is its caller's to say. */
static int on_head(http_parser *p)
{
	struct message *m = &theirs.m[theirs.n - 1];
	static unsigned answered;

	if (theirs.n == 1)
		answered = 0;
	m->head_end = input.at + 1;
	m->status = p->status_code;
	if (input.role == HTTP1_REQUEST)
		return 0;
	if (p->status_code / 100 == 1)
		return p->status_code == 101 ? answered++, 2 : 1;
	m->answer = answer_to(answered++);
	if (m->answer == HTTP1_ANSWER_CONNECT && p->status_code / 100 == 2)
		return 2;
	return m->answer == HTTP1_ANSWER_HEAD || p->status_code == 204 || p->status_code == 304;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
	(void)p;
	(void)at;
	theirs.m[theirs.n - 1].body += n;
	return 0;
}

static int on_end(http_parser *p)
{
	theirs.m[theirs.n - 1].end = input.at + 1;
	theirs.switched = p->upgrade && input.role == HTTP1_RESPONSE;
	return 0;
}

static void start_theirs(http_parser *p)
{
	http_parser_init(p, input.role == HTTP1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
	p->allow_chunked_length = 1; /* Transfer-Encoding overrides Content-Length: RFC 9112 6.3 */
}

static void run_theirs(void)
{
	http_parser_settings settings = { 0 };
	http_parser p;

	settings.on_message_begin = on_begin;
	settings.on_headers_complete = on_head;
	settings.on_body = on_body;
	settings.on_message_complete = on_end;
	start_theirs(&p);
	for (input.at = 0; input.at < input.n && !theirs.switched; input.at++) {
		if (theirs.n == MESSAGES)
			return;
		http_parser_execute(&p, &settings, input.bytes + input.at, 1);
		/* Whether there is a message behind one with Connection: close, our caller decides. */
		if (HTTP_PARSER_ERRNO(&p) == HPE_CLOSED_CONNECTION) {
			start_theirs(&p);
			http_parser_execute(&p, &settings, input.bytes + input.at, 1);
		}
		theirs.error = HTTP_PARSER_ERRNO(&p);
		theirs.error_at = input.at;
		if (!theirs.error)
			continue;
		/* It refused a first byte without a word. */
		if (!theirs.n || theirs.m[theirs.n - 1].end)
			on_begin(&p);
		return;
	}
}

/* --- RFC 9112 6.3 over the head's lines --- */

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
	const char *p = memchr(input.bytes + m->start, '\n', m->head_end - m->start) + 1, *lf, *colon, *stop;
	const char *end = input.bytes + m->head_end;
	bool ours_before = false;

	memset(v, 0, sizeof(*v));
	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		stop = lf > p && lf[-1] == '\r' ? lf - 1 : lf;
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
		colon = memchr(colon, ':', (size_t)(lf - colon)) + 1;
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

static bool has_nul(const struct values *v) { return strlen(v->text) != v->n || v->n >= sizeof(v->text) - 1; }

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), abort())

/* Is what we made of a head what the RFC makes of it? */
static void check_head(const struct message *m, bool last)
{
	struct values length, coding;
	unsigned expected, error = HTTP1_OK;
	uint64_t bytes = 0;
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

/* --- the list --- */

/* The message both were in when they first told different things. */
static struct message *mine, *other;

#include "tests/fuzz/http1_diff_allowed.inc"

static bool same(const struct message *a, const struct message *b)
{
	return a->start == b->start && a->head_end == b->head_end && a->end == b->end && a->body == b->body;
}

static void show(const char *who, const struct run *r)
{
	fprintf(stderr, "%s: error %u at %zu\n", who, r->error, r->error_at);
	for (unsigned i = 0; i < r->n; i++)
		fprintf(stderr, "  start %zu head end %zu end %zu body %llu\n", r->m[i].start,
			r->m[i].head_end, r->m[i].end, (unsigned long long)r->m[i].body);
}

static void compare(void)
{
	unsigned n = ours.n < theirs.n ? ours.n : theirs.n, i = 0;

	while (i < n && same(&ours.m[i], &theirs.m[i]))
		i++;
	if (i == n && ours.n == theirs.n && !ours.error == !theirs.error)
		return;
	if (i == n && i && ours.n == theirs.n)
		i--; /* the same so far, and one of them stopped */
	if (i >= MESSAGES - 1)
		return;
	mine = &ours.m[i];
	other = &theirs.m[i];
	for (size_t k = 0; k < sizeof(list) / sizeof(list[0]); k++)
		if (list[k].applies())
			return;
	show("ours", &ours);
	show("http_parser", &theirs);
	FAIL("they differ in message %u\n", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char answers[5] = "";

	if (size < 4 || size > 8192)
		return 0;
	for (int i = 0; i < 4; i++)
		answers[i] = "phcp"[data[2] >> 2 * i & 3];
	input = (struct input){ (const char *)data + 3, answers, size - 3, 0,
				data[0] & 1 ? HTTP1_RESPONSE : HTTP1_REQUEST };
	memset(&ours, 0, sizeof(ours));
	memset(&theirs, 0, sizeof(theirs));
	run_ours();
	run_theirs();
	for (unsigned i = 0; i < ours.n; i++)
		if (ours.m[i].head_end && ours.m[i].version != 0x09)
			check_message(&ours.m[i], i + 1 == ours.n);
	compare();
	return 0;
}
