/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/shape.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "exporters/route/words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The next call overwrites what the last one gave: the slices point into it, so it cannot be copied. */
static const struct route_shape *shape(const char *segment, enum route_place place)
{
	static struct route_shape s;

	route_shape(slice_of(segment), place, true, &s);
	return &s;
}

Test(route_shape, what_looks_like_an_id_is_one)
{
	static const char *const ids[] = {
		"42",
		"0f8fad5b-d9cb-469f-a165-70867728950e",
		"01HJ3QK8ZV6W4M2N0P5R7T9XYA",
		"deadbee1",
		"DEADBEEF01",
		"4aawyAB9vmqN3uQ7FjRGTy",
		"ZmFzZG9nMTIz",
		"2024-05-17",
		"20240517T101500Z",
		"jane@example.com",
		"192.168.1.20",
		"fe80::1",
		"00:1b:44:11:3a:b7",
		"+15551234567",
		"PROJ-123",
		"INV-2022-0001",
		"cus_NffrFeUfNV2Hib",
		"ord_8fj2kd",
		"a1b2c3",
		"hello%20world",
		"lib%2Fclass.rb",
		"a,b",
		"k=v",
		"4.17.21",
		"xkqzvb",
		"dQwXgWcQ",
		"deadbeef",
		"sha256:6dcb09b5b57875f334f61aebed695e2e4193db5e",
		"%F0%9F%94%A5",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaa",
	};

	for (size_t i = 0; i < COUNT(ids); i++) {
		const struct route_shape *s = shape(ids[i], ROUTE_BEHIND_WORD);

		cr_expect_eq(s->kind, ROUTE_ID, "%s", ids[i]);
		cr_expect(slice_is(s->id, "{id}"), "%s", ids[i]);
	}
}

Test(route_shape, words_versions_and_files_are_kept)
{
	static const char *const kept[] = {
		"users",
		"fulfillment_orders",
		"line-items",
		"chat.postMessage",
		"configmaps",
		"persistentvolumeclaims",
		"oauth2",
		"2fa",
		"h264",
		"ipv4",
		"v1",
		"v1beta2",
		"v1.43",
		"V3",
		".well-known",
		"_search",
		"_next",
		"jwks.json",
		"style.css",
		"jquery.min.js",
		"favicon.ico",
		"openid-configuration",
		"IncomingPhoneNumbers",
		"webhooks",
		"getUploadURL",
		"-",
		"cgi-bin",
		"graphql",
		"healthz",
		"users;jsessionid=12AF",
	};

	for (size_t i = 0; i < COUNT(kept); i++)
		cr_expect_eq(shape(kept[i], ROUTE_BEHIND_WORD)->kind, ROUTE_KEEP, "%s", kept[i]);
}

Test(route_shape, unknown_names_are_left_to_traffic)
{
	static const char *const names[] = { "torvalds",   "alice",
					     "frobnicate", "gpt-4o",
					     "user42",     "caf\303\251",
					     "%C3%BCber",  "ten-tips-for-better-sleep",
					     "contoso.pdf" };

	for (size_t i = 0; i < COUNT(names); i++)
		cr_expect_eq(shape(names[i], ROUTE_BEHIND_WORD)->kind, ROUTE_NAME, "%s", names[i]);
}

Test(route_shape, what_is_around_an_id_stays)
{
	static const struct {
		const char *segment, *id;
	} rows[] = {
		{ "632910392.json", "{id}.json" },
		{ "@alice", "@{id}" },
		{ "~bob", "~{id}" },
		{ "42:cancel", "{id}:cancel" },
		{ "IMG_1234.jpg", "{id}.jpg" },
		{ "dump-20240517.tar.gz", "{id}.tar.gz" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct route_shape *s = shape(rows[i].segment, ROUTE_BEHIND_WORD);

		cr_expect_eq(s->kind, ROUTE_ID, "%s", rows[i].segment);
		cr_expect(slice_is(s->id, rows[i].id), "%s: %.*s", rows[i].segment, (int)s->id.n, s->id.p);
	}
	cr_expect_eq(shape("@me", ROUTE_BEHIND_WORD)->kind, ROUTE_KEEP);
	cr_expect_eq(shape("users:batchGet", ROUTE_AT_ROOT)->kind, ROUTE_KEEP);
}

Test(route_shape, a_hash_in_the_name_of_a_file_is_replaced)
{
	static const struct {
		const char *segment, *keep;
	} rows[] = {
		{ "app.4f3e2a1b.js", "app.{hash}.js" },
		{ "main.4f3e2a1b.chunk.js", "main.{hash}.chunk.js" },
		{ "chunk-0123456789abcdef.css", "chunk-{hash}.css" },
		{ "style.css;v=3", "style.css" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct route_shape *s = shape(rows[i].segment, ROUTE_BEHIND_WORD);

		cr_expect_eq(s->kind, ROUTE_KEEP, "%s", rows[i].segment);
		cr_expect(slice_is(s->keep, rows[i].keep), "%s: %.*s", rows[i].segment, (int)s->keep.n,
			  s->keep.p);
	}
}

Test(route_shape, numbers_and_dates_are_versions_where_versions_stand)
{
	cr_expect_eq(shape("2", ROUTE_AT_ROOT)->kind, ROUTE_KEEP);
	cr_expect_eq(shape("2", ROUTE_BEHIND_PLURAL)->kind, ROUTE_ID);
	cr_expect_eq(shape("1.0", ROUTE_BEHIND_WORD)->kind, ROUTE_KEEP);
	cr_expect_eq(shape("2010-04-01", ROUTE_AT_ROOT)->kind, ROUTE_KEEP);
	cr_expect_eq(shape("2010-04-01", ROUTE_BEHIND_WORD)->kind, ROUTE_ID);
	cr_expect_eq(shape("v1.2.3", ROUTE_BEHIND_PLURAL)->kind, ROUTE_ID);
}

Test(route_shape, places_follow_from_words)
{
	cr_expect_eq(shape("users", ROUTE_AT_ROOT)->next, ROUTE_BEHIND_PLURAL);
	cr_expect_eq(shape("issue", ROUTE_AT_ROOT)->next, ROUTE_BEHIND_NOUN);
	cr_expect_eq(shape("api", ROUTE_AT_ROOT)->next, ROUTE_AT_ROOT);
	cr_expect_eq(shape("v1", ROUTE_BEHIND_WORD)->next, ROUTE_AT_ROOT);
	cr_expect_eq(shape("search", ROUTE_AT_ROOT)->next, ROUTE_BEHIND_WORD);
}

Test(route_shape, every_segment_of_bytes_is_judged_within_its_bounds)
{
	for (size_t n = 1; n < 200; n++) {
		char *exact = malloc(n); /* the sanitizer watches its end */

		for (size_t i = 0; i < n; i++)
			exact[i] = (char)(i * 37 + n);
		for (int place = ROUTE_AT_ROOT; place <= ROUTE_BEHIND_ID; place++) {
			struct route_shape s;

			route_shape((struct slice){ exact, n }, place, n % 2, &s);
			cr_expect_leq(s.keep.n, n);
			cr_expect_leq(s.id.n, n + 4);
		}
		free(exact);
	}
}

Test(route_words, inflected_joined_and_composed_words_are_known)
{
	static const struct {
		const char *text;
		uint32_t flags;
	} rows[] = {
		{ "user", ROUTE_WORD | ROUTE_NOUN },
		{ "users", ROUTE_WORD | ROUTE_NOUN | ROUTE_PLURAL },
		{ "categories", ROUTE_WORD | ROUTE_NOUN | ROUTE_PLURAL },
		{ "me", ROUTE_WORD | ROUTE_RESERVED },
		{ "torvalds", 0 },
		{ "a-torvalds", 0 },
		{ "", 0 },
		{ "---", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(route_words(slice_of(rows[i].text)), rows[i].flags, "\"%s\": %x", rows[i].text,
			     route_words(slice_of(rows[i].text)));
	cr_expect(route_words(SLICE("cancelled")) & ROUTE_ACTION);
	cr_expect(route_words(SLICE("bulk-import")) & ROUTE_RESERVED);
	cr_expect(route_words(SLICE("postMessage")) & ROUTE_ACTION);
	cr_expect(route_words(SLICE("web-2")) & ROUTE_VALUE);
	cr_expect(!(route_words(SLICE("design-tokens")) & ROUTE_ACTION));
	cr_expect(route_words(SLICE("healthcheck")) & ROUTE_WORD);
	cr_expect_eq(route_words(SLICE("one-two-three-page-user-order")), 0);
}
