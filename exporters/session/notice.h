/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_NOTICE_H
#define BTRACE_NOTICE_H

/*
 * What one sink tells people: at most one line per kind in ten seconds, the spans
 * of those in between added up and told with the next line or at the end.
 *
 *     zipkin at http://localhost:9411/api/v2/spans: HTTP 404, is the path right? (512 spans lost)
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/transport/loop.h"

enum notice_kind {
	NOTICE_REFUSED,
	NOTICE_GAVE_UP,
	NOTICE_TOO_LARGE,
	NOTICE_ENCODE,
	NOTICE_QUEUE_FULL,
	NOTICE_LEFT,
	NOTICE_PARTIAL,
	NOTICE_RETRYING,
	NOTICE_RECOVERED,
	NOTICE_SPOOLING,
	NOTICE_SPOOL_LOST,
	NOTICE_REPLAY_LOST,
	NOTICE_REPLAYED,
	NOTICE_KINDS,
};

enum { NOTICE_EVERY_MS = 10000 };

struct notices {
	const char *label;
	struct transport_loop *loop;
	struct {
		uint64_t said_ms, spans; /* spans: not told yet */
		bool said;
		char text[320]; /* the last one that was held back */
	} kinds[NOTICE_KINDS];
};

void notices_init(struct notices *n, const char *label, struct transport_loop *loop);
void notice(struct notices *n, enum notice_kind kind, uint64_t now_ms, uint64_t spans, const char *format,
	    ...) __attribute__((format(printf, 5, 6)));
void notices_flush(struct notices *n); /* losses that were not told yet */

#endif
