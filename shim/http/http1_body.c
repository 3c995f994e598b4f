/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

HTTP1_STEP(http1_body)
{
	uint64_t n = (uint64_t)(end - *in);

	(void)opt;
	if (n == 0)
		return HTTP1_NEED_MORE;
	if (p->state != S_UNTIL_CLOSE) {
		if (n > p->left)
			n = p->left;
		p->left -= n;
		if (p->left == 0)
			p->state = p->state == S_LENGTH ? S_END : S_CHUNK_END;
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

static bool at_line_end(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}

/* S_CHUNK_SIZE and S_CHUNK_END: a plain chunk-size line in sight, or the plain end of the body. */
HTTP1_STEP(http1_chunk)
{
	const char *cur = *in, *start;
	uint32_t size = 0;
	int digit;

	if (p->state == S_CHUNK_END) {
		if (!at_line_end(cur, end))
			return http1_steps(p, opt, in, end, d);
		cur += 2;
	}
	for (start = cur; cur < end && cur - start < 8 && (digit = hex_digit(*cur)) >= 0; cur++)
		size = size << 4 | (uint32_t)digit;
	if (p->token_len || cur == start || !at_line_end(cur, end))
		return http1_steps(p, opt, in, end, d);
	cur += 2;
	if (size) {
		p->left = size;
		p->state = S_CHUNK_DATA;
		*in = cur;
		return http1_body(p, opt, in, end, d);
	}
	if (!at_line_end(cur, end))
		return http1_steps(p, opt, in, end, d);
	p->state = S_IDLE;
	*in = cur + 2;
	return HTTP1_END;
}

HTTP1_STEP(http1_body_step)
{
	switch (p->state) {
	case S_CHUNK_SIZE: return chunk_size(p, in, end);
	case S_CHUNK_BLANK: return chunk_blank(p, in, end);
	case S_CHUNK_EXT: return chunk_ext(p, in, end);
	case S_CHUNK_LF:
	case S_CHUNK_END_LF: return chunk_lf(p, in, end);
	case S_CHUNK_END: return chunk_end(p, in, end);
	case S_TRAILER:
	case S_TRAILER_CR:
	case S_TRAILER_SKIP: return trailer(p, in, end);
	default: return http1_body(p, opt, in, end, d);
	}
}
