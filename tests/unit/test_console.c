/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/encode/formats.h"
#include "tests/lib/sample_spans.h"

static struct buf b;
static struct encode_options options;

static void setup(void)
{
	buf_init(&b);
	options = (struct encode_options){ 0 };
}

static void teardown(void) { buf_release(&b); }

TestSuite(console, .init = setup, .fini = teardown);

static size_t encode(const struct span *spans, size_t n)
{
	return format_console.encode(&(struct batch){ spans, n }, 0, n, &options, &b);
}

#define cr_assert_lines(text) \
	cr_assert(slice_is((struct slice){ b.p, b.n }, text), "got\n%.*s\nwanted\n%s", (int)b.n, b.p, text)

static const struct attribute request[] = {
	STRING_ATTRIBUTE("http.request.method", "GET"),
	STRING_ATTRIBUTE("url.path", "/users/42"),
	INT_ATTRIBUTE("http.response.status_code", 200),
	INT_ATTRIBUTE("http.request.body.size", 0),
	INT_ATTRIBUTE("http.response.body.size", 12345),
	STRING_ATTRIBUTE("network.peer.address", "10.0.0.9"),
	STRING_ATTRIBUTE("client.address", "198.51.100.23"),
	STRING_ATTRIBUTE("http.route", "/users/{id}"),
};

Test(console, line_shows_path_until_the_route_is_known)
{
	struct span spans[2] = { sample_span(), sample_span() };

	spans[0].attributes = (struct attributes){ request, 6 };
	spans[1].attributes = ATTRIBUTES(request);
	spans[1].name = SLICE("GET /users/{id}");
	spans[1].end_unix_ns = spans[1].start_unix_ns + 12345678901;
	options.utc_offset_s = 2 * 3600 + 60;
	cr_assert_eq(encode(spans, 2), 2);
	cr_assert_lines("00:14:20.000 GET /users/42                            200    2.5us      0B  12.3kB  "
			"10.0.0.9         "
			"0102030405060708090a0b0c0d0e0f10\n"
			"00:14:20.000 GET /users/{id}                          200    12.3s      0B  12.3kB  "
			"198.51.100.23    "
			"0102030405060708090a0b0c0d0e0f10");
}

Test(console, old_attribute_names_are_understood)
{
	static const struct attribute old[] = {
		STRING_ATTRIBUTE("http.method", "POST"),
		STRING_ATTRIBUTE("http.target", "/login"),
		INT_ATTRIBUTE("http.status_code", 302),
		INT_ATTRIBUTE("http.request_content_length", 17),
		INT_ATTRIBUTE("http.response_content_length", 2500000),
		STRING_ATTRIBUTE("net.peer.ip", "::1"),
	};
	struct span span = sample_span();

	span.attributes = ATTRIBUTES(old);
	encode(&span, 1);
	cr_assert_lines("22:13:20.000 POST /login                              302    2.5us     17B   2.5MB  "
			"::1              "
			"0102030405060708090a0b0c0d0e0f10");
}

Test(console, error_tells_why_once)
{
	static const struct attribute failed[] = { INT_ATTRIBUTE("http.response.status_code", 503),
						   STRING_ATTRIBUTE("error.type", "503") };
	static const struct attribute died[] = { STRING_ATTRIBUTE("error.type", "process_died") };
	struct span spans[2] = { sample_span(), sample_span() };

	spans[0].attributes = ATTRIBUTES(failed);
	spans[1].attributes = ATTRIBUTES(died);
	spans[0].status = spans[1].status = MODEL_STATUS_ERROR;
	options.utc_offset_s = -22 * 3600;
	encode(spans, 2);
	cr_assert_lines("00:13:20.000 GET                                      503    2.5us       -       -  "
			"-                "
			"0102030405060708090a0b0c0d0e0f10\n"
			"00:13:20.000 GET                                      ERR    2.5us       -       -  "
			"-                "
			"0102030405060708090a0b0c0d0e0f10  process_died");
}

Test(console, control_characters_never_reach_the_terminal)
{
	struct span span = sample_span();

	span.name = SLICE("a\x1b[2J\n\r\x7f\xc2\x9b\xe2\x80\xae\xff\xe6\x9d\xb1");
	encode(&span, 1);
	cr_assert_lines("22:13:20.000 a?[2J??????\xe6\x9d\xb1                               -    2.5us       "
			"-       -  -          "
			"      0102030405060708090a0b0c0d0e0f10");
}

Test(console, long_name_is_cut_to_its_column)
{
	struct span span = sample_span();

	span.name = SLICE("GET /0123456789/0123456789/0123456789/0123456789");
	encode(&span, 1);
	cr_assert_lines("22:13:20.000 GET /0123456789/0123456789/0123456789/0\xe2\x80\xa6   -    2.5us      "
			" -       -  -          "
			"      0102030405060708090a0b0c0d0e0f10");
}

Test(console, colour_only_when_asked_for)
{
	struct span span = sample_span();

	encode(&span, 1);
	cr_assert_null(memchr(b.p, '\x1b', b.n));
	options.colour = true;
	encode(&span, 1);
	cr_assert_not_null(memchr(b.p, '\x1b', b.n));
}

Test(console, payload_ends_between_lines_at_the_limit)
{
	struct span spans[3] = { sample_span(), sample_span(), sample_span() };

	encode(spans, 1);
	options.max_payload_bytes = 2 * b.n + 1;
	buf_clear(&b);
	cr_assert_eq(encode(spans, 3), 2);
	cr_assert_eq(b.n, options.max_payload_bytes);
	options.max_payload_bytes = 10;
	buf_clear(&b);
	cr_assert_eq(encode(spans, 3), 0);
	cr_assert_eq(b.n, 0);
}
