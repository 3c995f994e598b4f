/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/scrub.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/span/redact.h"

/* What is recorded of a target that arrives in pieces of this size. */
static size_t scrub(const char *text, size_t n, size_t size, bool authority, char *out)
{
	struct scrub s;
	size_t used = 0;

	scrub_begin(&s, authority);
	for (size_t at = 0; at < n; at += size) {
		size_t take = n - at < size ? n - at : size;
		char *piece = malloc(take); /* of its own: a read beyond it is found */
		const char *in = piece, *end = piece + take;
		struct scrub_piece got;

		memcpy(piece, text + at, take);
		while (scrub_next(&s, scrub_keys(NULL), &in, end, &got)) {
			cr_assert_leq(got.cut, used);
			memcpy(out + used - got.cut, got.p, got.n);
			used += got.n - got.cut;
		}
		cr_assert_eq(in, end);
		free(piece);
	}
	out[used] = 0;
	return used;
}

static void expect_form(const char *text, const char *wanted, bool authority)
{
	char out[4096];

	for (size_t size = 1; size <= strlen(text) + 1; size++) {
		scrub(text, strlen(text), size, authority, out);
		cr_expect_str_eq(out, wanted, "\"%s\" by %zu: \"%s\", not \"%s\"", text, size, out, wanted);
	}
}

static void expect(const char *text, const char *wanted) { expect_form(text, wanted, false); }

Test(scrub, keys_of_the_conventions_are_those_of_the_exporter)
{
	struct scrub_keys keys = scrub_keys(NULL);

	cr_assert_eq(keys.n, redact_default.n);
	for (size_t i = 0; i < keys.n; i++)
		cr_expect_eq(keys.hash[i],
			     policy_key_hash(redact_default.keys[i].p, redact_default.keys[i].n));
}

Test(scrub, keys_of_a_policy_are_range_checked)
{
	static struct policy policy = { .n_redacted = UINT32_MAX };

	cr_expect_eq(scrub_keys(&policy).n, POLICY_REDACTED_MAX);
	policy.n_redacted = 0;
	cr_expect_eq(scrub_keys(&policy).n, 0);
}

Test(scrub, queries)
{
	expect("/a?b=1&c=2", "/a?b=1&c=2");
	expect("/a?sig=xyz&b=1", "/a?sig=REDACTED&b=1");
	expect("/a?b=1;sig=x;y&c", "/a?b=1;sig=REDACTED&c");
	expect("/sig=1?sig=", "/sig=1?sig=REDACTED");
	expect("/?%73i%67=x", "/?%73i%67=REDACTED");
	expect("/?%73i%6g=x&%=y&sig%3d=z", "/?%73i%6g=x&%=y&sig%3d=z");
	expect("/a?b=?sig=x&sig=a=b", "/a?b=?sig=x&sig=REDACTED");
	expect("/a?b=1#sig=x?sig=y", "/a?b=1");
	expect("*", "*");
	expect("", "");
}

Test(scrub, path_parameters)
{
	expect("/a;JSESSIONID=abc/b;x=1;sig=2/c?jsessionid=1",
	       "/a;JSESSIONID=REDACTED/b;x=1;sig=REDACTED/c?jsessionid=1");
	expect("/a;jsessionid=abc?d", "/a;jsessionid=REDACTED?d");
}

Test(scrub, user_and_password_of_a_url)
{
	expect("http://u:p@h:8080/a?b=1", "http://REDACTED:REDACTED@h:8080/a?b=1");
	expect("https://u@p@h", "https://REDACTED:REDACTED@h");
	expect("http://h/u:p@x", "http://h/u:p@x");
	expect("http://u:p@h?sig=1", "http://REDACTED:REDACTED@h?sig=REDACTED");
	expect("/http://u:p@h", "/http://u:p@h");
	expect_form("u:p@h:443", "REDACTED:REDACTED@h:443", true);
	expect_form("h:443", "h:443", true);
}

/* What the exporter makes of the same target. */
static void expect_as_redacted(const char *text, size_t n)
{
	const char *question = memchr(text, '?', n);
	size_t path_n = question ? (size_t)(question - text) : n;
	struct slice path, query = { "", 0 };
	char out[4096], both[4096];
	struct arena arena;
	int wanted;

	arena_init(&arena);
	path = redact_path(&arena, &redact_default, (struct slice){ text, path_n });
	if (question)
		query = redact_query(&arena, &redact_default, (struct slice){ question + 1, n - path_n - 1 });
	wanted = snprintf(both, sizeof both, "%.*s%s%.*s", (int)path.n, path.p, question ? "?" : "",
			  (int)query.n, query.p);
	for (size_t size = 1; size < 20; size += 3) {
		size_t got = scrub(text, n, size, false, out);

		cr_assert(got == (size_t)wanted && !memcmp(out, both, got), "\"%.*s\": \"%s\", not \"%s\"",
			  (int)n, text, out, both);
	}
	arena_release(&arena);
}

Test(scrub, agrees_with_the_exporter_on_any_origin_form)
{
	static const char *const parts[] = { "sig", "Signature", "%73ig", "jsessionid", "JSessionId",
					     "a",   "b%3",       "%",     "=",          "=",
					     ";",   ";",         "&",     "&",          "/",
					     "/",   "?",         "@",     "=x",         "=1;2" };
	uint32_t random = 7;
	char text[512];

	for (int round = 0; round < 20000; round++) {
		size_t n = 0;

		text[n++] = '/';
		for (int i = 0; i < 1 + round % 24; i++) {
			const char *part;

			random = random * 1664525u + 1013904223u;
			part = parts[(random >> 16) % (sizeof parts / sizeof *parts)];
			memcpy(text + n, part, strlen(part));
			n += strlen(part);
		}
		expect_as_redacted(text, n);
	}
}
