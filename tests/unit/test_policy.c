/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "shim/abi/policy.h"

/* Values of Python's sampler (round is half to even there). */
Test(policy, bound_is_that_of_pythons_sampler)
{
	static const struct {
		double rate;
		uint64_t bound;
	} table[] = {
		{ 0.0, 0 },
		{ 0.001, 0x4189374bc6a7f0 },
		{ 0.1, 0x1999999999999a00 },
		{ 0.5, 0x8000000000000000 },
		{ 0.7, 0xb333333333333000 },
		{ 0.8, 0xccccccccccccd000 },
		{ 0.999999, 0xffffef39085f4800 },
		{ 5e-20, 1 },
		{ 0x1p-64, 1 },                               /* exactly 1 */
		{ 0x1p-65, 0 },                               /* 0.5: to even, down */
		{ 0x3p-65, 2 },                               /* 1.5: to even, up */
		{ 0x5p-65, 2 },                               /* 2.5: to even, down */
		{ 0x1.000001p-65, 1 },                        /* just above 0.5 */
		{ 0x1p-1074, 0 },                             /* the smallest double */
		{ 0x1.fffffffffffffp-1, 0xfffffffffffff800 }, /* the largest below 1 */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		cr_expect_eq(policy_bound(table[i].rate), table[i].bound, "rate %g: %llx", table[i].rate,
			     (unsigned long long)policy_bound(table[i].rate));
}

Test(policy, bound_agrees_with_libm_everywhere)
{
	uint64_t seed = 88172645463325252u;

	for (int i = 0; i < 200000; i++) {
		double rate;

		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		rate = ldexp((double)(seed >> 11), -53 - (int)(seed & 31) * 2);
		cr_assert_eq(policy_bound(rate), (uint64_t)rint(ldexp(rate, 64)), "rate %a", rate);
	}
}

Test(policy, bound_of_what_is_no_rate)
{
	cr_expect_eq(policy_bound(NAN), 0);
	cr_expect_eq(policy_bound(-0.5), 0);
	cr_expect_eq(policy_bound(-INFINITY), 0);
	cr_expect_eq(policy_bound(1.0), UINT64_MAX);
	cr_expect_eq(policy_bound(INFINITY), UINT64_MAX);
}

static void read_id(uint8_t id[16], const char *hex)
{
	for (int i = 0; i < 16; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		id[i] = (uint8_t)strtol(two, NULL, 16);
	}
}

/* The Python column of wire.md section 6. */
Test(policy, draw_agrees_with_pythons_sampler)
{
	static const struct {
		const char *id;
		double rate;
		enum policy_verdict verdict;
	} table[] = {
		{ "4bf92f3577b34da6a3ce929d0e0e4736", 0.25, POLICY_DROP },
		{ "4bf92f3577b34da6a3ce929d0e0e4736", 0.5, POLICY_DROP },
		{ "4bf92f3577b34da6a3ce929d0e0e4736", 0.7, POLICY_SAMPLE },
		{ "ffeeddccbbaa99887766554433221100", 0.1, POLICY_DROP },
		{ "ffeeddccbbaa99887766554433221100", 0.5, POLICY_SAMPLE },
		{ "00000000000000000000000000000001", 0.1, POLICY_SAMPLE },
		{ "7fffffffffffffffffffffffffffffff", 0.1, POLICY_DROP },
		{ "ffffffffffffffffffffffffffffffff", 0.1, POLICY_DROP },
		{ "e5c6d2a4b8f01357019283746556a7b8", 0.1, POLICY_SAMPLE },
		{ "e5c6d2a4b8f01357019283746556a7b8", 0.25, POLICY_SAMPLE },
		{ "e5c6d2a4b8f01357019283746556a7b8", 0.5, POLICY_SAMPLE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct policy policy = { .root = POLICY_ROOT_RATIO,
					 .sample_bound = policy_bound(table[i].rate) };
		uint8_t id[16];

		read_id(id, table[i].id);
		cr_expect_eq(policy_sample(&policy, id, POLICY_NO_PARENT), table[i].verdict, "%s at %g",
			     table[i].id, table[i].rate);
	}
}

Test(policy, draw_is_strictly_below_the_bound)
{
	struct policy policy = { .root = POLICY_ROOT_RATIO, .sample_bound = 0x8000000000000000 };
	uint8_t id[16];

	read_id(id, "00000000000000007fffffffffffffff");
	cr_expect_eq(policy_sample(&policy, id, POLICY_NO_PARENT), POLICY_SAMPLE);
	read_id(id, "00000000000000008000000000000000");
	cr_expect_eq(policy_sample(&policy, id, POLICY_NO_PARENT), POLICY_DROP);
}

Test(policy, parent_decides_before_the_draw)
{
	static const enum policy_root roots[] = { POLICY_ROOT_RATIO, POLICY_ROOT_ALWAYS, POLICY_ROOT_NEVER };
	static const uint64_t bounds[] = { 0, UINT64_MAX };
	uint8_t id[16];

	read_id(id, "00000000000000007fffffffffffffff");
	for (int r = 0; r < 3; r++) {
		for (int b = 0; b < 2; b++) {
			struct policy policy = { .root = roots[r], .sample_bound = bounds[b] };

			cr_expect_eq(policy_sample(&policy, id, POLICY_PARENT_SAMPLED), POLICY_SAMPLE);
			cr_expect_eq(policy_sample(&policy, id, POLICY_PARENT_NOT_SAMPLED), POLICY_DROP);
		}
	}
}

Test(policy, root_rule_decides_alone_where_parents_are_ignored)
{
	static const enum policy_parent_state states[] = { POLICY_NO_PARENT, POLICY_PARENT_SAMPLED,
							   POLICY_PARENT_NOT_SAMPLED };
	uint8_t id[16];

	read_id(id, "00000000000000007fffffffffffffff");
	for (int i = 0; i < 3; i++) {
		struct policy p = { .parent = POLICY_PARENT_IGNORE, .root = POLICY_ROOT_ALWAYS };

		cr_expect_eq(policy_sample(&p, id, states[i]), POLICY_SAMPLE);
		p.root = POLICY_ROOT_NEVER;
		cr_expect_eq(policy_sample(&p, id, states[i]), POLICY_DROP);
		p.root = POLICY_ROOT_RATIO;
		p.sample_bound = policy_bound(0.5);
		cr_expect_eq(policy_sample(&p, id, states[i]), POLICY_SAMPLE);
		p.sample_bound = policy_bound(0.25);
		cr_expect_eq(policy_sample(&p, id, states[i]), POLICY_DROP);
	}
}

/* The table is shared memory: an unknown rule is not a way to be sampled. */
Test(policy, unknown_root_rule_drops)
{
	struct policy policy = { .root = 77, .sample_bound = UINT64_MAX };
	uint8_t id[16] = { 0 };

	cr_expect_eq(policy_sample(&policy, id, POLICY_NO_PARENT), POLICY_DROP);
}
