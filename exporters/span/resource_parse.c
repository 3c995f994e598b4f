/* SPDX-License-Identifier: Apache-2.0 */
/* OTEL_RESOURCE_ATTRIBUTES ("Resource SDK" of the OpenTelemetry specification). */
#include <errno.h>

#include "exporters/base/utf8.h"
#include "exporters/span/attribute_set.h"
#include "exporters/span/resource.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct slice trim(struct slice s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* False: an escape that is none. */
static bool decode(struct arena *arena, struct slice s, struct slice *out)
{
	char *p = arena_take(arena, s.n ? s.n : 1);
	size_t n = 0;

	for (size_t i = 0; p && i < s.n; i++) {
		if (s.p[i] != '%') {
			p[n++] = s.p[i];
			continue;
		}
		if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
			return false;
		p[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
		i += 2;
	}
	*out = utf8_repair(arena, (struct slice){ p ? p : "", n });
	return true;
}

static bool parse_pair(struct attribute_set *set, struct slice pair)
{
	const char *equals = memchr(pair.p, '=', pair.n);
	struct slice key, text;

	if (!equals)
		return false;
	key = trim((struct slice){ pair.p, (size_t)(equals - pair.p) });
	text = trim((struct slice){ equals + 1, pair.n - (size_t)(equals + 1 - pair.p) });
	if (!decode(set->arena, key, &key) || !decode(set->arena, text, &text) || !key.n)
		return false;
	attribute_set_put(set, key, (struct value){ .type = VALUE_STRING, .string = text });
	return true;
}

int resource_parse(struct arena *arena, struct slice text, struct attributes *out)
{
	struct attribute_set set;

	attribute_set_begin(&set, arena, ATTRIBUTES_NO_LIMIT, ATTRIBUTES_NO_LIMIT);
	*out = (struct attributes){ NULL, 0 };
	while (text.n) {
		const char *comma = memchr(text.p, ',', text.n);
		struct slice pair = { text.p, comma ? (size_t)(comma - text.p) : text.n };

		text.p += pair.n + (comma != NULL);
		text.n -= pair.n + (comma != NULL);
		pair = trim(pair);
		if (pair.n &&
		    !parse_pair(&set, pair)) /* an empty piece, as after a last comma, is no error */
			return -EINVAL;
	}
	*out = attribute_set_end(&set);
	return arena->failed ? -ENOMEM : 0;
}
