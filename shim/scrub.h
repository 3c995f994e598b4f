/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SCRUB_H
#define BTRACE_SCRUB_H

/*
 * Secrets out of a request-target before it is written into shared memory: the
 * values of the policy's keys in the query (after &, and after ; where another
 * parameter may begin) and in path parameters, jsessionid in any case, user and
 * password of an authority, and a fragment, which may carry tokens. One pass over
 * bytes that arrive in pieces; the exporter does the same once more with all of
 * the config's keys (exporters/span/redact.h), and a test holds the two together.
 * Pure, signal safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/abi/policy.h"
#include "shim/http/scan.h"

struct scrub {
	uint64_t hash, folded; /* of the key so far, percent-decoded; folded: in small letters */
	uint16_t authority;    /* bytes of it that were given out */
	uint8_t state, seen;   /* seen: of "://" */
	uint8_t escape[2], escaped;
	bool mark; /* REDACTED comes next */
};

struct scrub_keys {
	const uint64_t *hash; /* policy_key_hash(), may change while it is read */
	uint32_t n;
};

/* A piece of the target as it is to be recorded; before it is added, `cut` bytes of the end go. */
struct scrub_piece {
	const char *p;
	size_t n, cut;
};

/* The keys of the policy; NULL: those of the conventions, for what comes before the first policy. */
struct scrub_keys scrub_keys(const struct policy *policy);

/* A whole target that is a path and nothing else, as most are: there is nothing to be found in it. */
static inline bool scrub_is_plain(const char *p, const char *end)
{
	return p < end && *p == '/' && scan_three(p, end, ';', '?', '#') == end;
}

/* authority: the target is host:port (CONNECT) */
void scrub_begin(struct scrub *s, bool authority);

/* The next piece made of [*in, end), advancing *in; false: all of it is done. */
bool scrub_next(struct scrub *s, struct scrub_keys keys, const char **in, const char *end,
		struct scrub_piece *out);

#endif
