/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cost of the HTTP/1 parser a message.
 *	build/bench/bench_http1			nanoseconds
 *	valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=parse \
 *		build/bench/bench_http1 NAME	instructions: "Collected" / 1000
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shim/http/http1.h"

static const char browser[] =
	"GET /index.html?q=1 HTTP/1.1\r\n"
	"Host: www.example.com\r\n"
	"Connection: keep-alive\r\n"
	"Accept: text/html,application/xml;q=0.9,*/*;q=0.8\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
	"Accept-Encoding: gzip, deflate\r\n"
	"Accept-Language: en-US,en;q=0.5\r\n"
	"Cache-Control: max-age=0\r\n"
	"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
	"\r\n";
static const char plain[] =
	"GET / HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\n"
			     "Server: nginx/1.22.1\r\n"
			     "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			     "Content-Type: text/html\r\n"
			     "Content-Length: 12\r\n"
			     "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			     "Connection: keep-alive\r\n"
			     "ETag: \"65a1b2c3-2b67\"\r\n"
			     "Accept-Ranges: bytes\r\n"
			     "\r\n"
			     "Hello world\n";
static const char chunked[] =
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

static const struct sample {
	const char *name, *bytes;
	size_t n;
	enum http1_role role;
} samples[] = {
	{ "browser", browser, sizeof(browser) - 1, HTTP1_REQUEST },
	{ "plain", plain, sizeof(plain) - 1, HTTP1_REQUEST },
	{ "answer", answer, sizeof(answer) - 1, HTTP1_RESPONSE },
	{ "chunked", chunked, sizeof(chunked) - 1, HTTP1_RESPONSE },
};

static char carry[HTTP1_NAME_MAX];
static const struct http1_options options = {
	.carry = carry,
	.wanted = 1u << HTTP1_FIELD_HOST | 1u << HTTP1_FIELD_USER_AGENT | 1u << HTTP1_FIELD_TRACEPARENT |
		  1u << HTTP1_FIELD_TRACESTATE | 1u << HTTP1_FIELD_FORWARDED |
		  1u << HTTP1_FIELD_X_FORWARDED_FOR,
};

__attribute__((noinline)) static unsigned parse(struct http1 *p, const char *in, size_t n)
{
	const char *end = in + n;
	struct http1_data d;
	unsigned events = 0;

	while (http1_next(p, &options, &in, end, &d) != HTTP1_NEED_MORE)
		events++;
	return events;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The best of many short rounds: other load on the machine makes the rest longer. */
static void run(const struct sample *s, unsigned rounds, unsigned times)
{
	double start, took, best = 1e18;
	unsigned events = 0;
	struct http1 p;

	http1_init(&p, s->role);
	for (unsigned i = 0; i < rounds; i++) {
		start = now();
		for (unsigned k = 0; k < times; k++)
			events += parse(&p, s->bytes, s->n);
		took = (now() - start) / times;
		best = took < best ? took : best;
	}
	printf("%-8s %4zu bytes %2u events %7.1f ns\n", s->name, s->n, events / (rounds * times), best);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (argc < 2)
			run(&samples[i], 1000, 1000);
		else if (strcmp(argv[1], samples[i].name) == 0)
			run(&samples[i], 1, 1000);
	return 0;
}
