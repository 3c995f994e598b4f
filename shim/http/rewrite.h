/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REWRITE_H
#define BTRACE_REWRITE_H

/*
 * The head of one outgoing request with its context headers replaced. Takes the
 * caller's bytes as they come, cut anywhere, and gives out pieces: of the input,
 * of what was held back, of the new text. Pure: no I/O, no allocation; it never
 * writes into the input.
 *
 *	while (rewrite_next(&r, &m, &in, end, &piece))
 *		rewrite_take(&r, &piece, n_accepted, &in);	(1 <= n_accepted <= piece.n)
 *
 * Lines of the fields to be replaced are held back until the end of the head,
 * and so is the beginning of a line that may become one. There the new text goes
 * out in their place, in front of the empty line; or, if there is none, they do.
 * Nothing is ever lost: rewrite_give_up() sends on what is held, and does so by itself
 * when REWRITE_LOG bytes of one head have been held, released ones too.
 *
 * All progress lies in struct rewrite: copy it, run, and the copy says what will
 * go out; run again with what was accepted of it. The memory only grows within a
 * head, so both runs write the same into it, and pieces stay valid.
 *
 * Thread and signal safety: one struct, one user at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REWRITE_LOG    1024u
#define REWRITE_TEXT   1536u
#define REWRITE_RANGES 8u
#define REWRITE_QUEUE  (REWRITE_RANGES + 3u)

/* Fields that can be replaced; a mask of them. */
enum rewrite_name {
	REWRITE_TRACEPARENT = 1u << 0,
	REWRITE_B3 = 1u << 1, /* and X-B3-TraceId, -SpanId, -ParentSpanId, -Sampled, -Flags */
	REWRITE_UBER_TRACE_ID = 1u << 2,
};

struct rewrite_memory {
	char log[REWRITE_LOG];   /* what was held back */
	char text[REWRITE_TEXT]; /* the caller's: complete lines to put in */
};

struct rewrite_range { /* of the log, or of the text */
	uint16_t from, to;
};

struct rewrite {
	uint64_t at;       /* bytes taken of the head; stands still behind it */
	uint64_t head_end; /* (in) its bytes, UINT64_MAX as long as that is not known */
	uint16_t text;     /* (in) bytes of text; 0: the held lines go out as they came */
	uint16_t names;    /* of the fields to be replaced; that the line may still become: */
	uint16_t matching;
	uint16_t log, line; /* used bytes of the log; where the line begins that is held */
	uint8_t state, column, ranges, queue_at, queue_n;
	bool held_before;  /* the line before was held; a continuation line belongs to it */
	uint8_t from_text; /* 1 + which item of the queue is of the text */
	struct rewrite_range range[REWRITE_RANGES]; /* held lines */
	struct rewrite_range queue[REWRITE_QUEUE];  /* to go out before anything else */
};

struct rewrite_piece {
	const char *p; /* borrowed: of the input or of the memory */
	size_t n;
	bool input;
};

/* At the first byte of a request line. names: enum rewrite_name. */
void rewrite_begin(struct rewrite *r, unsigned names);

/*
 * The next piece to go out, and advances *in over what was held back. False: all
 * input is used. Asked again without rewrite_take() it gives the same piece.
 */
bool rewrite_next(struct rewrite *r, struct rewrite_memory *m, const char **in, const char *end,
		  struct rewrite_piece *piece);
void rewrite_take(struct rewrite *r, const struct rewrite_piece *piece, size_t n, const char **in);

/* Replaces nothing any more: what is held goes out in front of the next line, all else as it is. */
void rewrite_give_up(struct rewrite *r);

/* The head is behind us, or given up, and nothing is held: the rest may go by without us. */
bool rewrite_done(const struct rewrite *r);

#endif
