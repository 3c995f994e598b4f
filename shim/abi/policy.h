/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ABI_POLICY_H
#define BTRACE_ABI_POLICY_H

/*
 * The policy: what the exporter made of the config, in the form in which the
 * library needs it on the request path. It lies in the span table, written by
 * the exporter, read by hosts. Versioned: version v lies in buffer v %
 * POLICY_BUFFERS and is published by storing v into the table header last.
 * A reader that stood still while POLICY_BUFFERS versions went by may read
 * mixed bytes: every offset is range-checked at use, so the worst is a wrong
 * verdict for one request.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_BUFFERS        4u
#define POLICY_BYTES          (1u << 20)
#define POLICY_HEAD_BYTES     4096u
#define POLICY_CAPTURED_MAX   32u
#define POLICY_CAPTURED_BYTES 1536u
#define POLICY_INJECT_HOSTS   1024u
#define POLICY_REDACTED_MAX   64u

enum policy_mode { POLICY_PENDING = 0, POLICY_OFF, POLICY_ON };

/* What a request without a (decided) parent gets. */
enum policy_root { POLICY_ROOT_RATIO = 0, POLICY_ROOT_ALWAYS, POLICY_ROOT_NEVER };

/* What a parent's decision means. */
enum policy_parent {
	POLICY_PARENT_FOLLOW = 0, /* parentbased_*: the flag wins */
	POLICY_PARENT_IGNORE,     /* traceidratio, always_on, always_off: root rule for all */
};

enum policy_propagator {
	POLICY_PROPAGATOR_NONE = 0,
	POLICY_PROPAGATOR_TRACECONTEXT,
	POLICY_PROPAGATOR_BAGGAGE,
	POLICY_PROPAGATOR_B3,
	POLICY_PROPAGATOR_B3MULTI,
	POLICY_PROPAGATOR_JAEGER,
};

enum policy_flag {
	POLICY_FLAG_FULL_TIMING = 1u << 0,
	POLICY_FLAG_KEEP_TAIL = 1u << 1, /* sampled-out requests stay in their slot for the keep rules */
	POLICY_FLAG_CLIENT_SPANS = 1u << 2,
	POLICY_FLAG_INJECT = 1u << 3,
	POLICY_FLAG_CLIENT_ONLY = 1u << 4,
	POLICY_FLAG_RANDOM_BIT = 1u << 5,    /* set the W3C random flag on traces begun here */
	POLICY_FLAG_URL_FROM_HOST = 1u << 6, /* excluded_urls sees the Host header; else the local address */
};

struct policy {
	uint32_t version;
	uint32_t mode;              /* enum policy_mode */
	uint64_t sample_bound;      /* keep when low64(trace_id) < bound */
	uint32_t root;              /* enum policy_root */
	uint32_t parent;            /* enum policy_parent */
	uint32_t flags;             /* enum policy_flag */
	uint32_t wanted_fields;     /* mask over enum http1_field for the request direction */
	uint8_t propagators[8];     /* in order, POLICY_PROPAGATOR_NONE ends */
	uint32_t rate_limit;        /* new traces per second and process table, 0 = no limit */
	uint32_t automaton_bytes;   /* 0: nothing is excluded */
	uint16_t captured_request;  /* names to capture, NUL-terminated, lower case, sorted, in captured[] */
	uint16_t captured_response; /* behind them */
	char captured[POLICY_CAPTURED_BYTES];
	uint64_t keep_slower_ns;     /* 0 = no such rule */
	uint32_t inject_hosts_bytes; /* of inject_hosts; more than it has: nothing is injected */
	uint32_t captured_secret;    /* mask over the names of captured[]: REDACTED in place of the value */
	uint32_t n_redacted;
	char inject_hosts[POLICY_INJECT_HOSTS]; /* "+pattern" may, "-pattern" must not; NUL-terminated each */
	uint32_t reserved[64];
	uint64_t redacted[POLICY_REDACTED_MAX]; /* keys of queries whose value is a secret: policy_key_hash()
						 */
	/* at POLICY_HEAD_BYTES: the exclusion automaton (automaton.h) */
};

_Static_assert(sizeof(struct policy) <= POLICY_HEAD_BYTES, "policy head");
_Static_assert(offsetof(struct policy, captured) == 52, "ABI");

/*
 * Keys are compared by hash (FNV-1a, 64 bits): a key in shared memory could lose
 * its end while it is read, and two keys with the same hash hide too much at worst.
 */
static inline uint64_t policy_key_add(uint64_t hash, uint8_t c)
{
	return (hash ^ c) * UINT64_C(0x100000001b3);
}

static inline uint64_t policy_key_hash(const char *key, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		hash = policy_key_add(hash, (uint8_t)key[i]);
	return hash;
}

enum policy_verdict { POLICY_DROP = 0, POLICY_SAMPLE = 1 };

/* What is known of the parent when the draw is made. */
enum policy_parent_state { POLICY_NO_PARENT, POLICY_PARENT_SAMPLED, POLICY_PARENT_NOT_SAMPLED };

/*
 * The sampling decision (BentoML's ParentBasedTraceIdRatio, OpenTelemetry's
 * ParentBased and TraceIdRatioBased). Pure, both processes call it.
 */
enum policy_verdict policy_sample(const struct policy *p, const uint8_t trace_id[16],
				  enum policy_parent_state parent);

/* round(rate * 2^64), half to even, as Python's sampler; rate in [0,1]. 1.0 is POLICY_ROOT_ALWAYS, not a
 * bound. */
uint64_t policy_bound(double rate);

#endif
