/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HTTP1_WHOLE_H
#define BTRACE_HTTP1_WHOLE_H

/*
 * Heads that are whole in sight and plain, as nearly all are: read in one pass, at a
 * fraction of what their events cost. Whatever is not plain (cut off, folded, a bare LF,
 * control characters, a list in a framing field, an upgrade, an unusual method or
 * target, an interim response ...) is left to http1_next(): the parser is then as it was.
 * What both say of a head must be the same; fuzz_exchange and a unit test hold that.
 *
 * Pure, as all of shim/http. Where the machine has no SSE2 nothing is plain.
 */

#include "shim/http/http1.h"

#define HTTP1_WHOLE_FIELDS 12u

struct http1_text { /* borrowed from the input */
	const char *p;
	uint32_t n;
	uint32_t field; /* enum http1_field */
};

struct http1_whole {
	struct http1_text method, target;
	uint32_t seen; /* bit (1u << enum http1_field) of each of them */
	unsigned fields;
	struct http1_text
		field[HTTP1_WHOLE_FIELDS]; /* those wanted, in their order, without outer white space */
};

/*
 * The request that begins at in; the parser is idle (http1_idle()). wanted: as in
 * struct http1_options; names to capture are not looked for. The bytes of its head, the
 * parser now behind HTTP1_HEAD_END; or 0.
 */
size_t http1_whole_request(struct http1 *p, uint32_t wanted, const char *in, const char *end,
			   struct http1_whole *out);

/* The same for a final response, which answers a request of that kind. */
size_t http1_whole_response(struct http1 *p, enum http1_answer answer, const char *in, const char *end);

/*
 * Behind the head, in place of http1_next(): passes of n bytes those that belong to the
 * body, if its length is told or the end of the stream ends it. Their number; the rest,
 * and chunks, are http1_next()'s.
 */
uint64_t http1_whole_body(struct http1 *p, uint64_t n);

/* HTTP1_END, if it is what comes next: true, and the parser is idle. */
bool http1_whole_end(struct http1 *p);

#endif
