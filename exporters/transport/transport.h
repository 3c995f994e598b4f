/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRANSPORT_H
#define BTRACE_TRANSPORT_H

/*
 * How payloads leave: http, grpc, udp, file, console. A transport takes up to
 * `in_flight` payloads at a time, never blocks on a network or a terminal, and
 * reports each payload exactly once through its completion. All run in the
 * worker's one thread, driven by struct transport_loop (loop.h). Retrying is the
 * sink's business, not the transport's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

/* What an HTTP or gRPC answer means differs: see http_answer.h and grpc_answer.h. */
enum answer_rules {
	ANSWERS_PLAIN, /* zipkin, jaeger: 429, any 5xx and RESOURCE_EXHAUSTED are tried again */
	ANSWERS_OTLP,  /* the tables of the OTLP specification, and partial success */
};

/*
 * Where and how to send. Strings are NUL-terminated, owned by the config and
 * outlive the transport. NULL and 0 = not set; memset to 0 is a good start.
 */
struct endpoint {
	const char *url;            /* http(s)://host:port/path; grpc: http(s)://host:port; udp: host:port */
	const char *unix_path;      /* connect here instead of the URL's host */
	const char *const *headers; /* "Name: value", NULL-terminated list */
	uint32_t timeout_ms;        /* of one try; 0 = 10 s */
	uint32_t total_timeout_ms;  /* of one payload with all its tries; 0 = 300 s */
	enum answer_rules rules;
	bool gzip, deflate;                         /* deflate only over HTTP */
	bool insecure;                              /* do not verify certificates */
	bool use_proxy_environment;                 /* honour http_proxy and relatives */
	const char *ca_file, *cert_file, *key_file; /* read once, at open */
	const char *user, *password;
	const char *path;        /* file: absolute */
	int fd;                  /* file: opened by the keeper, stays its own; <= 0: open path */
	uint64_t max_file_bytes; /* file: rotate beyond; 0 = never */
	uint32_t max_files;      /* file: keep so many old ones; 0 = 3 */
	/* file, with fd: asks for a rotation, gives the new descriptor or -errno; NULL = never rotate */
	int (*rotate)(void *context, const char *path);
	void *rotate_context;
	uint32_t max_packet_bytes; /* udp: 0 = 65000 */
	const char *grpc_method;   /* /package.Service/Method */
	const char *label; /* for messages: "zipkin at http://localhost:9411/api/v2/spans"; no credentials */
};

struct payload {
	struct slice bytes;
	uint32_t spans;
	bool maybe_sent; /* a worker died while sending it: look before sending twice, where one can look */
};

enum send_result {
	SEND_OK,
	SEND_PARTIAL,   /* taken, but `rejected` spans were refused; never retried */
	SEND_RETRY,     /* may be tried again, not before retry_after_ms */
	SEND_REFUSED,   /* will never be taken: drop and count */
	SEND_TOO_LARGE, /* EMSGSIZE, 413: make smaller payloads from now on */
};

struct send_report {
	enum send_result result;
	uint32_t retry_after_ms; /* 0 = no wish */
	uint32_t max_bytes;      /* SEND_TOO_LARGE: what would fit, if known */
	uint64_t rejected;
	char message[256]; /* one clear line for people, without the label; empty on SEND_OK */
};

typedef void send_done(void *context, const struct send_report *report);

struct transport_loop; /* loop.h */

struct transport {
	const char *name;
	unsigned in_flight;         /* payloads at a time, 1..QUEUE_SLOTS */
	uint32_t max_payload_bytes; /* default limit for the encoder */
	/* 0 or -errno, then *error holds a line. The endpoint outlives the transport. */
	int (*open)(void **state, const struct endpoint *endpoint, const char *content_type,
		    struct transport_loop *loop, char error[256]);
	/*
	 * Hands over a payload; its bytes stay the caller's and must live until
	 * done() is called, which may be before send returns.
	 */
	void (*send)(void *state, const struct payload *payload, send_done *done, void *context);
	void (*close)(void *state); /* cancels what is under way without calling done */
};

extern const struct transport transport_http, transport_grpc, transport_udp, transport_file,
	transport_console;

#endif
