/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_BUILD_H
#define BTRACE_BUILD_H

/* Inside exporters/span only: one span while it is being made. */

#include "exporters/span/attribute_set.h"
#include "exporters/span/endpoint.h"
#include "exporters/span/forwarded.h"
#include "exporters/span/options.h"
#include "shim/abi/span.h"

enum name {
#define ATTRIBUTE(id, stable, legacy) NAME_##id,
#define COMMON(id, both)              NAME_##id,
#include "exporters/span/names.def"
#undef ATTRIBUTE
#undef COMMON
	NAME_MAX_
};

/* The name in each set; stable_in and legacy_in are the enum span_conventions with which it goes out. */
struct name_row {
	struct slice stable, legacy;
	uint8_t stable_in, legacy_in;
};
extern const struct name_row span_names[NAME_MAX_];

/* A request-target, taken apart (RFC 9112 3.2). */
struct target {
	struct slice scheme, authority; /* only of the absolute form; authority of CONNECT too */
	struct slice path, query;       /* query without the ?; fragments are left out */
};

struct span_build {
	const struct span_options *options;
	const struct span_record *record;
	const struct resource *resource;
	struct arena *arena;
	int64_t mono_to_unix_ns;
	const struct span_slot *copy;
	const uint8_t *strings;     /* the tail's copy in the arena */
	struct slice text[TAG_MAX]; /* the first string of each tag, repaired */
	bool has[TAG_MAX];
	struct slice method; /* http.request.method */
	struct slice method_received;
	struct target target;
	struct attribute_set set;
};

/* --- one attribute, under the names that are wanted; each name at most once a span --- */
static inline void build_text(struct span_build *b, enum name name, struct slice value)
{
	const struct name_row *row = &span_names[name];

	if (row->stable_in & b->options->conventions)
		attribute_set_text(&b->set, row->stable, value);
	if (row->legacy_in & b->options->conventions)
		attribute_set_text(&b->set, row->legacy, value);
}

static inline void build_int(struct span_build *b, enum name name, int64_t value)
{
	const struct name_row *row = &span_names[name];

	if (row->stable_in & b->options->conventions)
		attribute_set_int(&b->set, row->stable, value);
	if (row->legacy_in & b->options->conventions)
		attribute_set_int(&b->set, row->legacy, value);
}

/* True, under a name of both sets. */
static inline void build_flag(struct span_build *b, enum name name)
{
	attribute_set_bool(&b->set, span_names[name].stable, true);
}

/* --- build.c --- */
/* Copies and repairs the strings; tag by tag the first one. */
void build_read_strings(struct span_build *b);
/* A string of the copy (span_next_string) as it stands in the arena, repaired. */
struct slice build_string(struct span_build *b, const uint8_t *value, size_t n);
/* The record's clock to Unix time, clamped to [1, INT64_MAX]. */
uint64_t build_time(const struct span_build *b, uint64_t mono_ns);

/* --- http.c: what SERVER and CLIENT spans have in common --- */
void http_method(struct span_build *b);
void http_target(struct span_build *b);
void http_exchange(struct span_build *b); /* version, status, user agent, sizes, local end */
void http_outcome(struct span_build *b, struct span *out);

/* --- http_server.c, http_client.c, captured.c, extras.c, own.c --- */
void http_server(struct span_build *b, struct span *out);
void http_client(struct span_build *b, struct span *out);
void captured_headers(struct span_build *b);
void extras_flags(struct span_build *b);
void extras_timing(struct span_build *b);
void own_attributes(struct span_build *b);
/* Uses b->set: the span's attributes have been taken out of it. */
void own_events_and_links(struct span_build *b, struct span *out);

#endif
