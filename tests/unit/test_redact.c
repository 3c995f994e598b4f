/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/redact.h"

#include <criterion/criterion.h>

static struct arena arena;
static void set_up(void) { arena_init(&arena); }
static void tear_down(void) { arena_release(&arena); }
TestSuite(redact, .init = set_up, .fini = tear_down);

typedef struct slice redact_function(struct arena *, const struct redact_list *, struct slice);

static void expect(redact_function *redact, const char *text, const char *wanted)
{
	struct slice out = redact(&arena, &redact_default, slice_of(text));

	cr_expect(slice_is(out, wanted), "\"%s\": \"%.*s\", not \"%s\"", text, (int)out.n, out.p, wanted);
}

Test(redact, each_key_of_the_default_list)
{
	expect(redact_query, "X-Amz-Signature=a", "X-Amz-Signature=REDACTED");
	expect(redact_query, "X-Amz-Credential=a", "X-Amz-Credential=REDACTED");
	expect(redact_query, "X-Amz-Security-Token=a", "X-Amz-Security-Token=REDACTED");
	expect(redact_query, "AWSAccessKeyId=a", "AWSAccessKeyId=REDACTED");
	expect(redact_query, "Signature=a", "Signature=REDACTED");
	expect(redact_query, "sig=a", "sig=REDACTED");
	expect(redact_query, "X-Goog-Signature=a", "X-Goog-Signature=REDACTED");
}

Test(redact, queries)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "a=1&b=2", "a=1&b=2" },
		{ "sig", "sig" },
		{ "sig=", "sig=REDACTED" },
		{ "a=1&sig=xyz&b=2", "a=1&sig=REDACTED&b=2" },
		{ "sig=a&sig=b", "sig=REDACTED&sig=REDACTED" },
		{ "sig=a=b=c&x=sig", "sig=REDACTED&x=sig" },
		{ "SIG=a&Sig=b&signature=c", "SIG=a&Sig=b&signature=c" },
		{ "xsig=a&sigx=b&a=sig=c", "xsig=a&sigx=b&a=sig=c" },
		{ "%73ig=a", "%73ig=REDACTED" },
		{ "s%69%67=a&%zz=b&%7=c&%", "s%69%67=REDACTED&%zz=b&%7=c&%" },
		{ "a=1;sig=b", "a=1;sig=REDACTED" },
		{ "sig=b;cde", "sig=REDACTED" },
		{ "&&=&;sig=a&", "&&=&;sig=REDACTED&" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(redact_query, rows[i][0], rows[i][1]);
}

Test(redact, value_with_a_nul_does_not_leak_its_end)
{
	struct slice out = redact_query(&arena, &redact_default, (struct slice){ "sig=a\0bcd&e=1", 13 });

	cr_expect(slice_is(out, "sig=REDACTED&e=1"), "%.*s", (int)out.n, out.p);
}

Test(redact, what_needs_no_change_is_not_copied)
{
	struct slice in = SLICE("a=1&b=2");

	cr_expect_eq(redact_query(&arena, &redact_default, in).p, in.p);
	cr_expect_eq(redact_path(&arena, &redact_default, in).p, in.p);
	cr_expect_eq(arena.total, 0);
}

Test(redact, list_is_replaced_as_a_whole)
{
	static const struct slice keys[] = { { "token", 5 }, { "", 0 } };
	struct redact_list list = { keys, 2 }, empty = { NULL, 0 };
	struct slice in = SLICE("sig=a&token=b&=c");

	cr_expect(slice_is(redact_query(&arena, &list, in), "sig=a&token=REDACTED&=c"));
	cr_expect_eq(redact_query(&arena, &empty, in).p, in.p);
}

Test(redact, many_short_secrets_fit)
{
	static const struct slice keys[] = { { "k", 1 } };
	struct redact_list list = { keys, 1 };
	char in[3 * 600];
	struct slice out;

	for (size_t i = 0; i < 600; i++)
		memcpy(in + 3 * i, "k=&", 3);
	out = redact_query(&arena, &list, (struct slice){ in, sizeof in });
	cr_expect_eq(out.n, 600 * 11);
	cr_expect_eq(memcmp(out.p + 599 * 11, "k=REDACTED&", 11), 0);
}

Test(redact, path_parameters)
{
	expect(redact_path, "/a/b", "/a/b");
	expect(redact_path, "/a;v=1/b", "/a;v=1/b");
	expect(redact_path, "/a;jsessionid=0BAD", "/a;jsessionid=REDACTED");
	expect(redact_path, "/a;JSESSIONID=0BAD/b;x=1", "/a;JSESSIONID=REDACTED/b;x=1");
	expect(redact_path, "/a;x=1;sig=s/b", "/a;x=1;sig=REDACTED/b");
	expect(redact_path, "/a;;jsessionid=x;", "/a;;jsessionid=REDACTED;");
	expect(redact_path, "/jsessionid=x", "/jsessionid=x");
	expect(redact_path, "/a;jsessionid", "/a;jsessionid");
	expect(redact_path, ";", ";");
}

Test(redact, credentials_in_urls_never_leave)
{
	static const char *const rows[][2] = {
		{ "http://h/p", "http://h/p" },
		{ "http://u:p@h/p?a=1", "http://REDACTED:REDACTED@h/p?a=1" },
		{ "http://u@h", "http://REDACTED:REDACTED@h" },
		{ "https://a@b:c@h:1/", "https://REDACTED:REDACTED@h:1/" },
		{ "//u:p@h/p", "//REDACTED:REDACTED@h/p" },
		{ "http://h/a@b?x=@", "http://h/a@b?x=@" },
		{ "http://u:p@h?sig=1", "http://REDACTED:REDACTED@h?sig=REDACTED" },
		{ "http://h/p#access_token=1", "http://h/p" },
		{ "http://h/p?a=1#t", "http://h/p?a=1" },
		{ "http://h/p#?sig=1", "http://h/p" },
		{ "/p?sig=1&b", "/p?sig=REDACTED&b" },
		{ "?sig=1", "?sig=REDACTED" },
		{ "/a;jsessionid=1?b=1", "/a;jsessionid=REDACTED?b=1" },
		{ "mailto:a@b", "mailto:a@b" },
		{ "http:///p", "http:///p" },
		{ "http://", "http://" },
		{ "http://@", "http://REDACTED:REDACTED@" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(redact_url, rows[i][0], rows[i][1]);
}
