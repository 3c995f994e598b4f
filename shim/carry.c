/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/carry.h"

#include <string.h>

struct carry {
	_Atomic uint32_t next_free;
	char text[HTTP1_NAME_MAX];
};

struct pool carry_pool = { .size = (sizeof(struct carry) + 15) & ~15u, .per_slab = 64 };

static struct carry *carry_at(uint32_t carry) { return pool_at(&carry_pool, carry); }

void carry_load(uint32_t carry, char text[HTTP1_NAME_MAX])
{
	if (__builtin_expect(carry != 0, 0))
		memcpy(text, carry_at(carry)->text, HTTP1_NAME_MAX);
}

bool carry_keep(uint32_t *carry, const struct http1 *parser, const char text[HTTP1_NAME_MAX])
{
	size_t n = http1_carried(parser);

	if (__builtin_expect(!n && !*carry, 1))
		return true;
	if (!n)
		carry_drop(carry);
	else if (!*carry && !(*carry = pool_take(&carry_pool)))
		return false;
	else
		memcpy(carry_at(*carry)->text, text, n);
	return true;
}

void carry_drop(uint32_t *carry)
{
	if (*carry)
		pool_give(&carry_pool, *carry);
	*carry = 0;
}
