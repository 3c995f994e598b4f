/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads as unary gRPC calls (gRPC over HTTP2), by libcurl: prior knowledge for
 * plain connections, ALPN for TLS. Answers: grpc_answer.h.
 *
 * libcurl 8.12 strips TE over HTTP/2, and grpc-core then answers "Missing :te
 * header"; that comes out as a refusal with this text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/transport/answer.h"
#include "exporters/transport/compress.h"
#include "exporters/transport/curl_client.h"

enum { PREFIX = 5 };

/* libcurl has the HTTP/2 error code only in its text: "... was not closed cleanly: CANCEL (err 8)". */
static bool reset_code(const char *text, unsigned long *error)
{
	const char *at = strstr(text, "(err ");
	char *end;

	if (!at)
		return false;
	*error = strtoul(at + 5, &end, 10);
	return *end == ')';
}

static void judge_failure(struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	enum answer_rules rules = slot->client->endpoint->rules;
	unsigned long error;

	if ((code == CURLE_HTTP2_STREAM || code == CURLE_HTTP2) && reset_code(slot->error, &error))
		grpc_code_judge(report, grpc_code_of_reset(error), slot->error, rules);
	else
		curl_client_failure(slot, code, report);
}

/*
 * A server that goes away says GOAWAY and still answers what it has begun. Before 8.1
 * libcurl closes the session there and forgets the trailers: 200, a whole message,
 * no grpc-status, no error. Servers send the message only with status 0, so this is success; to
 * send again would double the spans at each restart of a collector.
 */
static bool lost_trailers(const struct curl_slot *slot, CURLcode code, long status)
{
	const unsigned char *p = (const unsigned char *)slot->answer.p;

	if (code != CURLE_OK || status != 200 || !curl_client_is_old() || !slot->grpc.is_grpc ||
	    slot->answer.n < PREFIX || p[0] != 0)
		return false;
	return ((size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4]) ==
	       slot->answer.n - PREFIX;
}

static void grpc_judge(struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	long status = 0, version = 0;
	struct grpc_answer answer = slot->grpc;

	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(slot->easy, CURLINFO_HTTP_VERSION, &version);
	if (status && version != CURL_HTTP_VERSION_2_0) {
		*report = (struct send_report){ .result = SEND_REFUSED };
		answer_say(report, "it speaks HTTP/1 and not HTTP/2 (HTTP %ld), is this the port for gRPC?",
			   status);
	} else if (answer.has_status || (code == CURLE_OK && status)) {
		answer.has_status |= lost_trailers(slot, code, status);
		grpc_answer_judge(report, &answer, (int)status,
				  (struct slice){ slot->answer.p, slot->answer.n },
				  slot->client->endpoint->rules);
	} else {
		judge_failure(slot, code, report);
	}
}

static int add_headers(struct curl_client *client)
{
	static const char *const lines[] = { "Content-Type: application/grpc", "TE: trailers",
					     "Expect:", "Accept:", "grpc-accept-encoding: identity" };
	char line[64];
	int rc = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines) && rc == 0; i++)
		rc = curl_client_header(client, lines[i]);
	/* At most 8 digits; 27 hours are enough. */
	snprintf(line, sizeof(line), "grpc-timeout: %" PRIu32 "m",
		 curl_client_timeout_ms(client->endpoint) % 100000000);
	if (rc == 0)
		rc = curl_client_header(client, line);
	if (rc == 0 && client->endpoint->gzip)
		rc = curl_client_header(client, "grpc-encoding: gzip");
	return rc < 0 ? rc : curl_client_headers(client);
}

static void grpc_close(void *state)
{
	struct curl_client *client = state;

	curl_client_close(client);
	free(client);
}

static int grpc_open(void **state, const struct endpoint *endpoint, const char *content_type,
		     struct transport_loop *loop, char error[256])
{
	struct curl_client *client = calloc(1, sizeof(*client));
	int rc;

	(void)content_type;
	snprintf(error, 256, "no memory");
	if (!client)
		return -ENOMEM;
	client->grpc = true;
	client->judge = grpc_judge;
	if (endpoint->grpc_method) {
		rc = curl_client_open(client, endpoint, endpoint->grpc_method, loop, error);
	} else {
		snprintf(error, 256, "no gRPC method");
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = add_headers(client);
	if (rc < 0) {
		grpc_close(client);
		return rc;
	}
	*state = client;
	return 0;
}

/* Length-Prefixed-Message: compressed flag, length as big endian, the message. */
static bool frame(struct buf *out, struct slice message, bool gzip)
{
	size_t n;

	if (!buf_reserve(out, PREFIX))
		return false;
	out->n = PREFIX;
	if (gzip && compress_add(out, message, COMPRESSION_GZIP) < 0)
		return false;
	if (!gzip)
		buf_add_slice(out, message);
	n = out->n - PREFIX;
	if (out->failed || n > UINT32_MAX)
		return false;
	out->p[0] = gzip;
	for (int i = 0; i < 4; i++)
		out->p[1 + i] = (char)(n >> (24 - 8 * i));
	return true;
}

static void grpc_send(void *state, const struct payload *payload, send_done *done, void *context)
{
	struct curl_client *client = state;
	struct curl_slot *slot = curl_client_slot(client);

	if (frame(&slot->body, payload->bytes, client->endpoint->gzip))
		curl_client_start(slot, (struct slice){ slot->body.p, slot->body.n }, done, context);
	else
		done(context, &(struct send_report){ .result = SEND_RETRY, .message = "no memory to frame" });
}

const struct transport transport_grpc = {
	.name = "grpc",
	.in_flight = CURL_SLOTS,
	.max_payload_bytes = 2 << 20,
	.open = grpc_open,
	.send = grpc_send,
	.close = grpc_close,
};
