/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes that are copied from the span before read as if each had been made for itself: a batch whose
 * spans share their keys is encoded as the same batch whose keys all lie at places of their own.
 */
#include "exporters/encode/repeat.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "exporters/encode/format.h"
#include "tests/lib/sample_spans.h"

enum { SPANS = 60, BATCHES = 40 };

static const struct value list[] = { { .type = VALUE_STRING, .string = { "a", 1 } },
				     { .type = VALUE_STRING, .string = { "b", 1 } } };

/* Some are replaced by tags of ours (zipkin, jaeger), one is no UTF-8, one poison for Zipkin. */
static const struct attribute pool[] = {
	STRING_ATTRIBUTE("http.request.method", "GET"),
	STRING_ATTRIBUTE("url.path", "/a"),
	INT_ATTRIBUTE("http.response.status_code", 200),
	BOOL_ATTRIBUTE("error", false),
	STRING_ATTRIBUTE("otel.scope.name", "mine"),
	DOUBLE_ATTRIBUTE("share", 0.25),
	STRING_ATTRIBUTE("bad \xff key", "bad \xc3 value"),
	STRING_ATTRIBUTE("poison", "binaryAnnotations"),
	ARRAY_ATTRIBUTE("http.request.header.x", list),
	STRING_ATTRIBUTE("client.address", "10.0.0.1"),
	INT_ATTRIBUTE("network.peer.port", 5000),
	STRING_ATTRIBUTE("user_agent.original", "curl \"8\""),
};
enum { POOL = sizeof(pool) / sizeof(*pool) };

static struct value changed(struct value v, struct arena *arena, unsigned how)
{
	switch (v.type) {
	case VALUE_STRING: v.string = arena_printf(arena, "%.*s%u", (int)v.string.n, v.string.p, how); break;
	case VALUE_INT: v.integer += how; break;
	case VALUE_BOOL: v.boolean = how & 1; break;
	case VALUE_DOUBLE: v.real += how; break;
	case VALUE_ARRAY: v.array.n = how % 3; break;
	}
	return v;
}

/* Often the same as before: now and then one is left out, added, another, or the whole span is short. */
static void fill(struct span *spans, struct arena *arena)
{
	for (unsigned s = 0; s < SPANS; s++) {
		struct attribute *items = arena_take(arena, sizeof(pool));
		size_t n = 0;

		sample_server_span(&spans[s], arena, s);
		for (unsigned i = 0; i < POOL && rand() % 30; i++) {
			if (rand() % 12 == 0)
				continue;
			items[n] = pool[rand() % 12 ? i : (unsigned)rand() % POOL];
			if (rand() % 4 == 0)
				items[n].value = changed(items[n].value, arena, (unsigned)rand() % 4);
			n++;
		}
		spans[s].attributes = (struct attributes){ items, n };
		spans[s].status = rand() % 6 ? MODEL_STATUS_UNSET : MODEL_STATUS_ERROR;
		if (rand() % 8 == 0)
			spans[s].name = SLICE("");
	}
}

static void keys_of_their_own(struct span *to, const struct span *from, struct arena *arena)
{
	for (unsigned s = 0; s < SPANS; s++) {
		struct attribute *items = arena_take(arena, sizeof(pool));

		to[s] = from[s];
		for (size_t i = 0; i < from[s].attributes.n; i++) {
			items[i] = from[s].attributes.items[i];
			items[i].key = arena_copy(arena, items[i].key);
		}
		to[s].attributes.items = items;
	}
}

static void encode_all(const struct format *format, const struct span *spans, size_t limit, struct buf *out)
{
	struct encode_options options = { .max_payload_bytes = limit, .max_tag_value_bytes = limit ? 9 : 0 };
	struct batch batch = { spans, SPANS };
	size_t done = 0, n;

	while (done < SPANS) {
		struct buf payload = { 0 };

		n = format->encode(&batch, done, SPANS - done, &options, &payload);
		cr_assert_not(payload.failed);
		cr_assert_gt(n, 0);
		done += n;
		buf_add(out, payload.p, payload.n);
		buf_release(&payload);
	}
}

Test(repeat, batch_is_the_same_whether_keys_are_shared_or_not)
{
	struct span shared[SPANS], own[SPANS];
	struct arena arena;
	struct buf one, other;

	arena_init(&arena);
	buf_init(&one);
	buf_init(&other);
	for (unsigned batch = 0; batch < BATCHES; batch++) {
		srand(batch);
		arena_clear(&arena);
		fill(shared, &arena);
		keys_of_their_own(own, shared, &arena);
		for (const struct format *const *f = formats; *f; f++) {
			buf_clear(&one);
			buf_clear(&other);
			encode_all(*f, shared, batch % 2 ? 4000 : 0, &one);
			encode_all(*f, own, batch % 2 ? 4000 : 0, &other);
			cr_assert_eq(one.n, other.n, "%s, batch %u", (*f)->name, batch);
			cr_assert_eq(memcmp(one.p, other.p, one.n), 0, "%s, batch %u", (*f)->name, batch);
		}
	}
	arena_release(&arena);
	buf_release(&one);
	buf_release(&other);
}

/* Else the test above would compare nothing. */
Test(repeat, what_stands_there_is_copied_and_what_differs_is_not)
{
	const struct attribute first[] = { pool[0], pool[1], pool[2] },
			       second[] = { pool[0], pool[2], pool[1] };
	struct attribute third = pool[1];
	struct repeat repeat = { .turn = 0 };
	struct buf b;

	buf_init(&b);
	repeat_begin(&repeat);
	for (int i = 0; i < 3; i++) {
		cr_assert_not(repeat_attribute(&repeat, &b, &first[i]));
		cr_assert(repeat_key(&repeat).valid);
		buf_add_byte(&b, (uint8_t)('a' + i));
		repeat_written(&repeat, &b, true);
	}
	repeat_begin(&repeat);
	cr_assert(repeat_attribute(&repeat, &b, &second[0]));
	cr_assert(repeat_attribute(&repeat, &b, &second[1]), "one was left out");
	cr_assert_not(repeat_attribute(&repeat, &b, &second[2]), "it is out of its order");
	cr_assert_not(repeat.valid_key);
	buf_add_byte(&b, 'B');
	repeat_written(&repeat, &b, true);
	repeat_begin(&repeat);
	cr_assert_not(repeat_attribute(&repeat, &b, &second[2]), "more than one was left out");
	cr_assert(repeat_attribute(&repeat, &b, &second[1]));
	third.value.string = SLICE("/b");
	cr_assert_not(repeat_attribute(&repeat, &b, &third), "another value");
	cr_assert(repeat.valid_key);
	cr_assert_eq(b.n, 7);
	cr_assert_eq(memcmp(b.p, "abcacBc", 7), 0);
	buf_release(&b);
}
