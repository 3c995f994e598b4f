/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/text.h"

struct slice text_join(struct arena *arena, const struct slice *parts, size_t n)
{
	struct slice only = { "", 0 };
	size_t bytes = 0, used = 0;
	char *out;

	for (size_t i = 0; i < n; i++) {
		bytes += parts[i].n;
		if (parts[i].n)
			only = parts[i];
	}
	if (bytes == only.n)
		return only;
	out = arena_take(arena, bytes);
	if (!out)
		return (struct slice){ "", 0 };
	for (size_t i = 0; i < n; i++) {
		if (parts[i].n)
			memcpy(out + used, parts[i].p, parts[i].n);
		used += parts[i].n;
	}
	return (struct slice){ out, used };
}

__attribute__((cold, noinline)) static struct slice cut_long(struct slice s, uint32_t max_chars)
{
	uint32_t chars = 0;

	for (size_t i = 0; i < s.n; i++)
		if (((uint8_t)s.p[i] & 0xc0) != 0x80 && chars++ == max_chars)
			return (struct slice){ s.p, i };
	return s;
}

struct slice text_cut(struct slice s, uint32_t max_chars)
{
	return s.n <= max_chars ? s : cut_long(s, max_chars);
}
