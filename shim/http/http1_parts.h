/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_PARTS_H
#define BTRACE_HTTP1_PARTS_H

/*
 * What the files of the HTTP/1 parser share; nobody else includes it.
 *	http1.c          messages and bodies
 *	http1_start.c    request lines, status lines, the sniffer
 *	http1_fields.c   field lines
 *	http1_framing.c  the fields that decide where a message ends
 */

#include "shim/http/http1.h"

/* A step took input and has nothing to tell. */
#define HTTP1_AGAIN ((enum http1_event) - 1)

enum {
	S_IDLE,         /* between messages; empty lines go by */
	S_METHOD,       /* ---- the first state whose bytes count as head */
	S_TARGET_START, /* white space before the target */
	S_TARGET,
	S_TARGET_END, /* line end right behind the target: HTTP/0.9 or nothing */
	S_VERSION,
	S_STATUS,
	S_STATUS_REST, /* the reason phrase */
	S_LINE,        /* first byte of a field line */
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
	S_SIMPLE, /* HEAD_END, then END of an HTTP/0.9 request to be told */
	S_SIMPLE_END,
	S_END,        /* END to be told */
	S_END_SWITCH, /* END to be told, then SWITCHED */
	S_SWITCH,     /* SWITCHED to be told */
	S_BREAK,      /* BROKEN to be told: p->error */
	S_DEAD,
};

/* p->flags */
enum {
	F_OPEN = 1,   /* a field's value is not closed: its last piece is still to come */
	F_FIRST = 2,  /* ... and none has come yet */
	F_LENGTH = 4, /* Content-Length was there */
	F_LENGTH_BAD = 8,
	F_CODING = 16,  /* Transfer-Encoding was there */
	F_CHUNKED = 32, /* ... and its last coding so far is chunked */
	F_CLOSE = 64,   /* Connection: close */
	F_KEEP_ALIVE = 128,
	F_URL = F_OPEN,  /* in a request line: the target looks like one */
	F_GET = F_FIRST, /* ... and the method is GET */
};

/* p->kind; beyond the ids of headers.def */
enum {
	KIND_NONE = 0,
	KIND_LENGTH = 32,
	KIND_CODING,
	KIND_CONNECTION,
	KIND_EXPECT,
};

enum http1_event http1_break(struct http1 *p, enum http1_error error);

enum http1_event http1_request_line(struct http1 *p, const char **in, const char *end, struct http1_data *d);
enum http1_event http1_status_line(struct http1 *p, const char **in, const char *end);

/* From S_LINE to the empty line, where it leaves S_LINE and answers HTTP1_HEAD_END. */
enum http1_event http1_field_lines(struct http1 *p, const struct http1_options *opt, const char **in,
				   const char *end, struct http1_data *d);

/* The value of a framing field, in pieces. */
void http1_framing_begin(struct http1 *p, unsigned kind);
void http1_framing_feed(struct http1 *p, const char *v, size_t n);
void http1_framing_end(struct http1 *p);
/* White space before the colon of a framing field. */
void http1_framing_bad_name(struct http1 *p, unsigned kind);
/* At the empty line: sets framing, keep_alive, left and the state. */
void http1_framing_decide(struct http1 *p);

#endif
