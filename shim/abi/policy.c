/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/policy.h"

/* Bytes 8..15, most significant first: what every sampler of this kind looks at. */
static uint64_t low64(const uint8_t trace_id[16])
{
	uint64_t low = 0;

	for (int i = 8; i < 16; i++)
		low = low << 8 | trace_id[i];
	return low;
}

enum policy_verdict policy_sample(const struct policy *p, const uint8_t trace_id[16],
				  enum policy_parent_state parent)
{
	if (parent != POLICY_NO_PARENT && p->parent == POLICY_PARENT_FOLLOW)
		return parent == POLICY_PARENT_SAMPLED ? POLICY_SAMPLE : POLICY_DROP;
	switch (p->root) {
	case POLICY_ROOT_RATIO: return low64(trace_id) < p->sample_bound ? POLICY_SAMPLE : POLICY_DROP;
	case POLICY_ROOT_ALWAYS: return POLICY_SAMPLE;
	default: return POLICY_DROP;
	}
}

/* By hand rather than rint(ldexp(rate, 64)): the library links no libm. */
uint64_t policy_bound(double rate)
{
	double scaled, rest;
	uint64_t bound;

	if (!(rate > 0)) /* NaN too */
		return 0;
	if (rate >= 1)
		return UINT64_MAX;
	scaled = rate * 18446744073709551616.0; /* a power of two: exact */
	bound = (uint64_t)scaled;
	rest = scaled - (double)bound; /* not zero only below 2^53, where this is exact as well */
	if (rest > 0.5 || (rest == 0.5 && (bound & 1)))
		bound++;
	return bound;
}
