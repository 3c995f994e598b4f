/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages end, in our parser's eyes: for the comparison with others (tests/e2e/test_http_oracle.py).
 * Input, again and again: one byte 'q' (request) or 's' (response), a 32-bit length (little endian), so many
 * bytes. Output, a line each: the error, 1 if switched, then start,head_end,end,body of each message (0: not
 * reached).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/http/http1.h"

#define MESSAGES 256

struct message {
	size_t start, head_end, end;
	unsigned long long body;
};

static void tell(enum http1_role role, const char *bytes, size_t n)
{
	struct message m[MESSAGES] = { { 0 } };
	const char *in = bytes, *end = bytes + n;
	char carry[HTTP1_NAME_MAX];
	struct http1_options options = { .carry = carry };
	struct http1_data d;
	enum http1_event event;
	unsigned messages = 0;
	bool switched = false;
	struct http1 p;

	http1_init(&p, role);
	while ((event = http1_next(&p, &options, &in, end, &d)) != HTTP1_NEED_MORE) {
		struct message *last = &m[messages ? messages - 1 : 0];

		switch (event) {
		case HTTP1_BEGIN:
			if (messages == MESSAGES)
				exit(2);
			m[messages++].start = (size_t)(d.p - bytes);
			break;
		case HTTP1_HEAD_END: last->head_end = (size_t)(in - bytes); break;
		case HTTP1_BODY: last->body += d.bytes; break;
		case HTTP1_END: last->end = (size_t)(in - bytes); break;
		case HTTP1_SWITCHED: switched = true; break;
		default: break;
		}
	}
	printf("%u %d", p.error, switched);
	for (unsigned i = 0; i < messages; i++)
		printf(" %zu,%zu,%zu,%llu", m[i].start, m[i].head_end, m[i].end, m[i].body);
	putchar('\n');
}

int main(void)
{
	unsigned char head[5];
	char *bytes;
	size_t n;

	while (fread(head, 1, 5, stdin) == 5) {
		n = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
		bytes = malloc(n + 1);
		if (!bytes || fread(bytes, 1, n, stdin) != n)
			return 1;
		tell(head[0] == 'q' ? HTTP1_REQUEST : HTTP1_RESPONSE, bytes, n);
		free(bytes);
	}
	return 0;
}
