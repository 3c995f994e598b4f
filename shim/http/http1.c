/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/http/http1.h"

#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

void http1_init(struct http1 *p, enum http1_role role)
{
	memset(p, 0, sizeof(*p));
	p->role = (uint8_t)role;
}

enum http1_event http1_break(struct http1 *p, enum http1_error error)
{
	p->error = (uint8_t)error;
	p->state = S_DEAD;
	return HTTP1_BROKEN;
}

static void begin(struct http1 *p)
{
	p->left = 0;
	p->head_bytes = 0;
	p->status = 0;
	p->version = 0;
	p->state = p->role == HTTP1_REQUEST ? S_METHOD : S_STATUS;
	p->framing = HTTP1_NO_BODY;
	p->error = HTTP1_OK;
	p->answer = HTTP1_ANSWER_PLAIN;
	p->keep_alive = false;
	p->over_limit = false;
	p->upgrade = false;
	p->expect_continue = false;
	p->name_len = 0;
	p->field = HTTP1_FIELD_NONE;
	p->flags = 0;
	p->token_len = 0;
	p->kind = KIND_NONE;
	p->content_length = 0;
}

/* RFC 9112 2.2: empty lines before a request line are ignored. So are they before a
 * status line: clients do, and nothing else can start with CR or LF. */
static enum http1_event idle(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	const char *cur = *in;

	while (cur < end && (*cur == '\r' || *cur == '\n'))
		cur++;
	*in = cur;
	if (cur == end)
		return HTTP1_NEED_MORE;
	begin(p);
	d->p = cur;
	d->n = 0;
	return HTTP1_BEGIN;
}

static enum http1_event body(struct http1 *p, const char **in, const char *end, struct http1_data *d,
			     unsigned next)
{
	uint64_t n = (uint64_t)(end - *in);

	if (n == 0)
		return HTTP1_NEED_MORE;
	if (p->state != S_UNTIL_CLOSE) {
		if (n > p->left)
			n = p->left;
		p->left -= n;
		if (p->left == 0)
			p->state = (uint8_t)next;
	}
	d->p = *in;
	d->n = (size_t)n;
	d->bytes = n;
	*in += n;
	return HTTP1_BODY;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 9112 7.1: chunk-size = 1*HEXDIG. No sign, no prefix, no white space before it. */
static enum http1_event chunk_size(struct http1 *p, const char **in, const char *end)
{
	int digit;

	for (; *in < end; ++*in) {
		digit = hex_digit(**in);
		if (digit < 0)
			break;
		if (p->left >> 60)
			return http1_break(p, HTTP1_BAD_CHUNK);
		p->left = p->left << 4 | (unsigned)digit;
		p->token_len = 1;
	}
	if (*in == end)
		return HTTP1_NEED_MORE;
	if (!p->token_len)
		return http1_break(p, HTTP1_BAD_CHUNK);
	p->state = S_CHUNK_BLANK;
	return HTTP1_AGAIN;
}

static void chunk_line_done(struct http1 *p)
{
	p->token_len = 0;
	p->state = p->left ? S_CHUNK_DATA : S_TRAILER;
}

/*
 * Behind the size. White space is BWS of chunk-ext (7.1.1) and padding that old servers
 * send. A bare LF ends the line as it does for nginx, apache and Python (2.2), but not
 * inside an extension, where servers differ on whether it ends anything: broken.
 */
static enum http1_event chunk_blank(struct http1 *p, const char **in, const char *end)
{
	while (*in < end && is_blank(**in))
		++*in;
	if (*in == end)
		return HTTP1_NEED_MORE;
	switch (*(*in)++) {
	case ';': p->state = S_CHUNK_EXT; return HTTP1_AGAIN;
	case '\r': p->state = S_CHUNK_LF; return HTTP1_AGAIN;
	case '\n': chunk_line_done(p); return HTTP1_AGAIN;
	default: --*in; return http1_break(p, HTTP1_BAD_CHUNK);
	}
}

static enum http1_event chunk_ext(struct http1 *p, const char **in, const char *end)
{
	const char *cur = *in;

	while (cur < end && *cur != '\r' && *cur != '\n')
		cur++;
	*in = cur;
	if (cur == end)
		return HTTP1_NEED_MORE;
	if (*cur == '\n')
		return http1_break(p, HTTP1_BAD_CHUNK);
	*in = cur + 1;
	p->state = S_CHUNK_LF;
	return HTTP1_AGAIN;
}

static enum http1_event chunk_lf(struct http1 *p, const char **in, const char *end)
{
	if (*in == end)
		return HTTP1_NEED_MORE;
	if (**in != '\n')
		return http1_break(p, HTTP1_BAD_CHUNK);
	++*in;
	if (p->state == S_CHUNK_END_LF)
		p->state = S_CHUNK_SIZE;
	else
		chunk_line_done(p);
	return HTTP1_AGAIN;
}

static enum http1_event chunk_end(struct http1 *p, const char **in, const char *end)
{
	if (*in == end)
		return HTTP1_NEED_MORE;
	if (**in != '\r' && **in != '\n')
		return http1_break(p, HTTP1_BAD_CHUNK);
	p->state = *(*in)++ == '\r' ? S_CHUNK_END_LF : S_CHUNK_SIZE;
	return HTTP1_AGAIN;
}

/* Trailer fields (7.1.2) are passed over: nothing in them may change the message. */
static enum http1_event trailer(struct http1 *p, const char **in, const char *end)
{
	const char *lf;

	if (*in == end)
		return HTTP1_NEED_MORE;
	if (p->state == S_TRAILER && **in == '\r') {
		++*in;
		p->state = S_TRAILER_CR;
		return HTTP1_AGAIN;
	}
	if (p->state != S_TRAILER_SKIP && **in == '\n') {
		++*in;
		p->state = S_END;
		return HTTP1_AGAIN;
	}
	lf = memchr(*in, '\n', (size_t)(end - *in));
	*in = lf ? lf + 1 : end;
	p->state = lf ? S_TRAILER : S_TRAILER_SKIP;
	return HTTP1_AGAIN;
}

static enum http1_event head_end(struct http1 *p)
{
	http1_framing_decide(p);
	return HTTP1_HEAD_END;
}

/* Events that take no input. */
static enum http1_event pending(struct http1 *p, const char **in, const char *end)
{
	switch (p->state) {
	case S_SIMPLE: p->state = S_SIMPLE_END; return HTTP1_HEAD_END;
	case S_SIMPLE_END: p->state = S_DEAD; return HTTP1_END;
	case S_END: p->state = S_IDLE; return HTTP1_END;
	case S_END_SWITCH: p->state = S_SWITCH; return HTTP1_END;
	case S_SWITCH: p->state = S_DEAD; return HTTP1_SWITCHED;
	case S_BREAK: p->state = S_DEAD; return HTTP1_BROKEN;
	default: *in = end; return HTTP1_NEED_MORE;
	}
}

static enum http1_event after_head(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	switch (p->state) {
	case S_LENGTH: return body(p, in, end, d, S_END);
	case S_UNTIL_CLOSE: return body(p, in, end, d, S_UNTIL_CLOSE);
	case S_CHUNK_SIZE: return chunk_size(p, in, end);
	case S_CHUNK_BLANK: return chunk_blank(p, in, end);
	case S_CHUNK_EXT: return chunk_ext(p, in, end);
	case S_CHUNK_LF:
	case S_CHUNK_END_LF: return chunk_lf(p, in, end);
	case S_CHUNK_DATA: return body(p, in, end, d, S_CHUNK_END);
	case S_CHUNK_END: return chunk_end(p, in, end);
	case S_TRAILER:
	case S_TRAILER_CR:
	case S_TRAILER_SKIP: return trailer(p, in, end);
	default: return pending(p, in, end);
	}
}

static void count_head(struct http1 *p, size_t n)
{
	uint64_t sum = p->head_bytes + (uint64_t)n;

	p->head_bytes = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
	if (sum > HTTP1_HEAD_LIMIT)
		p->over_limit = true;
}

static enum http1_event head(struct http1 *p, const struct http1_options *opt, const char **in,
			     const char *end, struct http1_data *d)
{
	const char *before = *in;
	enum http1_event ev;

	if (p->state >= S_LINE)
		ev = http1_field_lines(p, opt, in, end, d);
	else if (p->role == HTTP1_REQUEST)
		ev = http1_request_line(p, in, end, d);
	else
		ev = http1_status_line(p, in, end);
	count_head(p, (size_t)(*in - before));
	return ev == HTTP1_HEAD_END ? head_end(p) : ev;
}

enum http1_event http1_next(struct http1 *p, const struct http1_options *opt, const char **in,
			    const char *end, struct http1_data *d)
{
	enum http1_event ev;

	do {
		if (p->state == S_IDLE)
			ev = idle(p, in, end, d);
		else if (p->state <= S_SKIP)
			ev = head(p, opt, in, end, d);
		else
			ev = after_head(p, in, end, d);
	} while (ev == HTTP1_AGAIN);
	return ev;
}

enum http1_event http1_next_unseen(struct http1 *p, uint64_t *n, struct http1_data *d)
{
	uint64_t take = *n;

	if (p->state >= S_SIMPLE) {
		const char *in = NULL;
		enum http1_event ev = pending(p, &in, NULL);

		if (ev == HTTP1_NEED_MORE)
			*n = 0;
		return ev;
	}
	if (take == 0)
		return HTTP1_NEED_MORE;
	if (p->state != S_LENGTH && p->state != S_UNTIL_CLOSE && p->state != S_CHUNK_DATA)
		return http1_break(p, HTTP1_UNSEEN_HEAD);
	if (p->state != S_UNTIL_CLOSE) {
		if (take > p->left)
			take = p->left;
		p->left -= take;
		if (p->left == 0)
			p->state = p->state == S_LENGTH ? S_END : S_CHUNK_END;
	}
	d->p = NULL;
	d->n = 0;
	d->bytes = take;
	*n -= take;
	return HTTP1_BODY;
}

enum http1_event http1_eof(struct http1 *p)
{
	uint8_t state = p->state;

	p->state = S_DEAD;
	switch (state) {
	case S_IDLE:
	case S_SWITCH:
	case S_BREAK:
	case S_DEAD: return HTTP1_NEED_MORE;
	case S_UNTIL_CLOSE:
	case S_SIMPLE_END:
	case S_END:
	case S_END_SWITCH: return HTTP1_END;
	default: return HTTP1_INCOMPLETE;
	}
}

void http1_answers(struct http1 *p, enum http1_answer answer) { p->answer = (uint8_t)answer; }

bool http1_idle(const struct http1 *p) { return p->state == S_IDLE; }

void http1_restart(struct http1 *p)
{
	if (p->state == S_DEAD && p->error == HTTP1_OK)
		return; /* switched, or its stream has ended */
	p->state = S_IDLE;
}
