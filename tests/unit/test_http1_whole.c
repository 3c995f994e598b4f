/* SPDX-License-Identifier: Apache-2.0 */
/* Heads that are read in one pass: what is told of them is what their events tell. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/http/http1.h"
#include "shim/http/http1_whole.h"
#include "tests/unit/guard_page.h"

static char carry[HTTP1_NAME_MAX];
static const struct http1_options options = { .wanted = UINT32_MAX, .carry = carry };
static struct guard_page page;

static void begin(void) { guard_page_init(&page, 1 << 18); }

/* What both ways have to agree on. */
struct told {
	char text[8192];
	size_t n;
};

static void say(struct told *t, const char *what, const char *p, size_t n)
{
	t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "%s=%.*s;", what, (int)n, p);
}

static void say_end(struct told *t, const struct http1 *p)
{
	t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n,
				 "head %u version %x status %u framing %u keep_alive %d left %llu state %u",
				 p->head_bytes, p->version, p->status, p->framing, p->keep_alive,
				 (unsigned long long)p->left, p->state);
}

/* The story of the head by its events; false: it is not whole. */
static bool by_events(struct told *t, enum http1_role role, enum http1_answer answer, const char *in,
		      size_t n)
{
	const char *end = in + n;
	enum http1_event event;
	struct http1_data d;
	struct http1 p;

	t->n = 0;
	http1_init(&p, role);
	while ((event = http1_next(&p, &options, &in, end, &d)) != HTTP1_NEED_MORE) {
		if ((event == HTTP1_METHOD || event == HTTP1_TARGET) && d.n)
			say(t, "word", d.p, d.n);
		if (event == HTTP1_STATUS)
			http1_answers(&p, answer);
		if (event == HTTP1_FIELD && role == HTTP1_REQUEST)
			say(t, d.first && d.last ? "field" : "piece", d.p, d.n);
		if (event == HTTP1_HEAD_END) {
			say_end(t, &p);
			return true;
		}
	}
	return false;
}

static bool at_once(struct told *t, enum http1_role role, enum http1_answer answer, const char *in, size_t n)
{
	struct http1_whole whole;
	struct http1 p;
	size_t head;

	t->n = 0;
	http1_init(&p, role);
	head = role == HTTP1_REQUEST ? http1_whole_request(&p, options.wanted, in, in + n, &whole)
				     : http1_whole_response(&p, answer, in, in + n);
	if (!head) {
		cr_assert(http1_idle(&p));
		return false;
	}
	cr_assert_eq(head, p.head_bytes);
	if (role == HTTP1_REQUEST) {
		say(t, "word", whole.method.p, whole.method.n);
		say(t, "word", whole.target.p, whole.target.n);
		for (unsigned i = 0; i < whole.fields; i++) {
			cr_assert(whole.seen >> whole.field[i].field & 1);
			say(t, "field", whole.field[i].p, whole.field[i].n);
		}
	}
	say_end(t, &p);
	return true;
}

/* In memory that ends, and begins, where the bytes do: a sanitizer sees the one, the guard page the other. */
static bool same(enum http1_role role, enum http1_answer answer, const char *bytes, size_t n)
{
	static struct told whole, events;
	char *copy = malloc(n ? n : 1);
	bool plain;

	memcpy(copy, bytes, n);
	plain = at_once(&whole, role, answer, copy, n);
	free(copy);
	cr_assert_eq(at_once(&whole, role, answer, guard_page_put(&page, bytes, n), n), plain);
	if (!plain)
		return false;
	cr_assert(by_events(&events, role, answer, bytes, n));
	cr_assert_str_eq(whole.text, events.text);
	return true;
}

#define REQUEST_LINE "GET /a/b?c=d HTTP/1.1\r\n"

static const char *const plain_requests[] = {
	REQUEST_LINE "Host: example.com\r\n\r\n",
	REQUEST_LINE "\r\n",
	"DELETE / HTTP/1.0\r\nHOST:h\r\nUSER-AGENT:   x y \r\nConnection: keep-alive\r\n\r\n",
	"POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 12\r\nConnection: "
	"close\r\n\r\nbody",
	"POST /x HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
	"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nCache-Control: x\r\n\r\n5\r\n",
	REQUEST_LINE
	"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nb3: 0\r\nx-forwarded-for: "
	"1.2.3.4\r\nCookie: a:b\r\nX-Other: c\r\nDNT: 1\r\nX:\r\n:\r\nHost:\r\n\r\nGET / HTTP/1.1\r\n",
};

static const char *const odd_requests[] = {
	"GET * HTTP/1.1\r\nHost: h\r\nA: bbbbbbbbbbb\r\n\r\n",
	"GET  / HTTP/1.1\r\nHost: h\r\nA: bbbbbbbbbb\r\n\r\n",
	"GET / HTTP/1.2\r\nHost: h\r\nA: bbbbbbbbbbb\r\n\r\n",
	"GET / HTTP/1.1 \r\nHost: h\r\nA: bbbbbbbbbb\r\n\r\n",
	"GET / HTTP/1.1\nHost: h\r\nA: bbbbbbbbbbbb\r\n\r\n",
	REQUEST_LINE "Host: h\n\r\n",
	REQUEST_LINE "Host: h\r\n folded\r\n\r\n",
	REQUEST_LINE "Accept: h\r\n\tfolded\r\n\r\n",
	REQUEST_LINE "Host : h\r\n\r\n",
	REQUEST_LINE "Content-Length : 5\r\n\r\n",
	REQUEST_LINE "Connection\t: close\r\n\r\n",
	REQUEST_LINE "Host: a\rb\r\n\r\n",
	REQUEST_LINE "Accept: a\rb\r\n\r\n",
	REQUEST_LINE "host\r\n\r\n",
	REQUEST_LINE "Accept: a\r\r\n\r\n",
	REQUEST_LINE "Content-Length: +5\r\n\r\n",
	REQUEST_LINE "Content-Length: 5, 5\r\n\r\n",
	REQUEST_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
	REQUEST_LINE "Content-Length: 99999999999999999999\r\n\r\n",
	REQUEST_LINE "Content-Length: \r\n\r\n",
	REQUEST_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	REQUEST_LINE "Content-Length: 5\r\nnocolon\r\n\r\n",
	REQUEST_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n",
	REQUEST_LINE "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
	REQUEST_LINE "Expect: 100-continue\r\n\r\n",
};

static const char *const plain_responses[] = {
	"HTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
	"HTTP/1.0 404 Not Found\r\nServer: x\r\nCONTENT-LENGTH: 0\r\nConnection: close\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: \"a\"\r\n\r\n",
	"HTTP/1.1 204 \r\nCache-Control: no-store\r\n\r\nHTTP/1.1 200 OK\r\n",
	"HTTP/1.1 500 Oh no: really\r\nContent-Type: text/plain\r\nTransfer-Encoding: "
	"chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 1\r\n\r\n",
};

static const char *const odd_responses[] = {
	"HTTP/1.1 100 Continue\r\nX: yyyyyyyyyyyyy\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
	"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n",
	"HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\n",
	"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n",
	"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n folded\r\n\r\n",
};

#define EACH(of) (size_t i = 0; i < sizeof(of) / sizeof(*(of)); i++)

Test(http1_whole, plain_heads_are_told_as_their_events_tell_them, .init = begin)
{
	for
		EACH(plain_requests)
	cr_expect(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, plain_requests[i], strlen(plain_requests[i])),
		  "request %zu", i);
	for
		EACH(plain_responses)
	for (unsigned answer = HTTP1_ANSWER_PLAIN; answer <= HTTP1_ANSWER_HEAD; answer++)
		cr_expect(same(HTTP1_RESPONSE, (enum http1_answer)answer, plain_responses[i],
			       strlen(plain_responses[i])),
			  "response %zu", i);
}

Test(http1_whole, what_is_not_plain_is_left_alone, .init = begin)
{
	for
		EACH(odd_requests)
	cr_expect_not(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, odd_requests[i], strlen(odd_requests[i])),
		      "request %zu", i);
	for
		EACH(odd_responses)
	cr_expect_not(same(HTTP1_RESPONSE, HTTP1_ANSWER_PLAIN, odd_responses[i], strlen(odd_responses[i])),
		      "response %zu", i);
	cr_expect_not(
		same(HTTP1_RESPONSE, HTTP1_ANSWER_CONNECT, plain_responses[1], strlen(plain_responses[1])));
}

Test(http1_whole, cut_off_heads_are_left_alone, .init = begin)
{
	for
		EACH(plain_requests)
		{
			size_t head = (size_t)(strstr(plain_requests[i], "\r\n\r\n") - plain_requests[i]) + 4;

			for (size_t n = 0; n < head; n++)
				cr_expect_not(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, plain_requests[i], n),
					      "%zu of %zu", n, i);
		}
	for
		EACH(plain_responses)
		{
			size_t head =
				(size_t)(strstr(plain_responses[i], "\r\n\r\n") - plain_responses[i]) + 4;

			for (size_t n = 0; n < head; n++)
				cr_expect_not(same(HTTP1_RESPONSE, HTTP1_ANSWER_PLAIN, plain_responses[i], n),
					      "%zu of %zu", n, i);
		}
}

/* Each byte of a head stands at each place of a block once. */
Test(http1_whole, lines_may_lie_anywhere, .init = begin)
{
	static const char rest[] = "Host: example.com\r\nConnection: keep-alive\r\nAccept: */*\r\n"
				   "Content-Type: x\r\nContent-Length: 17\r\nUser-Agent: a\r\n\r\n";
	char text[512];

	for (int pad = 0; pad < 140; pad++) {
		int n = snprintf(text, sizeof(text), "POST /%0*d HTTP/1.1\r\n%s", pad + 1, 0, rest);

		cr_assert(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, text, (size_t)n), "%d", pad);
		n = snprintf(text, sizeof(text), "HTTP/1.1 200 %0*d\r\n%s", pad + 1, 0, rest);
		cr_assert(same(HTTP1_RESPONSE, HTTP1_ANSWER_PLAIN, text, (size_t)n), "%d", pad);
	}
}

Test(http1_whole, many_fields_and_long_heads_are_left_to_the_events, .init = begin)
{
	static char text[1 << 17];
	size_t n = (size_t)sprintf(text, REQUEST_LINE);

	for (unsigned i = 0; i < HTTP1_WHOLE_FIELDS; i++)
		n += (size_t)sprintf(text + n, "X-Forwarded-For: %u\r\n", i);
	memcpy(text + n, "\r\n", 2);
	cr_expect(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, text, n + 2));
	n += (size_t)sprintf(text + n, "Host: h\r\n");
	memcpy(text + n, "\r\n", 2);
	cr_expect_not(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, text, n + 2));
	n = (size_t)sprintf(text, REQUEST_LINE "X: ");
	memset(text + n, 'x', HTTP1_HEAD_LIMIT);
	memcpy(text + HTTP1_HEAD_LIMIT - 4, "\r\n\r\n", 4);
	cr_expect(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, text, HTTP1_HEAD_LIMIT));
	memset(text + n, 'x', HTTP1_HEAD_LIMIT);
	memcpy(text + HTTP1_HEAD_LIMIT - 3, "\r\n\r\n", 4);
	cr_expect_not(same(HTTP1_REQUEST, HTTP1_ANSWER_PLAIN, text, HTTP1_HEAD_LIMIT + 1));
}

Test(http1_whole, body_and_end, .init = begin)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
	struct http1 p;

	http1_init(&p, HTTP1_RESPONSE);
	cr_assert_eq(http1_whole_response(&p, HTTP1_ANSWER_PLAIN, text, text + strlen(text)), strlen(text));
	cr_expect_not(http1_whole_end(&p));
	cr_expect_eq(http1_whole_body(&p, 3), 3);
	cr_expect_not(http1_whole_end(&p));
	cr_expect_eq(http1_whole_body(&p, 7), 2);
	cr_expect(http1_whole_end(&p));
	cr_expect(http1_idle(&p));
	cr_assert_eq(http1_whole_response(&p, HTTP1_ANSWER_HEAD, text, text + strlen(text)), strlen(text));
	cr_expect_eq(http1_whole_body(&p, 5), 0);
	cr_expect(http1_whole_end(&p));
}
