/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRACECTX_H
#define BTRACE_TRACECTX_H

/*
 * Incoming trace context: W3C Trace Context Level 2, B3 (single, multi) and
 * Jaeger's uber-trace-id. Pure functions over borrowed, unterminated bytes; no
 * allocation; thread and signal safe. A header that came twice is the caller's
 * to notice (traceparent: then absent).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tracectx_decision { TRACECTX_UNDECIDED, TRACECTX_SAMPLED, TRACECTX_NOT_SAMPLED };

struct tracectx {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	bool has_ids;     /* false: a decision without ids (b3: 0, X-B3-Sampled alone) */
	bool debug;       /* b3 d, X-B3-Flags 1, uber-trace-id flag 2 */
	uint8_t flags;    /* W3C flags, bits 0 (sampled) and 1 (random) only */
	uint8_t decision; /* enum tracectx_decision */
};

/* All return true and fill *out if the value is valid; else *out is untouched. */
bool tracectx_traceparent(const char *p, size_t n, struct tracectx *out);
bool tracectx_b3_single(const char *p, size_t n, struct tracectx *out);
/* any of the four may be NULL (absent) */
bool tracectx_b3_multi(const char *trace, size_t trace_n, const char *span, size_t span_n,
		       const char *sampled, size_t sampled_n, const char *flags, size_t flags_n,
		       struct tracectx *out);
bool tracectx_uber(const char *p, size_t n, struct tracectx *out);

/* Is a (joined) tracestate one that may be passed on? wire.md 5.2; at most 32 members. */
bool tracectx_tracestate_valid(const char *p, size_t n);

/* Writing, for injection and answer headers. Exactly 55 bytes, no NUL. Flag bits other than 0 and 1 are
 * dropped. */
#define TRACECTX_TRACEPARENT_BYTES 55
void tracectx_write_traceparent(char out[TRACECTX_TRACEPARENT_BYTES], const uint8_t trace_id[16],
				const uint8_t span_id[8], uint8_t flags);

#endif
