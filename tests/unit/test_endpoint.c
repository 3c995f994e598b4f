/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/endpoint.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(endpoint, authorities_are_split_or_refused)
{
	static const struct {
		const char *text, *host; /* host NULL: refused */
		int port;
	} rows[] = {
		{ "example.com", "example.com", -1 },
		{ "example.com:8080", "example.com", 8080 },
		{ "example.com:", "example.com", -1 },
		{ "EXAMPLE.com:0", "EXAMPLE.com", 0 },
		{ "a:65535", "a", 65535 },
		{ "a:65536", NULL, 0 },
		{ "a:000080", NULL, 0 },
		{ "a:-1", NULL, 0 },
		{ "a:8o", NULL, 0 },
		{ ":80", NULL, 0 },
		{ "", NULL, 0 },
		{ "127.0.0.1:1", "127.0.0.1", 1 },
		{ "[::1]", "::1", -1 },
		{ "[::1]:443", "::1", 443 },
		{ "[2001:db8::1]:", "2001:db8::1", -1 },
		{ "[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1 },
		{ "[::1", NULL, 0 },
		{ "[::1]x", NULL, 0 },
		{ "[::1]:x", NULL, 0 },
		{ "[example.com]:1", NULL, 0 },
		{ "[127.0.0.1]", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "::1", "::1", -1 },
		{ "2001:db8::1", "2001:db8::1", -1 },
		{ "a:b:c", NULL, 0 },
		{ "user:secret@h:1", "h", 1 },
		{ "a@b@h", "h", -1 },
		{ "user@", NULL, 0 },
		{ "a b", NULL, 0 },
		{ "a/b", NULL, 0 },
		{ "a?b", NULL, 0 },
		{ "a\"b", NULL, 0 },
		{ "<script>", NULL, 0 },
		{ "a\x7f", NULL, 0 },
		{ "a\nb", NULL, 0 },
		{ "_dmarc.x_y-z~!$&'()*+,;=.io", "_dmarc.x_y-z~!$&'()*+,;=.io", -1 },
		{ "b\xc3\xbc"
		  "cher.example:1",
		  "b\xc3\xbc"
		  "cher.example",
		  1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct endpoint e = { { "untouched", 9 }, 7 };
		bool ok = endpoint_split(slice_of(rows[i].text), &e);

		cr_expect_eq(ok, rows[i].host != NULL, "\"%s\"", rows[i].text);
		cr_expect(slice_is(e.host, ok ? rows[i].host : "untouched"), "\"%s\": \"%.*s\"", rows[i].text,
			  (int)e.host.n, e.host.p);
		cr_expect_eq(e.port, ok ? rows[i].port : 7, "\"%s\": %d", rows[i].text, e.port);
	}
}

Test(endpoint, host_of_more_than_255_bytes_is_refused)
{
	char text[256];
	struct endpoint e;

	memset(text, 'a', sizeof text);
	cr_expect_not(endpoint_split((struct slice){ text, 256 }, &e));
	cr_expect(endpoint_split((struct slice){ text, 255 }, &e));
}

Test(endpoint, joined_again)
{
	static const struct {
		struct endpoint e;
		const char *wanted;
	} rows[] = {
		{ { { "h", 1 }, -1 }, "h" },
		{ { { "h", 1 }, 0 }, "h:0" },
		{ { { "h", 1 }, 65535 }, "h:65535" },
		{ { { "::1", 3 }, -1 }, "[::1]" },
		{ { { "::1", 3 }, 443 }, "[::1]:443" },
	};
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice text = endpoint_join(&arena, &rows[i].e);

		cr_expect(slice_is(text, rows[i].wanted), "%.*s", (int)text.n, text.p);
	}
	arena_release(&arena);
}

static void expect_address(struct arena *arena, struct span_address a, const char *wanted, bool private)
{
	struct slice text = endpoint_address(arena, &a);

	cr_expect(slice_is(text, wanted), "%s: %.*s", wanted, (int)text.n, text.p);
	cr_expect_eq(endpoint_is_private(&a), private, "%s", wanted);
}

#define V4(a, b, c, d) ((struct span_address){ .family = 2, .addr = { a, b, c, d } })
#define V6(...)        ((struct span_address){ .family = 10, .addr = { __VA_ARGS__ } })

Test(endpoint, addresses_as_text_and_which_are_private)
{
	struct arena arena;

	arena_init(&arena);
	expect_address(&arena, V4(0, 0, 0, 0), "0.0.0.0", false);
	expect_address(&arena, V4(255, 255, 255, 255), "255.255.255.255", false);
	expect_address(&arena, V4(10, 9, 100, 99), "10.9.100.99", true);
	expect_address(&arena, V4(127, 0, 0, 1), "127.0.0.1", true);
	expect_address(&arena, V4(172, 15, 0, 1), "172.15.0.1", false);
	expect_address(&arena, V4(172, 16, 0, 1), "172.16.0.1", true);
	expect_address(&arena, V4(172, 31, 255, 1), "172.31.255.1", true);
	expect_address(&arena, V4(172, 32, 0, 1), "172.32.0.1", false);
	expect_address(&arena, V4(192, 168, 1, 1), "192.168.1.1", true);
	expect_address(&arena, V4(192, 169, 1, 1), "192.169.1.1", false);
	expect_address(&arena, V4(169, 254, 169, 254), "169.254.169.254", true);
	expect_address(&arena, V4(100, 64, 0, 1), "100.64.0.1", true);
	expect_address(&arena, V4(100, 128, 0, 1), "100.128.0.1", false);
	expect_address(&arena, V6([15] = 1), "::1", true);
	expect_address(&arena, V6([0] = 0x20, 1, 0xd, 0xb8, [15] = 1), "2001:db8::1", false);
	expect_address(&arena, V6([0] = 0xfe, 0x80, [15] = 9), "fe80::9", true);
	expect_address(&arena, V6([0] = 0xfd, [15] = 9), "fd00::9", true);
	expect_address(&arena, V6([10] = 255, 255, 192, 0, 2, 7), "192.0.2.7", false);
	expect_address(&arena, V6([10] = 255, 255, 10, 0, 2, 7), "10.0.2.7", true);
	expect_address(&arena, (struct span_address){ .family = 1 }, "", true);
	expect_address(&arena, (struct span_address){ .family = 0 }, "", false);
	arena_release(&arena);
}

Test(endpoint, what_is_an_ip_address)
{
	static const char *const yes[] = { "1.2.3.4", "::", "::1", "2001:db8::1", "::ffff:1.2.3.4" };
	static const char *const no[] = { "",         "1.2.3",     "1.2.3.4.5", "256.1.1.1",
					  "1.2.3.4 ", "unknown",   "_hid",      "fe80::1%2",
					  "[::1]",    "01.2.3.4x", ":::" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		cr_expect(endpoint_is_ip(slice_of(yes[i])), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		cr_expect_not(endpoint_is_ip(slice_of(no[i])), "%s", no[i]);
	cr_expect_not(endpoint_is_ip((struct slice){ "1.2.3.4\0", 8 }), "with a NUL");
}
