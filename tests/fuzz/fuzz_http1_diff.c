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

#include "tests/fuzz/http1_reference.h"

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
	char carry[HTTP1_NAME_MAX];
	struct http1_options options = { .carry = carry };
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

/* --- the list --- */

/* The message both were in when they first told different things. */
static struct message *mine, *other;

static char at_error(void) { return theirs.error_at < input.n ? input.bytes[theirs.error_at] : 0; }
static bool in_head(void) { return !other->head_end; }
static bool they_refuse(unsigned error) { return theirs.error == error; }

/* Which bytes of the head they stopped at. */
static bool in_start_line(void)
{
	return in_head() && !memchr(input.bytes + other->start, '\n', theirs.error_at - other->start);
}

static bool other_method(void) { return they_refuse(HPE_INVALID_METHOD); }
static bool other_target(void) { return they_refuse(HPE_INVALID_URL); }
static bool padded_start_line(void)
{
	return theirs.error && in_start_line() && !other_method() && !other_target();
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_gap(char c) { return is_blank(c) || c == '\r'; }

/* "HTTP/" and numbers */
static bool is_version(const char *p, const char *end)
{
	char text[16] = "", rest;
	unsigned major, minor;

	if (end - p >= (ptrdiff_t)sizeof(text) || end - p < 8 || strchr("+-. ", p[5]) ||
	    memchr(p, 0, (size_t)(end - p)))
		return false;
	memcpy(text, p, (size_t)(end - p));
	return sscanf(text, "HTTP/%5u.%5u%c", &major, &minor, &rest) == 2 && !strpbrk(text, "+- ");
}

/*
 * We broke off in the start line, which has a version or a status that is none, or white
 * space as wide as our carry. Debian's http_parser takes any four letters for HTTP.
 */
static bool version_or_status(void)
{
	const char *p = input.bytes + mine->start, *end = input.bytes + input.n, *lf, *word;
	size_t n;

	if (!ours.error || mine->head_end)
		return false;
	lf = memchr(p, '\n', (size_t)(end - p));
	if (lf)
		end = lf;
	if (input.role == HTTP1_REQUEST) {
		while (end > p && is_gap(end[-1]))
			end--;
		for (word = end; word > p && !is_gap(word[-1]);)
			word--;
		for (n = 0; word - n > p && is_gap(word[-1 - (ptrdiff_t)n]);)
			n++;
		return !is_version(word, end) || n > 20 || (lf && lf - end > 20);
	}
	if (end - p < 8 || memcmp(p, "HTTP/", 5) != 0 || !strchr("01", p[5]) || p[6] != '.' ||
	    !strchr("0123456789", p[7]))
		return true;
	for (word = p + 8; word < end && *word == ' ';)
		word++;
	for (n = 0; word + n < end && word[n] >= '0' && word[n] <= '9';)
		n++;
	return n != 3 || *word == '0' || word - p > 28;
}

/* White space in a name. check_head() has settled whether we had to break. */
static bool odd_field_line(void)
{
	struct values length, coding;

	if (in_head() && they_refuse(HPE_INVALID_HEADER_TOKEN))
		return true;
	if (!mine->head_end)
		return false;
	read_values(mine, "content-length", &length);
	read_values(mine, "transfer-encoding", &coding);
	return length.blank_before_colon || coding.blank_before_colon;
}

/* Debian's http_parser takes the byte behind a CR for an LF, whatever it is. */
static bool bare_cr(void)
{
	size_t stop = other->head_end ? other->head_end : theirs.error ? theirs.error_at : input.n;

	for (size_t i = mine->start; i < stop && i + 1 < input.n; i++)
		if (input.bytes[i] == '\r' && input.bytes[i + 1] != '\n')
			return true;
	return false;
}
static bool length_refused(void)
{
	return in_head() &&
	       (they_refuse(HPE_INVALID_CONTENT_LENGTH) || they_refuse(HPE_UNEXPECTED_CONTENT_LENGTH));
}
static bool simple_request(void) { return mine->version == 0x09; }
static bool connect_body(void) { return mine->connect; }

/* A line begins as the name does: http_parser remembers it, whatever comes behind. */
static bool coding_list(void)
{
	const char *p = input.bytes + mine->start, *end = input.bytes + mine->head_end;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))))
		if (end - ++p > 17 && strncasecmp(p, "transfer-encoding", 17) == 0)
			return true;
	return false;
}

static bool in_chunks(void) { return mine->framing == HTTP1_CHUNKED && mine->head_end == other->head_end; }
/* What differs within chunks read_chunks() has settled; here is only what they make of it. */
static bool chunk_line_end(void)
{
	return in_chunks() &&
	       (ours.error == HTTP1_BAD_CHUNK || (they_refuse(HPE_INVALID_CHUNK_SIZE) && at_error() == '\n'));
}
static bool blank_behind_size(void)
{
	return in_chunks() && they_refuse(HPE_INVALID_CHUNK_SIZE) && at_error() == '\t';
}
static bool large_chunk(void) { return in_chunks() && they_refuse(HPE_INVALID_CONTENT_LENGTH); }
static bool odd_trailer(void) { return in_chunks() && !ours.error; }

static const struct {
	bool (*applies)(void);
	const char *section, *what;
} list[] = {
	{ other_method, "RFC 9110 9.1", "any token is a method; http_parser knows 33" },
	{ other_target, "RFC 9112 3.2", "a target we do not check: the server answers 400 and we tell it" },
	{ padded_start_line, "RFC 9112 3, 4", "spaces and tabs delimit the words; BROKEN if it is none" },
	{ version_or_status, "RFC 9112 2.3, 4",
	  "versions that are none, statuses not of three digits from 100: BROKEN" },
	{ odd_field_line, "RFC 9112 5.1",
	  "lines that are no field are passed over, a blank before a framing colon breaks" },
	{ bare_cr, "RFC 9112 2.2", "a CR without LF ends no line, and breaks a request" },
	{ length_refused, "RFC 9110 8.6",
	  "equal values are one; Transfer-Encoding or no body at all overrides" },
	{ simple_request, "RFC 1945 5", "HTTP/0.9 has no fields: the line is the request" },
	{ connect_body, "RFC 9112 6.3", "framing fields of a CONNECT hold if it is refused" },
	{ coding_list, "RFC 9112 6.1",
	  "all Transfer-Encoding lines are one list, whose last element counts" },
	{ chunk_line_end, "RFC 9112 7.1, 2.2",
	  "LF ends it, but no extension; http_parser takes any two bytes" },
	{ blank_behind_size, "RFC 9112 7.1.1", "BWS is a tab, too" },
	{ large_chunk, "RFC 9112 7.1", "http_parser ends at 2^60 already" },
	{ odd_trailer, "RFC 9112 7.1.2", "trailer fields are passed over unread" },
};

_Static_assert(sizeof(list) / sizeof(list[0]) <= 15, "at most 15 differences");

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
