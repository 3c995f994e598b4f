/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/capture.h"

#include <stdatomic.h>
#include <string.h>

struct copy {
	_Atomic uint32_t version; /* complete for this one; 0: none */
	_Atomic uint32_t claimed; /* being made for this one */
	uint16_t count[2];
	uint32_t secret;
	const char *name[POLICY_CAPTURED_MAX];
	char text[POLICY_CAPTURED_BYTES + 1];
};

static struct copy copies[POLICY_BUFFERS];

static void make(struct copy *c, const struct policy *policy)
{
	uint32_t n = 0, at = 0;
	uint32_t request = policy->captured_request, response = policy->captured_response;

	memcpy(c->text, policy->captured, POLICY_CAPTURED_BYTES);
	c->text[POLICY_CAPTURED_BYTES] = 0;
	c->secret = policy->captured_secret;
	while (n < POLICY_CAPTURED_MAX && at < POLICY_CAPTURED_BYTES && c->text[at]) {
		size_t length = strlen(c->text + at);

		c->name[n++] = c->text + at;
		at += (uint32_t)length + 1;
	}
	c->count[CAPTURE_REQUEST] = (uint16_t)(request < n ? request : n);
	n -= c->count[CAPTURE_REQUEST];
	c->count[CAPTURE_RESPONSE] = (uint16_t)(response < n ? response : n);
}

struct capture capture_names(const struct policy *policy, enum capture_side side)
{
	struct capture none = { { 0, NULL }, 0 };
	uint32_t before;
	uint32_t version, old;
	struct copy *c;

	if (!policy || !(policy->captured_request | policy->captured_response))
		return none;
	version = policy->version;
	c = &copies[version % POLICY_BUFFERS];
	if (__builtin_expect(atomic_load_explicit(&c->version, memory_order_acquire) != version, 0)) {
		old = atomic_load_explicit(&c->claimed, memory_order_relaxed);
		if (old == version ||
		    !atomic_compare_exchange_strong_explicit(&c->claimed, &old, version, memory_order_acq_rel,
							     memory_order_relaxed))
			return none;
		make(c, policy);
		atomic_store_explicit(&c->version, version, memory_order_release);
	}
	before = side == CAPTURE_RESPONSE ? c->count[CAPTURE_REQUEST] : 0;
	return (struct capture){ { c->count[side], c->name + before },
				 before < POLICY_CAPTURED_MAX ? c->secret >> before : 0 };
}
