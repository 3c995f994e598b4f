/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_PARTS_H
#define BTRACE_HTTP1_PARTS_H

/*
 * What the files of the HTTP/1 parser share; nobody else includes it.
 *	http1.c          messages
 *	http1_body.c     bodies
 *	http1_start.c    request lines, status lines, the sniffer
 *	http1_lines.c    field lines that are whole in the input: the fast path
 *	http1_fields.c   field lines in any pieces
 *	http1_framing.c  the fields that decide where a message ends
 *
 * A step is a function that looks at *in to end in one state. It answers an event, or
 * HTTP1_AGAIN when it moved the state on and has nothing to tell.
 */

#include "shim/http/http1.h"

#define HTTP1_AGAIN ((enum http1_event) - 1)

enum {
	S_IDLE,         /* between messages; empty lines go by */
	S_METHOD,       /* ---- the first state whose bytes count as head */
	S_TARGET_START, /* white space before the target */
	S_TARGET,
	S_GAP,      /* white space in a target, or before the version */
	S_BAD_LINE, /* rest of a malformed request line */
	S_STATUS,
	S_STATUS_REST, /* the reason phrase */
	S_LINE,        /* first byte of a field line */
	S_LINE_ODD,    /* the same: http1_lines() leaves it to the steps, so it is not S_LINE */
	S_FRAMING,     /* the value of a framing field, whole in sight: never between two calls */
	S_LINE_OPEN,   /* the same, and the line before was of interest: this one may go on with it */
	S_LINE_CR,     /* CR as the first byte of a line */
	S_NAME,
	S_VALUE_LEAD, /* white space before a value or at the start of a folded line */
	S_VALUE,
	S_SKIP, /* ---- the last such state: rest of a line of no interest */
	S_LENGTH,
	S_UNTIL_CLOSE,
	S_CHUNK_SIZE,
	S_CHUNK_BLANK, /* white space behind the size */
	S_CHUNK_EXT,
	S_CHUNK_LF,
	S_CHUNK_DATA,
	S_CHUNK_END, /* CR LF behind the data */
	S_CHUNK_END_LF,
	S_TRAILER,
	S_TRAILER_CR,
	S_TRAILER_SKIP,
	S_VERSION_TOLD,   /* VERSION to be told: p->version */
	S_SIMPLE_VERSION, /* the same, of an HTTP/0.9 request */
	S_BAD_VERSION,    /* VERSION 0 to be told, then BROKEN */
	S_SIMPLE,         /* HEAD_END, then END of an HTTP/0.9 request to be told */
	S_SIMPLE_END,
	S_END,        /* END to be told */
	S_END_SWITCH, /* END to be told, then SWITCHED */
	S_SWITCH,     /* SWITCHED to be told */
	S_BREAK,      /* BROKEN to be told: p->error */
	S_DEAD,
};

/* p->flags */
enum {
	F_FIRST = 1,  /* the first piece of a field's value is still to come */
	F_GET = 1,    /* in a request line: the method is GET */
	F_URL = 2,    /* in a request line: the target looks like one */
	F_PRI = 4,    /* in a request line: the method is PRI */
	F_TOLD = 8,   /* in a request line: a piece of the target was told */
	F_WORDS = 16, /* in a request line: there is white space in the target */
	F_LENGTH = 4, /* Content-Length was there */
	F_LENGTH_BAD = 8,
	F_CODING = 16,  /* Transfer-Encoding was there */
	F_CHUNKED = 32, /* ... and its last coding so far is chunked */
	F_CLOSE = 64,   /* Connection: close */
	F_KEEP_ALIVE = 128,
};

/* p->kind; beyond the ids of headers.def */
enum {
	KIND_NONE = 0,
	KIND_LENGTH = 32,
	KIND_CODING,
	KIND_CONNECTION,
	KIND_EXPECT,
};

/* p->sub; the first three of the line being read, the others of the head */
enum {
	NAME_BLANK = 1, /* white space stood behind the name */
	NAME_FAR = 2,   /* the line begins beyond HTTP1_HEAD_LIMIT: framing only */
	AFTER_CR = 4,   /* the last byte was CR */
	HEAD_CR = 8,    /* a CR was there which ended no line */
	HEAD_NO_COLON = 16,
};

#define HTTP1_STEP(name)                                                                         \
	enum http1_event name(struct http1 *p, const struct http1_options *opt, const char **in, \
			      const char *end, struct http1_data *d)

/* Takes *in to cur as bytes of the head. */
static inline void http1_take(struct http1 *p, const char **in, const char *cur)
{
	p->head_bytes += (uint32_t)(cur - *in);
	*in = cur;
}

/* Steps through states until there is an event. */
HTTP1_STEP(http1_steps);

/* What well-formed traffic in one piece is, at once; they tail-call http1_steps() for the rest. */
HTTP1_STEP(http1_method);
HTTP1_STEP(http1_target);
HTTP1_STEP(http1_version);
HTTP1_STEP(http1_status);
HTTP1_STEP(http1_lines);

/* S_METHOD to S_STATUS_REST */
HTTP1_STEP(http1_start_step);
/* S_LINE_ODD to S_SKIP; HTTP1_HEAD_END behind the empty line, the framing not yet decided */
HTTP1_STEP(http1_field_step);
/* S_LINE and S_FRAMING; they count what they take */
HTTP1_STEP(http1_lines_step);
HTTP1_STEP(http1_framing_step);
/* S_LENGTH to S_TRAILER_SKIP */
HTTP1_STEP(http1_body_step);

HTTP1_STEP(http1_body);
HTTP1_STEP(http1_chunk);

bool http1_is_tchar(unsigned char c);
/* Eight bytes. The version, with bit 8 set; 0 if it is none of HTTP/0 or HTTP/1. */
unsigned http1_parse_version(const char *s);
/* Status and version out of the first n bytes of a status line, the delimiter behind the status among them.
 */
bool http1_parse_status(struct http1 *p, const char *s, size_t n);

enum http1_event http1_break(struct http1 *p, enum http1_error error);

/* Sets field and kind by a name (sub: NAME_ bits). True: the value is of interest. */
bool http1_open_field(struct http1 *p, const struct http1_options *opt, const char *name, size_t n,
		      unsigned sub);

/* The value of a framing field: whole, or begin, feed in pieces, end. */
void http1_framing_value(struct http1 *p, const char *v, size_t n);
void http1_framing_begin(struct http1 *p);
void http1_framing_feed(struct http1 *p, const char *v, size_t n);
void http1_framing_end(struct http1 *p);
/* White space before the colon of a framing field. */
void http1_framing_bad_name(struct http1 *p);
/* At the empty line: sets framing, keep_alive, left and the state. HTTP1_HEAD_END. */
enum http1_event http1_framing_decide(struct http1 *p);

#endif
