/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/notice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Whether spans of this kind add up, and what to say of them. */
static const struct {
	const char *what;
	bool adds;
} kinds[NOTICE_KINDS] = {
	[NOTICE_REFUSED] = { "lost", true },
	[NOTICE_GAVE_UP] = { "lost", true },
	[NOTICE_TOO_LARGE] = { "lost", true },
	[NOTICE_ENCODE] = { "lost", true },
	[NOTICE_QUEUE_FULL] = { "lost", true },
	[NOTICE_LEFT] = { "lost", true },
	[NOTICE_PARTIAL] = { "rejected", true },
	[NOTICE_RETRYING] = { "waiting", false },
	[NOTICE_RECOVERED] = { NULL, false },
	[NOTICE_SPOOLING] = { NULL, false },
	[NOTICE_SPOOL_LOST] = { "lost", true },
	[NOTICE_REPLAY_LOST] = { "of an earlier session lost", true },
	[NOTICE_REPLAYED] = { "sent", true },
};

void notices_init(struct notices *n, const char *label, struct transport_loop *loop)
{
	*n = (struct notices){ .label = label, .loop = loop };
}

static void say(struct notices *n, enum notice_kind kind)
{
	uint64_t spans = n->kinds[kind].spans;

	if (kinds[kind].what)
		loop_say(n->loop, "%s: %s (%" PRIu64 " span%s %s)", n->label, n->kinds[kind].text, spans,
			 spans == 1 ? "" : "s", kinds[kind].what);
	else
		loop_say(n->loop, "%s: %s", n->label, n->kinds[kind].text);
	n->kinds[kind].spans = 0;
}

void notice(struct notices *n, enum notice_kind kind, uint64_t now_ms, uint64_t spans, const char *format,
	    ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(n->kinds[kind].text, sizeof(n->kinds[kind].text), format, args);
	va_end(args);
	n->kinds[kind].spans = kinds[kind].adds ? n->kinds[kind].spans + spans : spans;
	if (n->kinds[kind].said && now_ms - n->kinds[kind].said_ms < NOTICE_EVERY_MS)
		return;
	n->kinds[kind].said = true;
	n->kinds[kind].said_ms = now_ms;
	say(n, kind);
}

void notices_flush(struct notices *n)
{
	for (int kind = 0; kind < NOTICE_KINDS; kind++)
		if (kinds[kind].adds && n->kinds[kind].spans)
			say(n, (enum notice_kind)kind);
}
