/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace context readers over any bytes: no read outside of them, only valid contexts
 * come out, and what is valid is read back from its canonical form.
 * FUZZ_SOURCES: shim/http/tracectx.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/http/tracectx.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void check(const struct tracectx *c)
{
	char text[TRACECTX_TRACEPARENT_BYTES];
	struct tracectx again;

	CHECK(c->decision <= TRACECTX_NOT_SAMPLED && !(c->flags & ~3));
	CHECK(!c->debug || c->decision == TRACECTX_SAMPLED);
	if (!c->has_ids) {
		CHECK(is_zero(c->trace_id, 16) && is_zero(c->span_id, 8) &&
		      c->decision != TRACECTX_UNDECIDED);
		return;
	}
	CHECK(!is_zero(c->trace_id, 16) && !is_zero(c->span_id, 8));
	tracectx_write_traceparent(text, c->trace_id, c->span_id, c->flags);
	CHECK(tracectx_traceparent(text, sizeof(text), &again));
	CHECK(memcmp(again.trace_id, c->trace_id, 16) == 0 && memcmp(again.span_id, c->span_id, 8) == 0);
	CHECK(again.flags == c->flags);
}

/* Up to the next NUL, or NULL if it begins with \xff: an absent header. */
static const char *header(const char **p, const char *end, size_t *n)
{
	const char *start = *p, *stop = start < end ? memchr(start, 0, (size_t)(end - start)) : NULL;

	*n = (size_t)((stop ? stop : end) - start);
	*p = stop ? stop + 1 : end;
	return *n && *start == '\xff' ? NULL : start;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *h[4];
	struct tracectx c;
	size_t n[4];

	memset(&c, 0, sizeof(c));
	if (tracectx_traceparent(p, size, &c)) {
		check(&c);
		CHECK(c.has_ids && !c.debug && c.decision != TRACECTX_UNDECIDED);
	}
	memset(&c, 0, sizeof(c));
	if (tracectx_b3_single(p, size, &c))
		check(&c);
	memset(&c, 0, sizeof(c));
	if (tracectx_uber(p, size, &c)) {
		check(&c);
		CHECK(c.has_ids);
	}
	if (tracectx_tracestate_valid(p, size))
		CHECK(memchr(p, '=', size));
	for (int i = 0; i < 4; i++)
		h[i] = header(&p, end, &n[i]);
	memset(&c, 0, sizeof(c));
	if (tracectx_b3_multi(h[0], n[0], h[1], n[1], h[2], n[2], h[3], n[3], &c))
		check(&c);
	return 0;
}
