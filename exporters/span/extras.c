/* SPDX-License-Identifier: Apache-2.0 */
/* What the conventions have no name for: timing inside the request, and what the record's flags tell. */
#include "exporters/span/build.h"

static void put_elapsed(struct span_build *b, enum name name, uint64_t from, uint64_t to)
{
	if (from && to > from && to - from <= INT64_MAX) /* a request that came in one read took no time */
		build_int(b, name, (int64_t)(to - from));
}

void extras_flags(struct span_build *b)
{
	static const struct {
		uint32_t flag;
		enum name name;
	} flags[] = {
		{ SPAN_FLAG_TRUNCATED, NAME_TRUNCATED },
		{ SPAN_FLAG_HEAD_LIMIT, NAME_HEAD_LIMIT },
		{ SPAN_FLAG_RESYNC, NAME_RESYNC },
		{ SPAN_FLAG_REQUEST_BODY_CUT, NAME_REQUEST_CUT },
		{ SPAN_FLAG_TAIL_CANDIDATE, NAME_TAIL_KEPT },
		{ SPAN_FLAG_DEBUG, NAME_DEBUG },
		{ SPAN_FLAG_AMBIGUOUS_PARENT, NAME_AMBIGUOUS_PARENT },
		{ SPAN_FLAG_HANDED_OVER, NAME_HANDED_OVER },
	};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (b->record->flags & flags[i].flag)
			build_flag(b, flags[i].name);
}

void extras_timing(struct span_build *b)
{
	const struct span_record *r = b->record;

	if (b->options->detail == SPAN_DETAIL_MINIMAL)
		return;
	if (r->wait_ns && r->wait_ns <= INT64_MAX)
		build_int(b, NAME_WAIT_NS, (int64_t)r->wait_ns);
	put_elapsed(b, NAME_REQUEST_NS, r->start_ns, r->request_end_ns);
	put_elapsed(b, NAME_FIRST_BYTE_NS, r->start_ns, r->response_start_ns);
	put_elapsed(b, NAME_RESPONSE_NS, r->response_start_ns, r->end_ns);
	if (b->options->detail < SPAN_DETAIL_FULL)
		return;
	if (r->connection && r->connection <= INT64_MAX) {
		build_int(b, NAME_CONNECTION, (int64_t)r->connection);
		build_int(b, NAME_REQUEST_NUMBER, r->request_number);
	}
}
