/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ_SOURCES: shim/http/rewrite.c
 *
 * The rewriting of an outgoing head against a plain one that has all of it: the
 * lines to be replaced are gone, the new text stands in front of the empty line,
 * all else is as it was; whatever the cuts and however little is accepted.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/http/rewrite.h"

#define LIMIT 4096u

static struct rewrite_memory memory;
static const char text[] = "traceparent: 00-new\r\n";

struct bytes {
	char p[4 * LIMIT];
	size_t n;
};

static void add(struct bytes *b, const char *p, size_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* How many bytes of the line have to be held: all of it, or what it has in common with a name. */
static size_t held_of(const char *line, size_t n)
{
	static const char *const name[] = {
		"traceparent:",       "b3:",           "x-b3-traceid:", "x-b3-spanid:",
		"x-b3-parentspanid:", "x-b3-sampled:", "x-b3-flags:",   "uber-trace-id:"
	};
	size_t most = *line == '\r';

	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		size_t common = 0;

		while (name[i][common] && common < n && !strncasecmp(line, name[i], common + 1))
			common++;
		if (!name[i][common])
			return n;
		most = common > most ? common : most;
	}
	return most;
}

/* Where the head ends; 0: it does not. */
static size_t head_of(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);

	while (lf) {
		size_t at = (size_t)(lf - p) + 1;

		if (at < n && p[at] == '\n')
			return at + 1;
		if (at + 1 < n && p[at] == '\r' && p[at + 1] == '\n')
			return at + 2;
		lf = memchr(p + at, '\n', n - at);
	}
	return 0;
}

static int reference(const char *p, size_t n, size_t head, int replace, struct bytes *out)
{
	struct bytes *held = calloc(1, sizeof(*held));
	size_t at = (size_t)((const char *)memchr(p, '\n', n) - p) + 1, log = 0;
	int before = 0;
	unsigned lines = 0;

	add(out, p, at);
	for (;;) {
		size_t length = (size_t)((const char *)memchr(p + at, '\n', n - at) - (p + at)) + 1;
		size_t hold = before ? length : 0;

		if (p[at] != ' ' && p[at] != '\t')
			hold = held_of(p + at, length);
		log += hold;
		if (at + length == head) {
			add(out, replace ? text : held->p, replace ? sizeof(text) - 1 : held->n);
			break;
		}
		before = hold == length;
		lines += (unsigned)before;
		add(before ? held : out, p + at, length);
		at += length;
	}
	free(held);
	add(out, p + at, n - at);
	return log <= REWRITE_LOG && lines <= REWRITE_RANGES;
}

static struct bytes want, got;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in;
	size_t n, at = 0, head, i = 0;
	struct rewrite r;
	int replace, exact, gave_up = 0;

	if (size < 20 || size > LIMIT)
		return 0;
	in = (const char *)data + 16;
	n = size - 16;
	head = head_of(in, n);
	replace = data[0] & 1;
	want.n = got.n = 0;
	exact = head && reference(in, n, head, replace, &want);
	rewrite_begin(&r, REWRITE_TRACEPARENT | REWRITE_B3 | REWRITE_UBER_TRACE_ID);
	r.head_end = head ? head : UINT64_MAX;
	r.text = replace ? sizeof(text) - 1 : 0;
	memcpy(memory.text, text, sizeof(text));
	for (;;) {
		size_t call = 1 + data[1 + i++ % 15], room = 1 + data[1 + i++ % 15] % 64u;
		const char *p = in + at, *begin = p, *end = in + (n - at < call ? n : at + call);
		struct rewrite_piece piece;

		while (room && rewrite_next(&r, &memory, &p, end, &piece)) {
			size_t take = piece.n < room ? piece.n : room;

			add(&got, piece.p, take);
			rewrite_take(&r, &piece, take, &p);
			room -= take;
		}
		at += (size_t)(p - begin);
		if (at == n) {
			if (rewrite_done(&r) || !room) {
				if (rewrite_done(&r))
					break;
				continue;
			}
			if (!exact && gave_up) /* the line that is under way does not end any more */
				break;
			rewrite_give_up(&r);
			exact = 0;
			gave_up = 1;
		}
	}
	if (exact && (got.n != want.n || memcmp(got.p, want.p, got.n) != 0))
		abort();
	if (!exact && !head && got.n != n && rewrite_done(&r)) /* all of it, at least */
		abort();
	return 0;
}
