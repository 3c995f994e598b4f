/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What receivers answer, over HTTP and gRPC: whatever comes, the verdict is one of the
 * five, a wish to wait is bounded, and the message is one line of valid text.
 */
/* clang-format off
 * FUZZ_SOURCES: exporters/transport/answer.c exporters/transport/http_answer.c exporters/transport/grpc_answer.c
 * FUZZ_SOURCES: exporters/transport/endpoint_url.c exporters/encode/otlp_response.c exporters/encode/otlp_response_json.c
 * FUZZ_SOURCES: build/gen/answer.pb-c.c exporters/base/arena.c exporters/base/base64.c exporters/base/buf.c
 * FUZZ_SOURCES: exporters/base/json_read.c exporters/base/number.c exporters/base/utf8.c
 * FUZZ_LIBS: -lprotobuf-c -lm
 * clang-format on */
#include <stdlib.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/transport/endpoint_url.h"
#include "exporters/transport/grpc_answer.h"
#include "exporters/transport/http_answer.h"
#include "exporters/transport/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check(const struct send_report *report)
{
	size_t n = strnlen(report->message, sizeof(report->message));

	CHECK(n < sizeof(report->message));
	CHECK(utf8_valid((struct slice){ report->message, n }));
	for (size_t i = 0; i < n; i++)
		CHECK((unsigned char)report->message[i] >= ' ' && report->message[i] != 0x7f);
	CHECK(report->result <= SEND_TOO_LARGE);
	CHECK((report->result == SEND_OK) == (n == 0));
	CHECK(report->retry_after_ms <= RETRY_WISH_MAX_MS);
	CHECK(report->retry_after_ms == 0 || report->result == SEND_RETRY);
}

/* The rest after the first newline; the part before it is *line. */
static struct slice cut(struct slice *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct slice line = { rest->p, end ? (size_t)(end - rest->p) : rest->n };

	rest->p += line.n + (end != NULL);
	rest->n -= line.n + (end != NULL);
	return line;
}

static void http(struct slice input, unsigned choice)
{
	struct http_answer answer = { .status = (int)(choice % 700), .json = choice & 1 };
	struct send_report report;

	answer.retry_after_s = http_retry_after_s(cut(&input), 1700000000);
	answer.location = cut(&input);
	answer.body = input;
	CHECK(answer.retry_after_s <= RETRY_WISH_MAX_MS / 1000);
	http_answer_judge(&report, &answer, choice & 2 ? ANSWERS_OTLP : ANSWERS_PLAIN);
	check(&report);
}

static void grpc(struct slice input, unsigned choice)
{
	struct grpc_answer answer;
	struct send_report report;

	grpc_answer_init(&answer);
	for (int i = 0; i < 4; i++)
		grpc_answer_header(&answer, cut(&input));
	grpc_answer_judge(&report, &answer, (int)(choice % 700), input,
			  choice & 2 ? ANSWERS_OTLP : ANSWERS_PLAIN);
	check(&report);
	CHECK(report.result != SEND_OK || (answer.has_status && answer.code == GRPC_OK));
}

/* What is written is a URL again, with the same host, and without credentials. */
static void url(struct slice input)
{
	struct endpoint_url parsed, again;
	struct buf out;

	if (!endpoint_url_parse(&parsed, input))
		return;
	buf_init(&out);
	endpoint_url_write(&out, &parsed, SLICE("http"), parsed.rest);
	CHECK(endpoint_url_parse(&again, (struct slice){ out.p, out.n }));
	CHECK(slice_equal(parsed.host, again.host) && parsed.port == again.port && !again.has_user);
	buf_clear(&out);
	endpoint_url_decode(&out, input);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice;
	struct slice input;

	if (size < 3)
		return 0;
	choice = (unsigned)data[1] << 8 | data[2];
	input = (struct slice){ (const char *)data + 3, size - 3 };
	switch (data[0] % 3) {
	case 0: http(input, choice); break;
	case 1: grpc(input, choice); break;
	default: url(input);
	}
	return 0;
}
