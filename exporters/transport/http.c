/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads as HTTP/1.1 POSTs: Zipkin, OTLP/HTTP, Jaeger's collector. Answers: http_answer.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/transport/compress.h"
#include "exporters/transport/curl_client.h"
#include "exporters/transport/http_answer.h"

struct http {
	struct curl_client client;
	bool json;
};

static void http_judge(struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	const struct http *http = (const struct http *)slot->client;
	struct http_answer answer = { .json = http->json };
	char *location = NULL;
	long status = 0;

	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	/* Once the head is there the receiver has spoken, even if the body is then cut off. */
	if (!slot->head_done || status < 200) {
		curl_client_failure(slot, code, report);
		return;
	}
	answer.status = (int)status;
	answer.retry_after_s = slot->retry_after_s;
	answer.body = (struct slice){ slot->answer.p, slot->answer.n };
	curl_easy_getinfo(slot->easy, CURLINFO_REDIRECT_URL, &location);
	answer.location = slice_of(location);
	http_answer_judge(report, &answer, slot->client->endpoint->rules);
}

static int add_headers(struct curl_client *client, const char *content_type)
{
	const struct endpoint *e = client->endpoint;
	char line[128];
	int rc;

	snprintf(line, sizeof(line), "Content-Type: %s",
		 content_type ? content_type : "application/octet-stream");
	rc = curl_client_header(client, line);
	if (rc == 0)
		rc = curl_client_header(client, "Expect:");
	if (rc == 0 && (e->gzip || e->deflate))
		rc = curl_client_header(client,
					e->gzip ? "Content-Encoding: gzip" : "Content-Encoding: deflate");
	return rc < 0 ? rc : curl_client_headers(client);
}

static void http_close(void *state)
{
	struct http *http = state;

	curl_client_close(&http->client);
	free(http);
}

static int http_open(void **state, const struct endpoint *endpoint, const char *content_type,
		     struct transport_loop *loop, char error[256])
{
	struct http *http = calloc(1, sizeof(*http));
	int rc;

	snprintf(error, 256, "no memory");
	if (!http)
		return -ENOMEM;
	http->json = content_type && strstr(content_type, "json");
	http->client.judge = http_judge;
	rc = curl_client_open(&http->client, endpoint, NULL, loop, error);
	if (rc == 0)
		rc = add_headers(&http->client, content_type);
	if (rc < 0) {
		http_close(http);
		return rc;
	}
	*state = http;
	return 0;
}

static void http_send(void *state, const struct payload *payload, send_done *done, void *context)
{
	struct http *http = state;
	const struct endpoint *e = http->client.endpoint;
	struct curl_slot *slot = curl_client_slot(&http->client);
	struct slice body = payload->bytes;

	if (e->gzip || e->deflate) {
		if (compress_add(&slot->body, body, e->gzip ? COMPRESSION_GZIP : COMPRESSION_DEFLATE) < 0) {
			done(context, &(struct send_report){ .result = SEND_RETRY,
							     .message = "no memory to compress" });
			return;
		}
		body = (struct slice){ slot->body.p, slot->body.n };
	}
	curl_client_start(slot, body, done, context);
}

const struct transport transport_http = {
	.name = "http",
	.in_flight = CURL_SLOTS,
	.max_payload_bytes = 2 << 20,
	.open = http_open,
	.send = http_send,
	.close = http_close,
};
