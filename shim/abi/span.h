/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ABI_SPAN_H
#define BTRACE_ABI_SPAN_H

/*
 * The span record: what the library writes into one slot of the span table and
 * the exporter reads from it. Part of the contract between two programs that
 * may differ in build, so: fixed-width fields, no pointers, every offset held
 * by a _Static_assert, and a version (TABLE_ABI in table.h) for the whole.
 *
 * Ownership: while a slot is OPEN its owner alone writes the record; once it is
 * DONE nobody does. The reader copies the record out and then calls
 * span_record_valid() on the copy: the writer may be compromised, so nothing
 * here is trusted before that.
 *
 * Times: CLOCK_MONOTONIC nanoseconds of the owner; the exporter adds the
 * offset to the wall clock. 0 = did not happen.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPAN_SLOT_BYTES \
	2112u /* 33 cache lines: with a power of two all heads would share a few sets of a cache */
#define SPAN_HEAD_BYTES 208u
#define SPAN_TAIL_BYTES (SPAN_SLOT_BYTES - SPAN_HEAD_BYTES)

/* OpenTelemetry numbering of the wire (SpanKind of trace.proto) */
enum span_kind {
	SPAN_KIND_INTERNAL = 1,
	SPAN_KIND_SERVER = 2,
	SPAN_KIND_CLIENT = 3,
};

/* How the exchange ended; becomes error.type where it is not SPAN_END_COMPLETE. */
enum span_end {
	SPAN_END_OPEN = 0,           /* not ended: owner died, or still running */
	SPAN_END_COMPLETE,           /* the whole response was handed to the kernel */
	SPAN_END_NO_RESPONSE,        /* the server closed without (the rest of) an answer */
	SPAN_END_CLIENT_CLOSED,      /* the peer closed before the response was complete */
	SPAN_END_RESET,              /* ECONNRESET, EPIPE */
	SPAN_END_TIMEOUT,            /* ETIMEDOUT */
	SPAN_END_MALFORMED,          /* answer without a status line, or not to be parsed */
	SPAN_END_PROCESS_DIED,       /* set by the exporter */
	SPAN_END_SWITCHED,           /* 101 or CONNECT: complete, the rest is not HTTP */
	SPAN_END_REQUEST_INCOMPLETE, /* peer closed before the request was complete */
	SPAN_END_CONNECT_FAILED,     /* client spans: no connection, by none of the above */
	SPAN_END_REFUSED,            /* client spans: ECONNREFUSED */
	SPAN_END_MAX
};

enum span_flag {
	SPAN_FLAG_SAMPLED = 1u << 0,          /* the decision of the sampler or the parent */
	SPAN_FLAG_UNDECIDED = 1u << 1,        /* policy was not there yet: the exporter decides */
	SPAN_FLAG_REMOTE_PARENT = 1u << 2,    /* parent_span_id came in by a header */
	SPAN_FLAG_TRUNCATED = 1u << 3,        /* a string did not fit and was cut or left out */
	SPAN_FLAG_HEAD_LIMIT = 1u << 4,       /* head passed the 64 KiB limit, span is of what was seen */
	SPAN_FLAG_TAIL_CANDIDATE = 1u << 5,   /* lost the draw; kept only if a keep rule wants it */
	SPAN_FLAG_RESYNC = 1u << 6,           /* framing contradiction ended this exchange */
	SPAN_FLAG_DEBUG = 1u << 7,            /* b3 or uber-trace-id debug */
	SPAN_FLAG_REQUEST_BODY_CUT = 1u << 8, /* request was not complete when the span ended */
	SPAN_FLAG_AMBIGUOUS_PARENT = 1u << 9,
	SPAN_FLAG_HANDED_OVER =
		1u << 10, /* set by the exporter: the owner died while it handed over the last bytes */
	SPAN_FLAG_STATUS_OK = 1u << 11, /* own spans: what the program said of them; neither: unset */
	SPAN_FLAG_STATUS_ERROR = 1u << 12,
	SPAN_FLAG_EARLY_REQUEST =
		1u << 13, /* own spans, UNDECIDED: so was the request that they are part of */
};

/* Request method, by RFC 9110 section 9 and RFC 5789; the text of any other is in TAG_METHOD. */
enum span_method {
	SPAN_METHOD_OTHER = 0,
	SPAN_METHOD_GET,
	SPAN_METHOD_HEAD,
	SPAN_METHOD_POST,
	SPAN_METHOD_PUT,
	SPAN_METHOD_DELETE,
	SPAN_METHOD_CONNECT,
	SPAN_METHOD_OPTIONS,
	SPAN_METHOD_TRACE,
	SPAN_METHOD_PATCH,
	SPAN_METHOD_QUERY,
	SPAN_METHOD_MAX
};

/* family as in the sockets API of Linux; AF_UNIX carries no address here */
struct span_address {
	uint16_t family;  /* 0 unknown, AF_UNIX 1, AF_INET 2, AF_INET6 10 */
	uint16_t port;    /* host byte order */
	uint32_t scope;   /* IPv6 scope id */
	uint8_t addr[16]; /* network byte order; IPv4 in the first four */
};

/*
 * Strings behind the head: {uint16_t tag, uint16_t length, bytes}, unaligned,
 * one behind the other, tail_bytes in all. A tag may come more than once where
 * a header did. Header values are as they came, without outer white space.
 */
enum span_tag {
	TAG_NONE = 0,
	TAG_METHOD, /* only for SPAN_METHOD_OTHER */
	TAG_TARGET, /* request-target as received */
	TAG_HOST,
	TAG_USER_AGENT,
	TAG_FORWARDED,
	TAG_X_FORWARDED_FOR,
	TAG_X_FORWARDED_HOST,
	TAG_X_FORWARDED_PROTO,
	TAG_TRACEPARENT,
	TAG_TRACESTATE,
	TAG_BAGGAGE,
	TAG_B3,
	TAG_X_B3_TRACE_ID,
	TAG_X_B3_SPAN_ID,
	TAG_X_B3_SAMPLED,
	TAG_X_B3_FLAGS,
	TAG_UBER_TRACE_ID,
	TAG_REQUEST_HEADER,  /* captured: name in lower case, NUL, value */
	TAG_RESPONSE_HEADER, /* captured: likewise */
	TAG_NAME,            /* own spans: the name */
	TAG_ATTRIBUTE,       /* own spans: type byte (enum span_attribute), key, NUL, value */
	TAG_EVENT,           /* own spans: u64 time, name */
	TAG_STATUS_MESSAGE,
	TAG_UNIX_PATH, /* path of the UNIX socket */
	TAG_LINK,      /* 16 bytes trace id, 8 bytes span id, 1 byte flags */
	TAG_IGNORED,   /* was something else, not to be used: a tracestate without a valid traceparent */
	TAG_EVENT_ATTRIBUTE, /* as TAG_ATTRIBUTE, of the last event before it */
	TAG_MAX
};

/* Values of TAG_ATTRIBUTE; numbers in the byte order of the host. */
enum span_attribute {
	SPAN_ATTRIBUTE_STRING = 1,
	SPAN_ATTRIBUTE_BOOL,   /* 1 byte */
	SPAN_ATTRIBUTE_INT,    /* 8 bytes, int64_t */
	SPAN_ATTRIBUTE_DOUBLE, /* 8 bytes */
};

struct span_record {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_span_id[8];  /* all zero: root */
	uint64_t start_ns;          /* return of the read with the request's first byte */
	uint64_t request_end_ns;    /* request complete; 0 without full timing detail */
	uint64_t response_start_ns; /* first response byte handed over */
	uint64_t end_ns;
	uint64_t request_body_bytes;
	uint64_t response_body_bytes;
	uint32_t request_head_bytes;
	uint32_t response_head_bytes;
	uint32_t flags;          /* enum span_flag */
	uint32_t policy_version; /* policy that decided; 0 = none */
	uint16_t process;        /* index into the process registry */
	uint16_t status;         /* 0 = none was seen */
	uint16_t tail_bytes;
	uint8_t kind;        /* enum span_kind */
	uint8_t method;      /* enum span_method */
	uint8_t end;         /* enum span_end */
	uint8_t version;     /* HTTP major << 4 | minor; 0 unknown */
	uint8_t trace_flags; /* W3C flags of the parent, bits 0-1 */
	uint8_t proto;       /* bit 0: TLS */
	struct span_address peer;
	struct span_address local;
	uint64_t connection;         /* number of the connection within the process */
	uint64_t wait_ns;            /* accept to first byte, 0 for later requests */
	uint32_t request_number;     /* 0 for the first on its connection */
	struct span_address proxied; /* source told by the PROXY protocol; family 0: none came */
	union {
		uint16_t dropped_attributes; /* own spans: what found no room here, their events' included */
		uint16_t resend_count;       /* client spans: of this request; 0: it is the first */
	};
	uint16_t dropped_events;
};

struct span_slot {
	struct span_record head;
	uint8_t tail[SPAN_TAIL_BYTES];
};

_Static_assert(sizeof(struct span_address) == 24, "span_address is part of the ABI");
_Static_assert(offsetof(struct span_record, start_ns) == 32, "ABI");
_Static_assert(offsetof(struct span_record, request_head_bytes) == 80, "ABI");
_Static_assert(offsetof(struct span_record, process) == 96, "ABI");
_Static_assert(offsetof(struct span_record, peer) == 108, "ABI");
_Static_assert(offsetof(struct span_record, connection) == 160, "ABI");
_Static_assert(offsetof(struct span_record, proxied) == 180, "ABI");
_Static_assert(offsetof(struct span_record, dropped_attributes) == 204, "ABI");
_Static_assert(sizeof(struct span_record) == SPAN_HEAD_BYTES, "ABI");
_Static_assert(sizeof(struct span_slot) == SPAN_SLOT_BYTES, "ABI");

/*
 * Is a record copied out of the table fit to be read? True: ids are not zero,
 * enums, status (0..999), address families and the process index are in range,
 * and the strings fill tail_bytes exactly, each with a known tag. What it does
 * NOT promise: that times are in order or plausible, that a string is text, or
 * has the inner form of its tag (NUL, length). Pure, signal safe.
 */
bool span_record_valid(const struct span_slot *copy);

/*
 * Walk the strings of a copy. *pos starts at 0. True and the next string, false
 * at the end, or, in a copy that is not valid, at the first string that is not.
 * Borrowed: *value points into the copy. Never reads outside of it. Pure.
 */
bool span_next_string(const struct span_slot *copy, size_t *pos, enum span_tag *tag, const uint8_t **value,
		      size_t *n);

#endif
