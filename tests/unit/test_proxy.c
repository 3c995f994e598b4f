/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "shim/http/proxy.h"
#include "tests/unit/guard_page.h"

#define SIG  "\r\n\r\n\0\r\nQUIT\n"
#define REST "GET / HTTP/1.1\r\n"

static struct guard_page page;

static void setup(void) { guard_page_init(&page, 70000); }
static void teardown(void) { guard_page_release(&page); }

TestSuite(proxy, .init = setup, .fini = teardown);

/* "more", "bad", or version, client, address:port and the header's length */
static void describe(enum proxy_result result, const struct proxy *p, char *out, size_t room)
{
	static const char *const kinds[] = { "unknown", "local", "ipv4", "ipv6" };
	int n;

	if (result != PROXY_DONE) {
		snprintf(out, room, "%s", result == PROXY_MORE ? "more" : "bad");
		return;
	}
	n = snprintf(out, room, "v%u %s", p->version, kinds[p->client]);
	for (int i = 0; p->client >= PROXY_IPV4 && i < (p->client == PROXY_IPV4 ? 4 : 16); i++)
		n += snprintf(out + n, room - (size_t)n, "%s%02x", i ? "" : " ", p->address[i]);
	if (p->client >= PROXY_IPV4)
		n += snprintf(out + n, room - (size_t)n, ":%u", p->port);
	snprintf(out + n, room - (size_t)n, " %u", p->bytes);
}

/* Feeds pieces of at most step bytes, none across the split; *rest: what was left. */
static enum proxy_result feed(struct proxy *p, const char *bytes, size_t n, size_t step, size_t split,
			      size_t *rest)
{
	enum proxy_result result = PROXY_MORE;
	size_t at = 0, take;
	const char *in, *start;

	proxy_init(p);
	while (at < n && result == PROXY_MORE) {
		take = n - at < step ? n - at : step;
		if (at < split && take > split - at)
			take = split - at;
		in = start = guard_page_put(&page, bytes + at, take);
		result = proxy_next(p, &in, start + take);
		cr_expect(result != PROXY_MORE || in == start + take);
		at += (size_t)(in - start);
	}
	*rest = n - at;
	return result;
}

static void check(const char *bytes, size_t n, const char *expected)
{
	struct proxy p;
	size_t rest;
	char got[128];

	for (size_t split = 0; split < n; split++) {
		describe(feed(&p, bytes, n, split ? SIZE_MAX : 1, split, &rest), &p, got, sizeof(got));
		cr_assert_str_eq(got, expected, "split %zu of '%s': %s, not %s", split, bytes, got, expected);
		if (strncmp(expected, "v", 1) == 0)
			cr_expect_eq(rest, n - p.bytes);
	}
}

#define CHECK(bytes, expected) check(bytes, sizeof(bytes) - 1, expected)

Test(proxy, version_1)
{
	CHECK("PROXY TCP4 192.168.0.1 10.0.0.2 56324 443\r\n" REST, "v1 ipv4 c0a80001:56324 43");
	CHECK("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "v1 ipv4 ffffffff:65535 56");
	CHECK("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "v1 ipv4 00000000:0 32");
	CHECK("PROXY TCP6 2001:db8::1 ::1 1 2\r\n" REST, "v1 ipv6 20010db8000000000000000000000001:1 32");
	CHECK("PROXY TCP6 ::ffff:1.2.3.4 :: 1 2\r\n", "v1 ipv6 00000000000000000000ffff01020304:1 34");
	CHECK("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	      "65535 65535\r\n",
	      "v1 ipv6 ffffffffffffffffffffffffffffffff:65535 104");
	CHECK("PROXY TCP6 1:2:3:4:5:6:7:: a:B:c:D:e:F:1:2 1 2\r\n",
	      "v1 ipv6 00010002000300040005000600070000:1 48");
	CHECK("PROXY UNKNOWN\r\n" REST, "v1 unknown 15");
	CHECK("PROXY UNKNOWN ffff::1 what ever 1 2\r\n", "v1 unknown 37");
}

Test(proxy, version_1_malformed)
{
	static const char *const bad[] = {
		"PROXY TCP4 192.168.0.1 10.0.0.2 56324 443\n",
		"PROXY TCP4 192.168.0.1 10.0.0.2 56324\r\n",
		"PROXY TCP4 192.168.0.1 10.0.0.2 56324 443 1\r\n",
		"PROXY TCP4 192.168.0.1  10.0.0.2 56324 443\r\n",
		"PROXY TCP4 192.168.0.256 10.0.0.2 56324 443\r\n",
		"PROXY TCP4 192.168.0 10.0.0.2 56324 443\r\n",
		"PROXY TCP4 192.168.0.1.1 10.0.0.2 56324 443\r\n",
		"PROXY TCP4 192.168.00.1 10.0.0.2 56324 443\r\n",
		"PROXY TCP4 192.168.0.1 10.0.0.2 65536 443\r\n",
		"PROXY TCP4 192.168.0.1 10.0.0.2 -1 443\r\n",
		"PROXY TCP4 192.168.0.1 10.0.0.2 01 443\r\n",
		"PROXY TCP4 ::1 ::1 1 2\r\n",
		"PROXY TCP5 192.168.0.1 10.0.0.2 56324 443\r\n",
		"PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
		"PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n",
		"PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
		"PROXY TCP6 1::2::3 ::1 1 2\r\n",
		"PROXY TCP6 ::: ::1 1 2\r\n",
		"PROXY TCP6 1: ::1 1 2\r\n",
		"PROXY TCP6 :1 ::1 1 2\r\n",
		"PROXY TCP6 12345::1 ::1 1 2\r\n",
		"PROXY TCP6 1:2:3:4:5:6:7:8:: ::1 1 2\r\n",
		"PROXY TCP6 1:2:3:4:5:6:7:1.2.3.4 ::1 1 2\r\n",
		"PROXY TCP6 g::1 ::1 1 2\r\n",
		"PROXX TCP4 192.168.0.1 10.0.0.2 56324 443\r\n",
		"PROXY \r\n",
		"PROXY\r\n",
		"PROXY UNKNOWN a line of more than one hundred and seven bytes, which is the most that "
		"version one of the protocol allows\r\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], strlen(bad[i]), "bad");
}

Test(proxy, version_1_unfinished) { CHECK("PROXY TCP4 192.168.0.1 10.0.0.2 56324 443\r", "more"); }

Test(proxy, version_2)
{
	CHECK(SIG "\x21\x11\x00\x0c\x01\x02\x03\x04\x0a\x00\x00\x01\x1f\x90\x00\x50" REST,
	      "v2 ipv4 01020304:8080 28");
	CHECK(SIG "\x21\x12\x00\x0c\x01\x02\x03\x04\x0a\x00\x00\x01\x1f\x90\x00\x50",
	      "v2 ipv4 01020304:8080 28");
	CHECK(SIG "\x21\x11\x00\x0f\x01\x02\x03\x04\x0a\x00\x00\x01\x1f\x90\x00\x50\x04\x00\x00" REST,
	      "v2 ipv4 01020304:8080 31");
	CHECK(SIG "\x21\x21\x00\x24"
		  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
		  "\x00\x01\x00\x02" REST,
	      "v2 ipv6 20010db8000000000000000000000001:1 52");
	CHECK(SIG "\x20\x00\x00\x00" REST, "v2 local 16");
	CHECK(SIG "\x20\x11\x00\x0c\x01\x02\x03\x04\x0a\x00\x00\x01\x1f\x90\x00\x50", "v2 local 28");
	CHECK(SIG "\x21\x00\x00\x00" REST, "v2 unknown 16");
	CHECK(SIG "\x21\x41\x00\x02xx", "v2 unknown 18");
	CHECK(SIG "\x21\x11\x00\x0b\x01\x02\x03\x04\x0a\x00\x00\x01\x1f\x90\x00\x50", "bad");
	CHECK(SIG "\x21\x21\x00\x23                                    ", "bad");
	CHECK(SIG "\x22\x11\x00\x00", "bad");
	CHECK(SIG "\x31\x11\x00\x00", "bad");
	CHECK("\r\n\r\n\0\r\nQUIX\n\x21\x11\x00\x00", "bad");
	CHECK(SIG "\x21\x11\x00\x0c\x01\x02\x03\x04", "more");
}

Test(proxy, version_2_unix_and_large_tlvs_are_passed_over)
{
	static char bytes[16 + 65535 + 5] = SIG "\x21\x31\xff\xff";
	struct proxy p;
	size_t rest;
	char got[128];

	describe(feed(&p, bytes, sizeof(bytes), 1000, 0, &rest), &p, got, sizeof(got));
	cr_expect_str_eq(got, "v2 unknown 65551");
	cr_expect_eq(rest, 5);
}

Test(proxy, answers_the_same_after_the_end)
{
	static const char good[] = "PROXY UNKNOWN\r\n", *in = good;
	struct proxy p;

	proxy_init(&p);
	cr_expect_eq(proxy_next(&p, &in, good), PROXY_MORE);
	cr_expect_eq(proxy_next(&p, &in, good + 15), PROXY_DONE);
	in = good;
	cr_expect_eq(proxy_next(&p, &in, good + 15), PROXY_DONE);
	cr_expect_eq(in, good);
}
