/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes in any pieces tell the same story as in one, and no call reads outside of
 * its piece. Input: role and options, a seed of the pieces' sizes, answers, the bytes.
 * FUZZ_SOURCES: shim/http/http1.c shim/http/http1_body.c shim/http/http1_fields.c
 * FUZZ_SOURCES: shim/http/http1_framing.c shim/http/http1_lines.c
 * FUZZ_SOURCES: shim/http/http1_sniff.c shim/http/http1_start.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/http1_story.h"

static const char *const names[] = { "content-length", "content-type", "foo", "x-b3-traceid" };

static uint32_t next(uint32_t *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

static void start(struct story *s, unsigned options, const char *answers)
{
	story_init(s, options & 1 ? HTTP1_RESPONSE : HTTP1_REQUEST, answers);
	if (options & 2)
		s->options.captured = (struct http1_captured){ 4, names };
	if (options & 4)
		s->options.wanted = 1u << HTTP1_FIELD_HOST;
}

/* In a buffer of its own, so that the sanitizer sees a read beyond it. */
static void feed(struct story *s, const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	memcpy(copy, p, n);
	story_feed(s, copy, n);
	free(copy);
}

/* A piece may have 1 byte, a few, or many. */
static size_t size_of_piece(uint32_t *seed, size_t left)
{
	static const size_t limits[] = { 1, 3, 17, 40, 4096 };
	size_t n = 1 + next(seed) % limits[next(seed) % 5];

	return n < left ? n : left;
}

/* The parser leaves out what is more than a carry of blanks and CRs, where a piece ends among them. */
static int has_long_blank(const char *p, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < n; i++) {
		run = p[i] == ' ' || p[i] == '\t' || p[i] == '\r' ? run + 1 : 0;
		if (run >= HTTP1_NAME_MAX - 1)
			return 1;
	}
	return 0;
}

/* Anything the caller may do, in any order: it must only not crash. */
static void anything(unsigned options, uint32_t seed, const char *answers, const char *p, size_t n)
{
	struct story s;
	size_t take;

	start(&s, options, answers);
	for (; n; p += take, n -= take) {
		take = size_of_piece(&seed, n);
		feed(&s, p, take);
		switch (next(&seed) % 8) {
		case 0: story_unseen(&s, next(&seed) % 100); break;
		case 1: http1_restart(&s.parser); break;
		case 2:
			(void)http1_looks_like_start(p, take, options & 1 ? HTTP1_RESPONSE : HTTP1_REQUEST);
			break;
		case 3: (void)http1_sniff(p, take); break;
		}
	}
	story_eof(&s);
	story_eof(&s);
	story_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story whole, pieces;
	char answers[5] = "";
	uint32_t seed;
	const char *p;

	if (size < 4)
		return 0;
	for (int i = 0; i < 4; i++)
		answers[i] = "phcp"[data[2] >> 2 * i & 3];
	p = (const char *)data + 3;
	size -= 3;
	seed = data[1] * 2654435761u;
	anything(data[0], seed, answers, p, size);
	if (has_long_blank(p, size))
		return 0;
	start(&whole, data[0], answers);
	feed(&whole, p, size);
	story_eof(&whole);
	start(&pieces, data[0], answers);
	for (size_t at = 0, n; at < size; at += n) {
		n = data[0] & 8 ? 1 : size_of_piece(&seed, size - at);
		feed(&pieces, p + at, n);
	}
	story_eof(&pieces);
	if (strcmp(whole.text, pieces.text) != 0) {
		fprintf(stderr, "whole\n%spieces\n%s", whole.text, pieces.text);
		abort();
	}
	story_release(&whole);
	story_release(&pieces);
	return 0;
}
