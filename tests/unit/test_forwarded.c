/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/forwarded.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;
static void set_up(void) { arena_init(&arena); }
static void tear_down(void) { arena_release(&arena); }
TestSuite(forwarded, .init = set_up, .fini = tear_down);

static const char *told(const struct forwarded *f, char out[256])
{
	snprintf(out, 256, "%.*s %d|%.*s %d|%.*s", (int)f->client.host.n, f->client.host.p, f->client.port,
		 (int)f->host.host.n, f->host.host.p, f->host.port, (int)f->proto.n, f->proto.p);
	return out;
}

static struct forwarded nothing(void)
{
	return (struct forwarded){ { { "", 0 }, -1 }, { { "", 0 }, -1 }, { "", 0 } };
}

Test(forwarded, header_of_rfc_7239)
{
	/* client port|host port|proto */
	static const char *const rows[][2] = {
		{ "for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60 -1| -1|http" },
		{ "for=192.0.2.43, for=198.51.100.17", "192.0.2.43 -1| -1|" },
		{ "For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17 4711| -1|" },
		{ "for=\"[2001:db8::1]\";host=a.example:8443;proto=https",
		  "2001:db8::1 -1|a.example 8443|https" },
		{ "FOR=\"192.0.2.1:80\";HOST=\"a.example\";PROTO=\"HTTPS\"",
		  "192.0.2.1 80|a.example -1|https" },
		{ "for=unknown", " -1| -1|" },
		{ "for=_hidden", " -1| -1|" },
		{ "for=\"_hidden:77\", for=192.0.2.9", "192.0.2.9 -1| -1|" },
		{ "by=10.0.0.1, proto=https, host=h", " -1|h -1|https" },
		{ "proto=http;host=first, proto=https;host=second", " -1|first -1|http" },
		{ "for=192.0.2.1:99",
		  "192.0.2.1 99| -1|" }, /* the port needs quotes by the RFC, not by its users */
		{ "for = 192.0.2.1 ; proto = http", "192.0.2.1 -1| -1|http" },
		{ " ;;, for=192.0.2.1 ,,;", "192.0.2.1 -1| -1|" },
		{ "host=\"ho\\st\\.example\"", " -1|host.example -1|" },
		{ "for=\"192.0.2.1", "192.0.2.1 -1| -1|" },
		{ "for=\"192.0.2.1\\", " -1| -1|" },
		{ "for=\"a;proto=https\";proto=http", " -1| -1|http" },
		{ "for=\"a,b\" junk;proto=http", " -1| -1|http" },
		{ "xfor=192.0.2.1;for2=192.0.2.2;forx=1", " -1| -1|" },
		{ "for=", " -1| -1|" },
		{ "for", " -1| -1|" },
		{ "=", " -1| -1|" },
		{ "", " -1| -1|" },
		{ "proto=<script>;host=<script>;for=<script>", " -1| -1|" },
		{ "host=user:secret@h", " -1|h -1|" },
	};
	char text[256];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct forwarded f = nothing();

		forwarded_parse(&arena, slice_of(rows[i][0]), &f);
		cr_expect_str_eq(told(&f, text), rows[i][1], "%s: %s, not %s", rows[i][0], text, rows[i][1]);
	}
}

Test(forwarded, what_is_there_already_stays)
{
	struct forwarded f = { { { "1.1.1.1", 7 }, 1 }, { { "h", 1 }, 2 }, { "ws", 2 } };
	char text[256];

	forwarded_parse(&arena, SLICE("for=2.2.2.2;host=i;proto=http"), &f);
	cr_expect_str_eq(told(&f, text), "1.1.1.1 1|h 2|ws");
}

Test(forwarded, x_forwarded_for_gives_its_leftmost_address)
{
	static const struct {
		const char *text, *host;
		int port;
	} rows[] = {
		{ "203.0.113.195", "203.0.113.195", -1 },
		{ "203.0.113.195, 70.41.3.18, 150.172.238.178", "203.0.113.195", -1 },
		{ " 203.0.113.195:4711 ,10.0.0.1", "203.0.113.195", 4711 },
		{ "2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3:8d3:1319:8a2e:370:7348", -1 },
		{ "[2001:db8::1]:443", "2001:db8::1", 443 },
		{ "unknown, 10.0.0.1", "10.0.0.1", -1 },
		{ ", ,10.0.0.1", "10.0.0.1", -1 },
		{ "unknown", NULL, 0 },
		{ "example.com", NULL, 0 },
		{ "' or 1=1", NULL, 0 },
		{ ",", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct endpoint e = { { "", 0 }, 0 };

		cr_expect_eq(forwarded_x_for(slice_of(rows[i].text), &e), rows[i].host != NULL, "%s",
			     rows[i].text);
		cr_expect(slice_is(e.host, rows[i].host ? rows[i].host : ""), "%s", rows[i].text);
		cr_expect_eq(e.port, rows[i].port, "%s", rows[i].text);
	}
}

Test(forwarded, x_forwarded_host_and_proto_give_their_leftmost_element)
{
	struct endpoint e;

	cr_assert(forwarded_x_host(SLICE(" a.example:81 , b.example"), &e));
	cr_expect(slice_is(e.host, "a.example") && e.port == 81);
	cr_expect_not(forwarded_x_host(SLICE(", b.example"), &e));
	cr_expect(slice_is(forwarded_x_proto(SLICE("HTTPS, http")), "https"));
	cr_expect(slice_is(forwarded_x_proto(SLICE(" http ")), "http"));
	cr_expect(slice_is(forwarded_x_proto(SLICE("")), ""));
}

Test(forwarded, schemes)
{
	static const char *const rows[][2] = {
		{ "http", "http" },
		{ "HTTP", "http" },
		{ "Wss", "wss" },
		{ "ws", "ws" },
		{ "coap+tcp", "coap+tcp" },
		{ "x-1.2", "x-1.2" },
		{ "FTP", "" },
		{ "1http", "" },
		{ "ht tp", "" },
		{ "http:", "" },
		{ "", "" },
		{ "abcdefghijklmnop", "abcdefghijklmnop" },
		{ "abcdefghijklmnopq", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(slice_is(forwarded_scheme(slice_of(rows[i][0])), rows[i][1]), "%s", rows[i][0]);
}
