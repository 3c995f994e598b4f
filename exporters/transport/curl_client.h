/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CURL_CLIENT_H
#define BTRACE_CURL_CLIENT_H

/*
 * What the http and grpc transports share: libcurl set up for one endpoint. Policy,
 * in one place:
 *   - no redirect is followed, no cookie kept, no .netrc read, no Expect: header;
 *   - proxies from the environment only when the endpoint asks for it;
 *   - certificates and keys are read once, at open, so that a worker which gives
 *     up its rights afterwards still has them;
 *   - OpenSSL and the like are started at open, too;
 *   - an answer is read up to 4 MiB and kept up to 64 KiB;
 *   - names are resolved again after 10 s for new connections, a connection lives
 *     5 minutes at most; resolving runs in libcurl's thread and is never
 *     waited for, not even at the end.
 */

#include <curl/curl.h>
#include <stdbool.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"
#include "exporters/transport/grpc_answer.h"
#include "exporters/transport/loop.h"
#include "exporters/transport/transport.h"

enum { CURL_SLOTS = 2, ANSWER_KEPT = RESPONSE_MAX_BYTES, ANSWER_MAX = 4 << 20, TIMEOUT_MS = 10000 };

struct curl_slot {                     /* one payload under way; its handle is kept for the next */
	struct loop_transfer transfer; /* first: libcurl gives it back */
	struct curl_client *client;
	CURL *easy;
	bool busy;
	bool head_done;  /* a final header block was complete */
	struct buf body; /* what is sent instead: compressed, framed */
	struct buf answer;
	size_t answer_bytes;
	uint32_t retry_after_s;
	struct grpc_answer grpc; /* grpc only */
	char error[CURL_ERROR_SIZE];
	send_done *done;
	void *context;
};

struct curl_client {
	const struct endpoint *endpoint;
	struct transport_loop *loop;
	void (*judge)(struct curl_slot *slot, CURLcode code, struct send_report *report);
	bool grpc;
	struct buf url, user, password; /* NUL-terminated */
	struct buf ca, cert, key;       /* PEM */
	struct curl_slist *headers;
	struct curl_slot slots[CURL_SLOTS];
};

/*
 * Before 8.1, as in Debian 12 (7.88.1), libcurl loses the trailers of the last
 * stream when GOAWAY has come (see grpc.c), and cannot use a connection with prior
 * knowledge of HTTP/2 again (see curl_setup.c).
 */
bool curl_client_is_old(void);

uint32_t curl_client_timeout_ms(const struct endpoint *endpoint);

/*
 * The client's url and credentials from the endpoint's; 0 or -errno and *error.
 * rest NULL: path and query of the endpoint's URL.
 */
int curl_client_open(struct curl_client *client, const struct endpoint *endpoint, const char *rest,
		     struct transport_loop *loop, char error[256]);
void curl_client_close(struct curl_client *client);
/* "Name: value", "Name: " for an empty value, "Name:" to leave out one of libcurl's own. */
int curl_client_header(struct curl_client *client, const char *line);
/* The endpoint's own headers, without those that are ours to say. */
int curl_client_headers(struct curl_client *client);

/* A free slot; there always is one within in_flight. Its body is empty. */
struct curl_slot *curl_client_slot(struct curl_client *client);
/* Sends body; done comes later, or at once if it cannot even begin. */
void curl_client_start(struct curl_slot *slot, struct slice body, send_done *done, void *context);

/* A transfer that ended without an answer, as HTTP sees it. */
void curl_client_failure(const struct curl_slot *slot, CURLcode code, struct send_report *report);

#endif
