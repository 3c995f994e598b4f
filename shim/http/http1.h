/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_H
#define BTRACE_HTTP1_H

/*
 * An incremental HTTP/1.x parser for one direction of one connection
 * (RFC 9112, RFC 9110). Pure: no I/O, no allocation, no clock, no globals, no
 * errno; it never writes into the input. Bytes may be split anywhere.
 *
 * Pull style: call http1_next() until it answers HTTP1_NEED_MORE.
 *
 *	const char *in = buf, *end = buf + n;
 *	while ((ev = http1_next(p, &opt, &in, end, &d)) != HTTP1_NEED_MORE)
 *		...
 *
 * Event order of a message:
 *	BEGIN METHOD TARGET* VERSION FIELD* HEAD_END BODY* END	(request)
 *	BEGIN STATUS FIELD* HEAD_END BODY* END			(response)
 * An interim response (1xx but 101) is a whole message of its own: BEGIN STATUS
 * FIELD* HEAD_END END with http1_is_interim() true from STATUS on.
 * A message that switches (101, 2xx to CONNECT) ends as any other and HTTP1_SWITCHED
 * comes after its END; a head that cannot be framed has HTTP1_BROKEN after its HEAD_END.
 * Both leave *in at the first byte they speak of. After them the parser answers
 * HTTP1_NEED_MORE for ever and eats all input.
 *
 * Thread and signal safety: one struct, one user at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP1_HEAD_LIMIT 65536u /* bytes of one head; beyond it FIELD events stop, framing goes on */

enum http1_role { HTTP1_REQUEST, HTTP1_RESPONSE };

enum http1_field {
	HTTP1_FIELD_NONE = 0,
#define HTTP1_FIELD(id, name) HTTP1_FIELD_##id,
#include "shim/http/headers.def"
#undef HTTP1_FIELD
	HTTP1_FIELD_MAX,
	HTTP1_FIELD_CAPTURED = 64 /* HTTP1_FIELD_CAPTURED + index into options->captured */
};

enum http1_event {
	HTTP1_NEED_MORE = 0, /* *in == end */
	HTTP1_BEGIN,         /* data.p: first byte of the start line; leading empty lines are before it */
	HTTP1_METHOD,        /* data.p/n: the method, whole (at most HTTP1_METHOD_MAX, else BROKEN) */
	HTTP1_TARGET,        /* data.p/n: a piece; data.last on the last */
	HTTP1_VERSION,       /* request line complete, parser->version is set; 0: it is malformed and
				BROKEN follows */
	HTTP1_STATUS,        /* status line complete, parser->status and ->version are set. The caller
				tells now which request it answers: http1_answers() */
	HTTP1_FIELD,         /* data.field, data.p/n a piece of the value without outer white space;
				data.first, data.last */
	HTTP1_HEAD_END,      /* parser->head_bytes, ->keep_alive, ->framing are set */
	HTTP1_BODY,          /* data.bytes body bytes (content, without chunk framing) went by */
	HTTP1_END,           /* message complete */
	HTTP1_SWITCHED,      /* what follows is not HTTP/1 */
	HTTP1_BROKEN,        /* what follows cannot be framed; parser->error says why */
	HTTP1_INCOMPLETE,    /* from http1_eof() only: the stream ended inside a message */
};

#define HTTP1_METHOD_MAX 32

enum http1_framing {
	HTTP1_NO_BODY,
	HTTP1_LENGTH,
	HTTP1_CHUNKED,
	HTTP1_UNTIL_CLOSE,
};

enum http1_error {
	HTTP1_OK = 0,
	HTTP1_NOT_HTTP,       /* first bytes of the connection are no HTTP start line */
	HTTP1_BAD_START_LINE, /* a later start line is none: contradiction, see http1.c */
	HTTP1_BAD_LENGTH,     /* Content-Length invalid or contradicting itself (RFC 9112 6.3) */
	HTTP1_BAD_CHUNK,
	HTTP1_BAD_CODING,     /* request with a final transfer coding other than chunked */
	HTTP1_UNSEEN_HEAD,    /* bytes known by count only where a head was expected */
	HTTP1_NO_STATUS_LINE, /* HTTP/0.9 style answer */
	HTTP1_BAD_HEAD,       /* request: its lines cannot be told apart, servers read them differently */
};

struct http1_captured { /* names the caller wants besides those of headers.def */
	uint16_t count;
	const char *const *names; /* lower case, sorted; at most HTTP1_NAME_MAX long each */
};

struct http1_options {
	uint32_t wanted; /* bit (1u << enum http1_field): report these */
	struct http1_captured captured;
	char *carry; /* HTTP1_NAME_MAX bytes for what a call cuts off of a line: http1_carried() */
};

struct http1_data {
	const char *p; /* borrowed from the input or options->carry: good until the next call */
	size_t n;
	uint64_t bytes;
	enum http1_field field;
	bool first, last;
};

/* What the answer's framing depends on (RFC 9112 6.3). */
enum http1_answer { HTTP1_ANSWER_PLAIN, HTTP1_ANSWER_HEAD, HTTP1_ANSWER_CONNECT };

#define HTTP1_NAME_MAX 48

/*
 * Size matters: one per direction and connection. Fields marked (out) may be
 * read by the caller after the event that sets them; the rest is the parser's.
 */
struct http1 {
	/* of the message: zero at BEGIN */
	uint64_t left; /* body or chunk bytes still to come */
	uint64_t content_length;
	uint32_t head_bytes;  /* (out) bytes of the head, start line and empty line included */
	uint16_t status;      /* (out) responses: 100-999 */
	uint8_t version;      /* (out) major << 4 | minor */
	uint8_t framing;      /* (out) enum http1_framing */
	uint8_t error;        /* (out) enum http1_error */
	uint8_t answer;       /* enum http1_answer */
	bool keep_alive;      /* (out) by version and Connection */
	bool over_limit;      /* (out) head passed HTTP1_HEAD_LIMIT */
	bool upgrade;         /* (out) Connection: upgrade was there */
	bool expect_continue; /* (out) Expect: 100-continue was there */
	uint8_t flags;
	uint8_t kind;      /* framing field whose value is being read, or 0 */
	uint8_t words;     /* its words that the token may still become */
	uint8_t token_len; /* of that token; sub-state of a length or a chunk's size */
	uint8_t field;     /* enum http1_field of the value being read */
	uint8_t sub;       /* sub-state of the name being read */
	uint8_t carried;   /* bytes in options->carry: cut off of a start line, field name or value */
	/* of the connection */
	uint8_t role; /* enum http1_role */
	uint8_t state;
	bool started; /* a start line was complete: later junk is a contradiction */
};

void http1_init(struct http1 *p, enum http1_role role);

/* The next event; advances *in. Never reads at or beyond end. */
enum http1_event http1_next(struct http1 *p, const struct http1_options *opt, const char **in,
			    const char *end, struct http1_data *data);

/*
 * *n bytes went by which only the kernel saw (sendfile, splice): body. Call
 * until HTTP1_NEED_MORE. In a head that is BROKEN (HTTP1_UNSEEN_HEAD); chunked
 * framing inside them cannot be followed: BROKEN as well, unless they lie
 * wholly inside one chunk.
 */
enum http1_event http1_next_unseen(struct http1 *p, uint64_t *n, struct http1_data *data);

/* The stream ended: HTTP1_END (close-delimited body), HTTP1_INCOMPLETE, or NEED_MORE (between messages). */
enum http1_event http1_eof(struct http1 *p);

/* At HTTP1_STATUS: which kind of request this answers. */
void http1_answers(struct http1 *p, enum http1_answer answer);

/* So many bytes of options->carry are to be there again at the next http1_next(): none but in a head. */
size_t http1_carried(const struct http1 *p);

/* Between two messages, nothing of the next one seen yet? */
bool http1_idle(const struct http1 *p);

/*
 * Resynchronisation (for the exchange; the parser never does it by itself). Bodies may hold
 * anything, also whole messages, so bytes alone prove nothing: restart only where
 *	1. framing has been contradicted already: HTTP1_BAD_START_LINE (the server sent a body
 *	   with 204, 304 or HEAD, or more than Content-Length), and
 *	2. the bytes begin a read or write call of the host, and
 *	3. http1_looks_like_start() says so.
 * Not where a body is due and its sender may have thought better of it, as behind a final
 * response to Expect: 100-continue: seventeen servers that we asked close there or wait for
 * the body, and a client could make requests of it.
 * http1_restart() ends the message without an event and makes the parser ready for the
 * next one. It undoes HTTP1_BROKEN, not HTTP1_SWITCHED.
 */
bool http1_looks_like_start(const char *p, size_t n, enum http1_role role);
void http1_restart(struct http1 *p);

static inline bool http1_is_interim(const struct http1 *p)
{
	return p->status >= 100 && p->status < 200 && p->status != 101;
}

/*
 * Could a connection that begins with these bytes be HTTP/1? 1 yes, 0 not to
 * be told yet, -1 no. Looks at 24 bytes at most. PROXY protocol (v1, v2) is
 * answered with 2: the caller strips it first (proxy.h).
 */
int http1_sniff(const char *p, size_t n);

#endif
