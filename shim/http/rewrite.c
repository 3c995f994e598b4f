/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/http/rewrite.h"

#include <string.h>

enum state {
	REQUEST_LINE,
	LINE,       /* at its beginning, or it may still become one to hold */
	HELD_LINE,  /* goes to the log */
	OTHER_LINE, /* goes out */
	EMPTY_CR,   /* CR at the beginning of a line is held */
	EMPTY_LF,   /* this LF ends the head */
	GIVEN_UP,   /* goes out; what is held follows the line that is under way */
	BEHIND,     /* all goes out */
};

static const struct {
	const char *text; /* lower case, with the colon */
	uint8_t name;     /* enum rewrite_name */
} names[] = {
	{ "traceparent:", REWRITE_TRACEPARENT }, { "b3:", REWRITE_B3 },
	{ "x-b3-traceid:", REWRITE_B3 },         { "x-b3-spanid:", REWRITE_B3 },
	{ "x-b3-parentspanid:", REWRITE_B3 },    { "x-b3-sampled:", REWRITE_B3 },
	{ "x-b3-flags:", REWRITE_B3 },           { "uber-trace-id:", REWRITE_UBER_TRACE_ID },
};
#define NAMES (sizeof(names) / sizeof(*names))

void rewrite_begin(struct rewrite *r, unsigned wanted)
{
	memset(r, 0, sizeof(*r));
	r->head_end = UINT64_MAX;
	for (unsigned i = 0; i < NAMES; i++)
		if (names[i].name & wanted)
			r->names |= (uint16_t)(1u << i);
}

static void enqueue(struct rewrite *r, uint16_t from, uint16_t to, bool text)
{
	if (from == to || r->queue_n >= REWRITE_QUEUE)
		return;
	r->queue[r->queue_n++] = (struct rewrite_range){ from, to };
	if (text)
		r->from_text = r->queue_n;
}

static void begin_line(struct rewrite *r, bool held)
{
	r->state = LINE;
	r->column = 0;
	r->matching = r->names;
	r->line = r->log;
	r->held_before = held;
}

/* What is held of the line that is being read goes out; the rest of it follows as it comes. */
static void release_line(struct rewrite *r)
{
	enqueue(r, r->line, r->log, false);
	r->line = r->log;
	r->state = OTHER_LINE;
}

static void release_ranges(struct rewrite *r)
{
	for (unsigned i = 0; i < r->ranges; i++)
		enqueue(r, r->range[i].from, r->range[i].to, false);
	r->ranges = 0;
}

void rewrite_give_up(struct rewrite *r)
{
	if (r->state == BEHIND || r->state == GIVEN_UP || r->state == EMPTY_LF)
		return; /* done, or as good as done */
	if (r->state == OTHER_LINE && r->ranges) {
		r->state = GIVEN_UP; /* never into the middle of a line */
		return;
	}
	release_ranges(r);
	release_line(r);
	r->state = BEHIND;
}

bool rewrite_done(const struct rewrite *r) { return r->state == BEHIND && r->queue_at == r->queue_n; }

/* The byte goes to the log. False: there is no room, and everything has been released. */
static bool hold(struct rewrite *r, struct rewrite_memory *m, char c)
{
	if (r->log == REWRITE_LOG) {
		rewrite_give_up(r);
		return false;
	}
	m->log[r->log++] = c;
	r->at++;
	return true;
}

static void line_is_held(struct rewrite *r)
{
	if (r->ranges && r->range[r->ranges - 1].to == r->line) {
		r->range[r->ranges - 1].to = r->log;
	} else if (r->ranges < REWRITE_RANGES) {
		r->range[r->ranges++] = (struct rewrite_range){ r->line, r->log };
	} else {
		rewrite_give_up(r);
		return;
	}
	begin_line(r, true);
}

/* At the LF of an empty line (not taken yet): is it the head's last byte, as the parser has found? */
static void end_of_head(struct rewrite *r)
{
	if (r->at + 1 != r->head_end) {
		rewrite_give_up(r);
		return;
	}
	if (r->text)
		enqueue(r, 0, r->text, true);
	else
		release_ranges(r);
	enqueue(r, r->line, r->log, false); /* CR */
	r->line = r->log;
	r->state = EMPTY_LF;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

static bool match(struct rewrite *r, char c)
{
	uint16_t left = 0;

	for (unsigned i = 0; i < NAMES; i++)
		if (r->matching >> i & 1 && names[i].text[r->column] == lower(c))
			left |= (uint16_t)(1u << i);
	r->matching = left;
	return left != 0;
}

/* At the beginning of a line. False: the byte is not for the log. */
static bool first_byte(struct rewrite *r, struct rewrite_memory *m, char c)
{
	if (c == '\n') {
		end_of_head(r);
		return false;
	}
	if (c == '\r') {
		r->state = EMPTY_CR;
		return hold(r, m, c);
	}
	if (c == ' ' || c == '\t') {
		r->state = r->held_before ? HELD_LINE : OTHER_LINE;
		return r->held_before && hold(r, m, c);
	}
	if (!match(r, c)) {
		r->state = OTHER_LINE;
		return false;
	}
	r->column = 1;
	return hold(r, m, c);
}

/* One byte that may have to be held. False: it is not, and something goes out now. */
static bool absorb(struct rewrite *r, struct rewrite_memory *m, char c)
{
	switch (r->state) {
	case LINE:
		if (!r->column)
			return first_byte(r, m, c);
		if (!match(r, c)) {
			release_line(r);
			return false;
		}
		r->column++;
		if (c == ':')
			r->state = HELD_LINE;
		return hold(r, m, c);
	case HELD_LINE:
		if (!hold(r, m, c))
			return false;
		if (c == '\n')
			line_is_held(r);
		return true;
	case EMPTY_CR:
		if (c == '\n')
			end_of_head(r);
		else
			release_line(r);
		return false;
	default: return false;
	}
}

static bool goes_out(const struct rewrite *r)
{
	return r->state == REQUEST_LINE || r->state == OTHER_LINE || r->state == EMPTY_LF ||
	       r->state == GIVEN_UP || r->state == BEHIND;
}

bool rewrite_next(struct rewrite *r, struct rewrite_memory *m, const char **in, const char *end,
		  struct rewrite_piece *piece)
{
	while (*in < end && r->queue_at == r->queue_n && !goes_out(r))
		if (absorb(r, m, **in))
			++*in;
	if (r->queue_at < r->queue_n) {
		const struct rewrite_range *q = &r->queue[r->queue_at];

		*piece = (struct rewrite_piece){ (r->from_text == r->queue_at + 1 ? m->text : m->log) +
							 q->from,
						 (size_t)(q->to - q->from), false };
		return true;
	}
	if (*in == end)
		return false;
	*piece = (struct rewrite_piece){ *in, (size_t)(end - *in), true };
	if (r->state == EMPTY_LF) {
		piece->n = 1;
	} else if (r->state != BEHIND) {
		const char *lf = memchr(*in, '\n', piece->n);

		if (lf)
			piece->n = (size_t)(lf - *in) + 1;
	}
	return true;
}

void rewrite_take(struct rewrite *r, const struct rewrite_piece *piece, size_t n, const char **in)
{
	if (!piece->input) {
		r->queue[r->queue_at].from += (uint16_t)n;
		if (n < piece->n || ++r->queue_at < r->queue_n)
			return;
		r->queue_at = r->queue_n = r->from_text = 0;
		return;
	}
	*in += n;
	if (r->state == BEHIND)
		return;
	r->at += n;
	if (r->state == EMPTY_LF) {
		r->state = BEHIND;
	} else if (piece->p[n - 1] == '\n') {
		bool given_up = r->state == GIVEN_UP;

		begin_line(r, false);
		if (given_up)
			rewrite_give_up(r);
	}
}
