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
