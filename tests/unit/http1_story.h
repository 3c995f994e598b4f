/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_STORY_H
#define BTRACE_HTTP1_STORY_H

/*
 * What the HTTP/1 parser tells of some bytes, as text: one line an event, pieces of a
 * target or value joined, body counts added up. The same bytes in any split tell the same
 * story. Used by the corpus test and the fuzzers.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/http/http1.h"

struct story {
	struct http1 parser;
	struct http1_options options;
	char carry[HTTP1_NAME_MAX];
	const char *answers; /* responses: one letter each, p(lain) h(ead) c(onnect); then plain */
	char *text;
	size_t n, room;
	uint64_t body;   /* counted and not yet told */
	size_t told;     /* of the value being told */
	uint32_t digest; /* of all of it */
	bool in_value;
};

static const char *const story_fields[] = {
	"none",
#define HTTP1_FIELD(id, name) name,
#include "shim/http/headers.def"
#undef HTTP1_FIELD
};

static inline void story_raw(struct story *s, const char *p, size_t n)
{
	if (s->n + n + 1 > s->room) {
		s->room = (s->n + n + 1) * 2;
		s->text = realloc(s->text, s->room);
		if (!s->text)
			abort();
	}
	if (n)
		memcpy(s->text + s->n, p, n);
	s->n += n;
	s->text[s->n] = '\0';
}

__attribute__((format(printf, 2, 3))) static inline void story_say(struct story *s, const char *format, ...)
{
	char line[160];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	story_raw(s, line, (size_t)n);
}

/* Bytes with escapes: \r \n \t \\ \xNN. */
static inline void story_bytes(struct story *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\r' || c == '\n' || c == '\t' || c == '\\')
			story_say(s, "\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : c == '\t' ? 't' : '\\');
		else if (c < 0x20 || c > 0x7e)
			story_say(s, "\\x%02x", c);
		else
			story_raw(s, (const char *)&c, 1);
	}
}

#define STORY_VALUE_MAX 200 /* bytes of a value that are told; of a longer one its length and a digest */

static inline void story_init(struct story *s, enum http1_role role, const char *answers)
{
	memset(s, 0, sizeof(*s));
	http1_init(&s->parser, role);
	s->options.wanted = ~0u;
	s->answers = answers ? answers : "";
	story_raw(s, "", 0);
}

static inline void story_release(struct story *s)
{
	free(s->text);
	s->text = NULL;
}

static inline void story_tell_body(struct story *s)
{
	if (s->body)
		story_say(s, "body %llu\n", (unsigned long long)s->body);
	s->body = 0;
}

static inline void story_answer(struct story *s)
{
	char kind = *s->answers;

	if (http1_is_interim(&s->parser))
		kind = 0;
	else if (kind)
		s->answers++;
	http1_answers(&s->parser, kind == 'h'   ? HTTP1_ANSWER_HEAD
				  : kind == 'c' ? HTTP1_ANSWER_CONNECT
						: HTTP1_ANSWER_PLAIN);
}

static inline void story_piece(struct story *s, const struct http1_data *d)
{
	size_t room;

	if (d->first != !s->in_value)
		story_say(s, "<piece out of order>");
	if (d->first) {
		s->told = 0;
		s->digest = 2166136261u;
	}
	room = s->told < STORY_VALUE_MAX ? STORY_VALUE_MAX - s->told : 0;
	story_bytes(s, d->p, d->n < room ? d->n : room);
	for (size_t i = 0; i < d->n; i++)
		s->digest = (s->digest ^ (unsigned char)d->p[i]) * 16777619u;
	s->told += d->n;
	s->in_value = !d->last;
	if (d->last && s->told > STORY_VALUE_MAX)
		story_say(s, "... %zu bytes, digest %08x", s->told, s->digest);
	if (d->last)
		story_raw(s, "\n", 1);
}

static inline void story_field(struct story *s, const struct http1_data *d)
{
	if (d->first) {
		if (d->field >= HTTP1_FIELD_CAPTURED)
			story_say(s,
				  "field %s: ", s->options.captured.names[d->field - HTTP1_FIELD_CAPTURED]);
		else
			story_say(s, "field %s: ", story_fields[d->field]);
	}
	story_piece(s, d);
}

static inline void story_head(struct story *s)
{
	static const char *const framing[] = { "no-body", "length", "chunked", "until-close" };
	const struct http1 *p = &s->parser;

	story_say(s, "head %u %s %s%s%s%s\n", p->head_bytes, framing[p->framing],
		  p->keep_alive ? "keep" : "close", p->upgrade ? " upgrade" : "",
		  p->expect_continue ? " expect" : "", p->over_limit ? " over-limit" : "");
}

static inline void story_event(struct story *s, enum http1_event event, const struct http1_data *d)
{
	static const char *const errors[] = { "ok",          "not-http",       "bad-start-line",
					      "bad-length",  "bad-chunk",      "bad-coding",
					      "unseen-head", "no-status-line", "bad-head" };
	const struct http1 *p = &s->parser;

	if (event == HTTP1_BODY) {
		s->body += d->bytes;
		return;
	}
	story_tell_body(s);
	switch (event) {
	case HTTP1_BEGIN: story_say(s, "begin\n"); return;
	case HTTP1_METHOD:
		story_say(s, "method ");
		story_bytes(s, d->p, d->n);
		story_say(s, "\n");
		return;
	case HTTP1_TARGET:
		if (d->first)
			story_say(s, "target ");
		story_piece(s, d);
		return;
	case HTTP1_VERSION: story_say(s, "version %u.%u\n", p->version >> 4, p->version & 15); return;
	case HTTP1_STATUS:
		story_answer(s);
		story_say(s, "status %u version %u.%u%s\n", p->status, p->version >> 4, p->version & 15,
			  http1_is_interim(p) ? " interim" : "");
		return;
	case HTTP1_FIELD: story_field(s, d); return;
	case HTTP1_HEAD_END: story_head(s); return;
	case HTTP1_END: story_say(s, "end\n"); return;
	case HTTP1_SWITCHED: story_say(s, "switched\n"); return;
	case HTTP1_BROKEN:
		if (s->in_value)
			story_say(s, "...\n");
		s->in_value = false;
		story_say(s, "broken %s\n", errors[p->error]);
		return;
	case HTTP1_INCOMPLETE: story_say(s, "%sincomplete\n", s->in_value ? "...\n" : ""); return;
	default: story_say(s, "<unknown event>\n"); return;
	}
}

/* Each event takes input or moves the parser on: more of them than this is a loop. */
static inline void story_feed(struct story *s, const char *in, size_t n)
{
	struct http1_data d = { 0 };
	const char *end = in + n;
	enum http1_event event;
	size_t events = 0;

	s->options.carry = s->carry;
	while ((event = http1_next(&s->parser, &s->options, &in, end, &d)) != HTTP1_NEED_MORE) {
		story_event(s, event, &d);
		if (++events > 4 * n + 16 || in > end)
			abort();
	}
	if (in != end)
		story_say(s, "<input left>\n");
	/* the rest of it need not be there again */
	memset(s->carry + http1_carried(&s->parser), '?', HTTP1_NAME_MAX - http1_carried(&s->parser));
}

static inline void story_unseen(struct story *s, uint64_t n)
{
	struct http1_data d = { 0 };
	enum http1_event event;

	while ((event = http1_next_unseen(&s->parser, &n, &d)) != HTTP1_NEED_MORE)
		story_event(s, event, &d);
	if (n)
		story_say(s, "<count left>\n");
}

static inline void story_eof(struct story *s)
{
	struct http1_data d = { 0 };
	enum http1_event event = http1_eof(&s->parser);

	if (event != HTTP1_NEED_MORE)
		story_event(s, event, &d);
	else
		story_tell_body(s);
}

#endif
