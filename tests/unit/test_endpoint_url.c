/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/endpoint_url.h"

#include <criterion/criterion.h>

static struct endpoint_url parse(const char *text)
{
	struct endpoint_url url;

	cr_assert(endpoint_url_parse(&url, slice_of(text)), "%s", text);
	return url;
}

static const char *written(const char *text, const char *rest)
{
	static struct buf out;
	struct endpoint_url url = parse(text);

	buf_clear(&out);
	endpoint_url_write(&out, &url, url.scheme, rest ? slice_of(rest) : url.rest);
	buf_add_byte(&out, '\0');
	return out.p;
}

Test(endpoint_url, parts)
{
	struct endpoint_url url = parse("https://me:se%40cret@collector.example:4318/v1/traces?a=b#top");

	cr_assert(slice_is(url.scheme, "https"));
	cr_assert(url.has_user);
	cr_assert(slice_is(url.user, "me"));
	cr_assert(slice_is(url.password, "se%40cret"));
	cr_assert(slice_is(url.host, "collector.example"));
	cr_assert_eq(url.port, 4318);
	cr_assert(slice_is(url.rest, "/v1/traces?a=b"));
}

Test(endpoint_url, ip6_loses_and_regains_its_brackets)
{
	struct endpoint_url url = parse("[fe80::1%25eth0]:6831");

	cr_assert(url.ip6);
	cr_assert(slice_is(url.host, "fe80::1%25eth0"));
	cr_assert_eq(url.port, 6831);
	cr_assert_eq(url.scheme.n, 0);
	cr_assert_str_eq(written("http://[::1]:9411/x", NULL), "http://[::1]:9411/x");
	cr_assert_str_eq(written("http://[::1]", NULL), "http://[::1]/");
}

Test(endpoint_url, credentials_are_never_written)
{
	cr_assert_str_eq(written("http://me:pw@host:1/x", NULL), "http://host:1/x");
	cr_assert_str_eq(written("http://me:p@w@host/x", NULL), "http://host/x");
	cr_assert_str_eq(written("http://token@host", NULL), "http://host/");
}

Test(endpoint_url, empty_path_becomes_a_slash_and_others_are_kept)
{
	cr_assert_str_eq(written("http://h:4318", NULL), "http://h:4318/");
	cr_assert_str_eq(written("http://h:4318?q", NULL), "http://h:4318/?q");
	cr_assert_str_eq(written("http://h:4318/x/", NULL), "http://h:4318/x/");
	cr_assert_str_eq(written("http://h:4317/ignored?x", "/pkg.Service/Method"),
			 "http://h:4317/pkg.Service/Method");
}

Test(endpoint_url, grpc_schemes)
{
	static const struct {
		const char *url, *scheme;
		bool insecure;
	} cases[] = {
		{ "h:4317", "https", false },       { "h:4317", "http", true },
		{ "http://h:4317", "http", false }, { "https://h", "https", true },
		{ "grpc://h:4317", "http", false }, { "grpcs://h:4317", "https", true },
		{ "HTTPS://h", "https", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct endpoint_url url = parse(cases[i].url);

		cr_assert(slice_is(endpoint_url_grpc_scheme(&url, cases[i].insecure), cases[i].scheme), "%s",
			  cases[i].url);
	}
}

Test(endpoint_url, what_is_none_is_refused)
{
	static const char *const bad[] = {
		"",
		"http://",
		"http://:80/",
		"http://h:65536/",
		"http://h:8x/",
		"http://[::1",
		"http://[]/",
		"http://[::1]x/",
		"1http://h/",
		"http ://h/",
		"http://h/\r\nX-Evil: 1",
		"http://h/a b",
		"http://h\n",
	};
	struct endpoint_url url;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_not(endpoint_url_parse(&url, slice_of(bad[i])), "%s", bad[i]);
		cr_assert_eq(url.host.n, 0);
	}
}

Test(endpoint_url, decoding_is_lenient_and_never_makes_a_nul)
{
	struct buf out;

	buf_init(&out);
	endpoint_url_decode(&out, SLICE("a%40b%2Fc%zz%00%4"));
	cr_assert(slice_is((struct slice){ out.p, out.n }, "a@b/c%zz%4"));
	buf_release(&out);
}
