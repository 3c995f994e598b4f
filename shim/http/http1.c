/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/http/http1.h"

#include <string.h>

#include "shim/http/http1_parts.h"

_Static_assert(sizeof(struct http1) <= 40, "two of them a connection");

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

/* RFC 9112 2.2: empty lines before a request line are ignored. So are they before a
 * status line: clients do, and nothing else can start with CR or LF. */
static HTTP1_STEP(idle)
{
	const char *cur = *in;

	(void)opt;
	while (cur < end && (*cur == '\r' || *cur == '\n'))
		cur++;
	*in = cur;
	if (cur == end)
		return HTTP1_NEED_MORE;
	memset(p, 0, offsetof(struct http1, role));
	p->state = p->role == HTTP1_REQUEST ? S_METHOD : S_STATUS;
	d->p = cur;
	d->n = 0;
	return HTTP1_BEGIN;
}

/* Events that take no input. */
static HTTP1_STEP(pending)
{
	switch (p->state) {
	case S_VERSION_TOLD:
	case S_SIMPLE_VERSION:
	case S_BAD_VERSION: return http1_version(p, opt, in, end, d);
	case S_SIMPLE: p->state = S_SIMPLE_END; return HTTP1_HEAD_END;
	case S_SIMPLE_END: p->state = S_DEAD; return HTTP1_END;
	case S_END: p->state = S_IDLE; return HTTP1_END;
	case S_END_SWITCH: p->state = S_SWITCH; return HTTP1_END;
	case S_SWITCH: p->state = S_DEAD; return HTTP1_SWITCHED;
	case S_BREAK: p->state = S_DEAD; return HTTP1_BROKEN;
	default: *in = end; return HTTP1_NEED_MORE;
	}
}

/* The count of a head stands still at about 1 GiB. */
static HTTP1_STEP(head_step)
{
	const char *before = *in;
	enum http1_event ev;

	ev = (p->state > S_LINE ? http1_field_step : http1_start_step)(p, opt, in, end, d);
	if (p->head_bytes < 1u << 30)
		p->head_bytes += (uint32_t)(*in - before);
	return ev == HTTP1_HEAD_END ? http1_framing_decide(p) : ev;
}

HTTP1_STEP(http1_steps)
{
	enum http1_event ev;

	do {
		if (p->state == S_IDLE)
			ev = idle(p, opt, in, end, d);
		else if (p->state == S_LINE)
			ev = http1_lines_step(p, opt, in, end, d);
		else if (p->state == S_FRAMING)
			ev = http1_framing_step(p, opt, in, end, d);
		else if (p->state <= S_SKIP)
			ev = head_step(p, opt, in, end, d);
		else if (p->state < S_VERSION_TOLD)
			ev = http1_body_step(p, opt, in, end, d);
		else
			ev = pending(p, opt, in, end, d);
	} while (ev == HTTP1_AGAIN);
	return ev;
}

/* Only a tail call, so that an event costs no more than its own function. */
HTTP1_STEP(http1_next)
{
	static HTTP1_STEP((*const now[])) = {
		[S_IDLE] = idle,
		[S_METHOD] = http1_method,
		[S_TARGET_START] = http1_target,
		[S_TARGET... S_BAD_LINE] = http1_steps,
		[S_STATUS] = http1_status,
		[S_STATUS_REST] = http1_steps,
		[S_LINE] = http1_lines,
		[S_LINE_ODD... S_SKIP] = http1_steps,
		[S_LENGTH... S_UNTIL_CLOSE] = http1_body,
		[S_CHUNK_SIZE] = http1_chunk,
		[S_CHUNK_BLANK... S_CHUNK_LF] = http1_steps,
		[S_CHUNK_DATA] = http1_body,
		[S_CHUNK_END] = http1_chunk,
		[S_CHUNK_END_LF... S_TRAILER_SKIP] = http1_steps,
		[S_VERSION_TOLD... S_BAD_VERSION] = http1_version,
		[S_SIMPLE... S_DEAD] = pending,
	};

	_Static_assert(sizeof(now) / sizeof(now[0]) == S_DEAD + 1, "a function a state");
	return now[p->state](p, opt, in, end, d);
}

enum http1_event http1_next_unseen(struct http1 *p, uint64_t *n, struct http1_data *d)
{
	uint64_t take = *n;

	if (p->state >= S_VERSION_TOLD) {
		const char *in = NULL;
		enum http1_event ev = pending(p, NULL, &in, NULL, d);

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

size_t http1_carried(const struct http1 *p)
{
	if (p->state < S_METHOD || p->state > S_SKIP)
		return 0;
	return p->carried < HTTP1_NAME_MAX ? p->carried : HTTP1_NAME_MAX;
}

bool http1_idle(const struct http1 *p) { return p->state == S_IDLE; }

void http1_restart(struct http1 *p)
{
	bool switched = p->state == S_END_SWITCH || p->state == S_SWITCH;

	if (switched || (p->state == S_DEAD && p->error == HTTP1_OK))
		return; /* another protocol, or the stream has ended */
	p->state = S_IDLE;
}
