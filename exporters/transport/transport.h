/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRANSPORT_H
#define BTRACE_TRANSPORT_H

/*
 * How payloads leave: http, grpc, udp, file, console. A transport takes one
 * payload at a time per slot it offers, never blocks, and reports each payload
 * exactly once through its completion. All run in the worker's one thread,
 * driven by transport_loop (curl's multi interface) or at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

/* Where and how to send; strings are NUL-terminated, owned by the config. NULL = not set. */
struct endpoint {
	const char *url;            /* http(s)://…, unix:/path; grpc: scheme://host:port; udp: host:port */
	const char *unix_path;      /* connect here instead of the URL's host */
	const char *const *headers; /* "Name: value", NULL-terminated list */
	uint32_t timeout_ms;        /* of one try; 0 = no limit */
	uint32_t total_timeout_ms;  /* of one payload with all its tries; 0 = 60 s */
	bool gzip, deflate;
	bool insecure;              /* do not verify certificates / no TLS where the scheme is silent */
	bool use_proxy_environment; /* honour http_proxy and relatives */
	const char *ca_file, *cert_file, *key_file;
	const char *user, *password;
	const char *path;           /* file: absolute */
	uint64_t max_file_bytes;    /* file: rotate beyond; 0 = never */
	uint32_t max_files;         /* file: keep so many old ones */
	uint32_t max_packet_bytes;  /* udp: 65000 */
	const char *grpc_method;    /* /package.Service/Method */
	const char *label;          /* for messages: "zipkin at http://localhost:9411/api/v2/spans" */
};

enum send_result {
	SEND_OK,
	SEND_PARTIAL,    /* taken, but `rejected` spans were refused; never retried */
	SEND_RETRY,      /* may be tried again, not before retry_after_ms */
	SEND_REFUSED,    /* will never be taken: drop and count */
	SEND_TOO_LARGE,  /* split and try the halves; EMSGSIZE, 413 */
};

struct send_report {
	enum send_result result;
	uint32_t retry_after_ms; /* 0 = no wish */
	uint64_t rejected;
	char message[256];       /* one clear line for people, without the label; empty on SEND_OK */
};

typedef void send_done(void *context, const struct send_report *report);

struct transport_loop; /* loop.h */

struct transport {
	const char *name;
	unsigned in_flight; /* payloads at a time */
	/* 0 or -errno, then *error holds a line. The endpoint outlives the transport. */
	int (*open)(void **state, const struct endpoint *endpoint, const char *content_type,
		    struct transport_loop *loop, char error[256]);
	/* Hands over a payload; it stays the caller's and must live until done() is called, which may be at once. */
	void (*send)(void *state, struct slice payload, uint32_t n_spans, send_done *done, void *context);
	void (*close)(void *state); /* cancels what is under way without calling done */
};

extern const struct transport transport_http, transport_grpc, transport_udp, transport_file, transport_console;

#endif
