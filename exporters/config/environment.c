/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/config/loader.h"
#include "shim/abi/wanted.h"

const char *environment_get(const char *const *environment, const char *name)
{
	return wanted_get(environment, name);
}

/* The length of a name of a variable. */
static size_t name_length(const char *p)
{
	size_t n = 0;

	if (isdigit((unsigned char)*p))
		return 0;
	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* Adds the value of what stands behind "${"; returns what is behind its "}", NULL if it is no variable. */
static const char *expand_one(struct loader *l, const char *p, struct buf *out, const char **unset)
{
	size_t n = name_length(p);
	const char *end = n ? strchr(p + n, '}') : NULL;
	const char *value, *name;

	if (!end || (end != p + n && strncmp(p + n, ":-", 2) != 0))
		return NULL;
	name = arena_printf(l->arena, "%.*s", (int)n, p).p;
	value = environment_get(l->source->environment, name);
	if (value)
		buf_add_text(out, value);
	else if (end != p + n)
		buf_add(out, p + n + 2, (size_t)(end - (p + n + 2)));
	else
		*unset = name;
	return end + 1;
}

const char *environment_expand(struct loader *l, const char *text, const char **unset)
{
	const char *from = text, *p, *next;
	struct slice result = { NULL, 0 };
	struct buf out;

	*unset = NULL;
	if (!strstr(text, "${"))
		return text;
	buf_init(&out);
	while ((p = strstr(from, "${"))) {
		buf_add(&out, from, (size_t)(p - from));
		next = expand_one(l, p + 2, &out, unset);
		if (!next)
			buf_add(&out, p, 2);
		from = next ? next : p + 2;
	}
	buf_add_text(&out, from);
	buf_add_byte(&out, '\0');
	if (!out.failed)
		result = arena_copy(l->arena, (struct slice){ out.p, out.n });
	buf_release(&out);
	return result.n ? result.p : NULL;
}

bool environment_apply(struct loader *l, enum config_option_id id)
{
	const char *words = config_options[id].environment;
	char word[96];

	while (option_word(&words, ' ', word, sizeof(word))) {
		struct value_rules rules = { .environment = true };
		char *unit = strchr(word, ':');
		const char *value;
		struct node *node;

		if (strchr(word, '!'))
			continue;
		if (unit) {
			*unit = '\0';
			rules.unit = unit + 1;
		}
		value = environment_get(l->source->environment, word);
		if (!value)
			continue;
		if (!utf8_valid(slice_of(value))) {
			report_warning(l->report, (struct config_mark){ word, 0, 0 }, "not UTF-8; ignored");
			continue;
		}
		node = node_scalar(l->arena, slice_of(value), true,
				   (struct config_mark){ arena_printf(l->arena, "%s", word).p, 0, 0 });
		if (!node || !value_apply(l, id, node, &rules))
			return false;
		l->from_environment[id] = true;
		return true;
	}
	return false;
}
