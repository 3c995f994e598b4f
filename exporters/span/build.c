/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/build.h"

#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/span/text.h"

#define TRACESTATE_LINES_MAX 32 /* a tracestate has 32 members at most */

const struct name_row span_names[NAME_MAX_] = {
#define ATTRIBUTE(id, new, old)                         \
	{ { new, sizeof new - 1 },                      \
	  { old, sizeof old - 1 },                      \
	  sizeof new > 1 ? SPAN_CONVENTIONS_STABLE : 0, \
	  sizeof old > 1 ? SPAN_CONVENTIONS_LEGACY : 0 },
#define COMMON(id, both) { { both, sizeof both - 1 }, { "", 0 }, SPAN_CONVENTIONS_BOTH, 0 },
#include "exporters/span/names.def"
#undef ATTRIBUTE
#undef COMMON
};

struct slice build_string(struct span_build *b, const uint8_t *value, size_t n)
{
	struct slice s = { (const char *)b->strings + (value - b->copy->tail), n };

	return utf8_repair(b->arena, s);
}

void build_read_strings(struct span_build *b)
{
	size_t pos = 0, n, lines = 0;
	enum span_tag tag;
	const uint8_t *value;
	uint8_t *strings = arena_take(b->arena, b->record->tail_bytes);

	memset(b->has, 0, sizeof b->has);
	memset(b->text, 0, sizeof b->text);
	if (!strings)
		return;
	memcpy(strings, b->copy->tail, b->record->tail_bytes);
	b->strings = strings;
	while (span_next_string(b->copy, &pos, &tag, &value, &n)) {
		if (!b->has[tag]) {
			b->has[tag] = true;
			b->text[tag] = build_string(b, value, n);
		} else if (tag == TAG_TRACESTATE && ++lines < TRACESTATE_LINES_MAX) {
			b->text[tag] = text_join(
				b->arena,
				(struct slice[]){ b->text[tag], SLICE(","), build_string(b, value, n) }, 3);
		}
	}
}

uint64_t build_time(const struct span_build *b, uint64_t mono_ns)
{
	int64_t unix_ns;

	if (mono_ns > INT64_MAX || __builtin_add_overflow((int64_t)mono_ns, b->mono_to_unix_ns, &unix_ns))
		return INT64_MAX;
	return unix_ns > 0 ? (uint64_t)unix_ns : 1;
}
