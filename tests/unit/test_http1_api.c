/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <sys/mman.h>

#include "tests/unit/guard_page.h"
#include "tests/unit/http1_story.h"

/* What the corpus (test_http1.c) cannot show: the calls around http1_next(), and its limits. */

static struct guard_page page;

static void setup(void) { guard_page_init(&page, 65536); }
static void teardown(void) { guard_page_release(&page); }

TestSuite(http1_api, .init = setup, .fini = teardown);

static int sniff(const char *p, size_t n) { return http1_sniff(guard_page_put(&page, p, n), n); }

struct sniffed {
	const char *bytes;
	size_t n;
	int answer;
};

#define ROW(bytes, answer)                       \
	{                                        \
		bytes, sizeof(bytes) - 1, answer \
	}

static const struct sniffed first_bytes[] = {
	ROW("", 0),
	ROW("G", 0),
	ROW("GET", 0),
	ROW("GET ", 0),
	ROW("GET /", 1),
	ROW("GET  /", 1),
	ROW("get /", 1),
	ROW("FROB /", 1),
	ROW("GET h", 0),
	ROW("GET htt", 0),
	ROW("GET http", 1),
	ROW("GET HTTPS://", 1),
	ROW("GET host", -1),
	ROW("OPTIONS *", 1),
	ROW("OPTIONS ", 0),
	ROW("CONNECT a", 1),
	ROW("CONNECT host:1", 1),
	ROW("POST index.html", 1),
	ROW("POST \r\n", -1),
	ROW("VERSION-CONTROL /", 1),
	ROW("ABCDEFGHIJKLMNOPQRSTUVWXYZ", -1),
	ROW("\r\n\r\nGET /", 1),
	ROW("\n", 0),
	ROW("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1", -1),
	/* others */
	ROW("PING\r\n", -1),
	ROW("*1\r\n$4\r\nPING\r\n", -1),
	ROW("GET key\r\n", -1),
	ROW("SET key value\r\n", -1),
	ROW("get key\r\n", -1),
	ROW("stats\r\n", -1),
	ROW("set key 0 0 5\r\n", -1),
	ROW("EHLO host\r\n", -1),
	ROW("USER x\r\n", -1),
	ROW("SSH-2.0-OpenSSH_9.2\r\n", -1),
	ROW("\x16\x03\x01", -1),
	ROW("\x16", -1),
	ROW("\x00\x00\x00\x08\x04\xd2\x16\x2f", -1),
	ROW("\x80", -1),
	ROW(" GET /", 1),
	ROW("HTTP/1.1 200 OK\r\n", -1),
	ROW("{\"jsonrpc\":", -1),
	/* HTTP/2 with prior knowledge */
	ROW("PRI", 0),
	ROW("PRI * HTTP/", 0),
	ROW("PRI * HTTP/2.0\r\n", -1),
	ROW("PRI /printer HTTP/1.1\r\n", 1),
	/* the PROXY protocol */
	ROW("P", 0),
	ROW("PRO", 0),
	ROW("PROXY", 0),
	ROW("PROXY ", 2),
	ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", 2),
	ROW("PROXYX /", 1),
	ROW("\r", 0),
	ROW("\r\n\r\n\0\r\nQUIT", 0),
	ROW("\r\n\r\n\0\r\nQUIT\n", 2),
	ROW("\r\n\r\n\0\r\nQUIX\n", -1),
	ROW("\r\nPROXY TCP4", -1),
};

Test(http1_api, sniffing_knows_http_from_others)
{
	for (size_t i = 0; i < sizeof(first_bytes) / sizeof(first_bytes[0]); i++)
		cr_expect_eq(sniff(first_bytes[i].bytes, first_bytes[i].n), first_bytes[i].answer,
			     "row %zu '%s': %d, not %d", i, first_bytes[i].bytes,
			     sniff(first_bytes[i].bytes, first_bytes[i].n), first_bytes[i].answer);
}

Test(http1_api, sniffing_never_takes_back_an_answer)
{
	for (size_t i = 0; i < sizeof(first_bytes) / sizeof(first_bytes[0]); i++) {
		const struct sniffed *row = &first_bytes[i];
		int before = 0, now;

		for (size_t n = 0; n <= row->n; n++, before = now) {
			now = sniff(row->bytes, n);
			cr_expect(before == 0 || now == before, "row %zu, %zu bytes: %d, then %d", i, n,
				  before, now);
		}
	}
}

Test(http1_api, sniffing_decides_within_24_bytes)
{
	char bytes[24];

	for (int c = 0; c < 256; c++) {
		memset(bytes, c, sizeof(bytes));
		cr_expect_neq(sniff(bytes, sizeof(bytes)), 0, "24 times %02x", c);
	}
	cr_expect_neq(sniff("OPTIONS                 ", 24), 0);
	cr_expect_neq(sniff("ABCDEFGHIJKLMNOPQRSTUVW ", 24), 0);
	cr_expect_neq(sniff("ABCDEFGHIJKLMNOPQRSTU ht", 24), 0);
}

Test(http1_api, start_lines_are_recognised_strictly)
{
	static const char *const requests[] = { "GET / HTTP/1.1\r\n", "POST /a?b HTTP/1.0\nHost: x",
						"FROB * HTTP/1.1\r\n" };
	static const char *const others[] = {
		"GET / HTTP/1.1",
		"GET /\r\n",
		"GET / HTTP/2.0\r\n",
		" GET / HTTP/1.1\r\n",
		"GET  / HTTP/1.1\r\n",
		"GET /a b HTTP/1.1\r\n",
		"GET / HTTP/1.1 \r\n",
		"hello\nGET / HTTP/1.1\r\n",
		"G:T / HTTP/1.1\r\n",
		"",
		"\r\n",
		"GET / HTTP/1.\r\n",
	};
	static const char *const responses[] = { "HTTP/1.1 200 OK\r\n", "HTTP/1.0 404\r\n", "HTTP/1.1 500 " };
	static const char *const no_responses[] = { "HTTP/1.1 200",      "HTTP/1.1 2000 OK",
						    "HTTP/2 200 OK\r\n", "HTTP/1.1  200 OK",
						    "xHTTP/1.1 200 OK",  "" };

#define LOOKS(text, role) \
	http1_looks_like_start(guard_page_put(&page, text, strlen(text)), strlen(text), role)
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		cr_expect(LOOKS(requests[i], HTTP1_REQUEST), "%s", requests[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_not(LOOKS(others[i], HTTP1_REQUEST), "%s", others[i]);
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++)
		cr_expect(LOOKS(responses[i], HTTP1_RESPONSE), "%s", responses[i]);
	for (size_t i = 0; i < sizeof(no_responses) / sizeof(no_responses[0]); i++)
		cr_expect_not(LOOKS(no_responses[i], HTTP1_RESPONSE), "%s", no_responses[i]);
}

#define FEED(story, text) story_feed(story, text, strlen(text))

Test(http1_api, restart_leaves_a_body_that_never_comes)
{
	struct story s;

	story_init(&s, HTTP1_REQUEST, "");
	FEED(&s, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n");
	cr_expect_not(http1_idle(&s.parser));
	http1_restart(&s.parser);
	cr_expect(http1_idle(&s.parser));
	FEED(&s, "GET /next HTTP/1.1\r\n\r\n");
	cr_expect_str_eq(s.text, "begin\nmethod POST\ntarget /\nversion 1.1\nhead 61 length keep expect\n"
				 "begin\nmethod GET\ntarget /next\nversion 1.1\nhead 22 no-body keep\nend\n");
	story_release(&s);
}

Test(http1_api, restart_undoes_broken)
{
	struct story s;

	story_init(&s, HTTP1_RESPONSE, "");
	FEED(&s, "HTTP/1.1 304 x\r\n\r\n<html>");
	FEED(&s, "HTTP/1.1 200 ignored\r\n\r\n");
	http1_restart(&s.parser);
	FEED(&s, "HTTP/1.1 204 y\r\n\r\n");
	cr_expect_str_eq(s.text, "begin\nstatus 304 version 1.1\nhead 18 no-body keep\nend\n"
				 "begin\nbroken bad-start-line\n"
				 "begin\nstatus 204 version 1.1\nhead 18 no-body keep\nend\n");
	story_release(&s);
}

Test(http1_api, restart_does_not_undo_a_switch_nor_the_end)
{
	struct story s;

	story_init(&s, HTTP1_RESPONSE, "");
	FEED(&s, "HTTP/1.1 101 x\r\n\r\n");
	http1_restart(&s.parser);
	FEED(&s, "HTTP/1.1 200 x\r\n\r\n");
	cr_expect_str_eq(s.text, "begin\nstatus 101 version 1.1\nhead 18 no-body keep\nend\nswitched\n");
	story_release(&s);
	story_init(&s, HTTP1_RESPONSE, "");
	story_eof(&s);
	http1_restart(&s.parser);
	FEED(&s, "HTTP/1.1 200 x\r\n\r\n");
	cr_expect_str_eq(s.text, "");
	story_release(&s);
}

/* Events of one call sequence, for what depends on where *in stands. */
static enum http1_event step(struct http1 *p, const char **in, const char *end, struct http1_data *d)
{
	static char carry[HTTP1_NAME_MAX];
	static const struct http1_options options = { .wanted = ~0u, .carry = carry };

	return http1_next(p, &options, in, end, d);
}

Test(http1_api, input_stands_behind_the_event)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
	static const struct {
		enum http1_event event;
		size_t at;
	} expected[] = { { HTTP1_BEGIN, 0 },    { HTTP1_METHOD, 4 }, { HTTP1_TARGET, 16 },
			 { HTTP1_VERSION, 16 }, { HTTP1_FIELD, 25 }, { HTTP1_HEAD_END, 27 },
			 { HTTP1_END, 27 },     { HTTP1_BEGIN, 27 }, { HTTP1_METHOD, 31 } };
	const char *in = text, *end = text + sizeof(text) - 1;
	struct http1_data d;
	struct http1 p;

	http1_init(&p, HTTP1_REQUEST);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		cr_expect_eq(step(&p, &in, end, &d), expected[i].event, "event %zu", i);
		cr_expect_eq((size_t)(in - text), expected[i].at, "event %zu at %zu", i, (size_t)(in - text));
	}
}

Test(http1_api, switch_leaves_the_other_protocol_s_bytes)
{
	static const char text[] = "HTTP/1.1 101 x\r\n\r\n\x81\x05hello";
	const char *in = text, *end = text + sizeof(text) - 1;
	struct http1_data d;
	struct http1 p;

	http1_init(&p, HTTP1_RESPONSE);
	while (step(&p, &in, end, &d) != HTTP1_SWITCHED)
		cr_assert_lt(in, end);
	cr_expect_eq(*in, '\x81');
	cr_expect_eq(step(&p, &in, end, &d), HTTP1_NEED_MORE);
	cr_expect_eq(in, end);
}

Test(http1_api, idle_only_between_messages)
{
	static const char text[] = "\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok\r\n";
	struct story s;

	story_init(&s, HTTP1_REQUEST, "");
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		cr_expect_eq(http1_idle(&s.parser), i <= 2 || i > strlen(text) - 3, "at %zu", i);
		story_feed(&s, text + i, 1);
	}
	cr_expect(http1_idle(&s.parser));
	story_release(&s);
}

Test(http1_api, bodies_are_not_looked_at)
{
	size_t huge = (size_t)1 << 36;
	char *nothing = mmap(NULL, huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const char *in = nothing;
	struct http1_data d;
	struct story s;

	cr_assert_neq(nothing, MAP_FAILED);
	story_init(&s, HTTP1_REQUEST, "");
	FEED(&s, "POST / HTTP/1.1\r\nContent-Length: 68719476736\r\n\r\n");
	cr_expect_eq(step(&s.parser, &in, nothing + huge, &d), HTTP1_BODY);
	cr_expect_eq(d.bytes, huge);
	cr_expect_eq(in, nothing + huge);
	cr_expect_eq(step(&s.parser, &in, nothing + huge, &d), HTTP1_END);
	story_release(&s);
	munmap(nothing, huge);
}

Test(http1_api, each_row_of_the_table_is_found)
{
	static const char *const names[] = {
#define HTTP1_FIELD(id, name) name,
#include "shim/http/headers.def"
#undef HTTP1_FIELD
	};
	char text[200], told[200];
	struct story s;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_expect_leq(strlen(names[i]), HTTP1_NAME_MAX);
		story_init(&s, HTTP1_REQUEST, "");
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s: v\r\n\r\n", names[i]);
		snprintf(told, sizeof(told), "field %s: v\n", names[i]);
		FEED(&s, text);
		cr_expect(strstr(s.text, told), "%s is told (whole)", names[i]);
		story_release(&s);
		story_init(&s, HTTP1_REQUEST, "");
		for (size_t k = 0; text[k]; k++)
			story_feed(&s, text + k, 1);
		cr_expect(strstr(s.text, told), "%s is told (in bytes)", names[i]);
		story_release(&s);
		story_init(&s, HTTP1_REQUEST, "");
		s.options.wanted = ~(1u << (i + 1));
		FEED(&s, text);
		cr_expect_not(strstr(s.text, "field"), "%s is told only if wanted", names[i]);
		story_release(&s);
	}
}

Test(http1_api, count_of_a_head_does_not_wrap)
{
	size_t n = (size_t)1 << 22;
	char *junk = malloc(n);
	struct story s;

	memset(junk, 'x', n);
	story_init(&s, HTTP1_REQUEST, "");
	FEED(&s, "GET / HTTP/1.1\r\nCookie: ");
	for (int i = 0; i < 1100; i++) /* 4.3 GiB */
		story_feed(&s, junk, n);
	FEED(&s, "\r\nHost: far\r\nContent-Length: 1\r\n\r\nx");
	cr_expect_gt(s.parser.head_bytes, 1u << 29);
	cr_expect(s.parser.over_limit);
	cr_expect_not(strstr(s.text, "field"));
	cr_expect(strstr(s.text, "length keep over-limit\nbody 1\nend\n"));
	story_release(&s);
	free(junk);
}

Test(http1_api, many_blanks_that_a_piece_ends_in_are_shortened_to_the_carry)
{
	char text[400];
	struct story s;
	int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nUser-Agent: a%60sb%60s\r\n\r\n", "", "");

	story_init(&s, HTTP1_REQUEST, "");
	for (int i = 0; i < n; i++)
		story_feed(&s, text + i, 1);
	snprintf(text, sizeof(text), "field user-agent: a%*sb\n", HTTP1_NAME_MAX - 1, "");
	cr_expect(strstr(s.text, text), "%s", s.text);
	story_release(&s);
}
