/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/config/node.h"

enum { INDEX_MAX = 1000, STEPS_MAX = 32, STEP_BYTES = 256 };

/*
 * One `key=value` word. The variable is BentoML's: what is wrong with words that
 * have nothing to do with tracing is none of our business.
 */
struct word {
	const char *key, *value, *end; /* value: behind the '=', NULL if there is none */
};

static bool is_space(char c) { return isspace((unsigned char)c); }

/* Quotes protect spaces (and '=' in keys); they stay in the word. */
static const char *next_word(const char *p, struct word *word)
{
	char quote = 0;

	while (is_space(*p))
		p++;
	*word = (struct word){ .key = p };
	for (; *p && (quote || !is_space(*p)); p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '=' && !word->value)
			word->value = p + 1;
	}
	word->end = p;
	return p;
}

/* The entry `step` of a mapping or `index` of a list; made if missing. */
static struct node **slot_of(struct arena *arena, struct node *parent, const char *step, size_t index,
			     struct config_mark mark)
{
	struct node_entry *entry = parent->first;
	struct node *key = NULL;

	if (parent->type == NODE_LIST) {
		while (parent->n <= index)
			if (!node_append(arena, parent, NULL, NULL))
				return NULL;
		for (entry = parent->first; index; index--)
			entry = entry->next;
		return &entry->value;
	}
	for (; entry; entry = entry->next)
		if (!strcmp(entry->key->text, step))
			return &entry->value;
	key = node_scalar(arena, slice_of(step), true, mark);
	if (!key || !node_append(arena, parent, key, NULL))
		return NULL;
	return &parent->last->value;
}

struct step {
	char name[STEP_BYTES];
	size_t index;
	bool is_index;
};

/* Reads the next step of a key: a name, a "quoted name" or [index]. 0 or -EINVAL. */
static int read_step(const char **at, const char *end, struct step *step)
{
	const char *p = *at;
	size_t n = 0;

	*step = (struct step){ .is_index = *p == '[' };
	if (step->is_index) {
		for (p++; p < end && isdigit((unsigned char)*p) && step->index <= INDEX_MAX; p++, n++)
			step->index = step->index * 10 + (size_t)(*p - '0');
		if (!n || p >= end || *p != ']' || step->index > INDEX_MAX)
			return -EINVAL;
		p++;
	} else if (*p == '"' || *p == '\'') {
		char quote = *p++;

		for (; p < end && *p != quote && n < STEP_BYTES - 1; p++)
			step->name[n++] = *p;
		if (p >= end || *p++ != quote)
			return -EINVAL;
	} else {
		for (; p < end && *p != '.' && *p != '[' && n < STEP_BYTES - 1; p++)
			step->name[n++] = *p;
	}
	if (!n || (p < end && *p != '.' && *p != '['))
		return -EINVAL;
	if (p < end && *p == '.' && ++p == end)
		return -EINVAL;
	*at = p;
	return 0;
}

/* Where the value of a key goes. 0, -EINVAL (bad key, or a list and a mapping at one place), -ENOMEM. */
static int find_place(struct arena *arena, struct node *root, const struct word *word,
		      struct config_mark mark, struct node ***place)
{
	const char *p = word->key, *end = word->value - 1;
	struct node *parent = root;
	struct step step;

	for (int steps = 0; steps < STEPS_MAX; steps++) {
		if (p >= end || read_step(&p, end, &step) || step.is_index != (parent->type == NODE_LIST))
			return -EINVAL;
		*place = slot_of(arena, parent, step.name, step.index, mark);
		if (!*place)
			return -ENOMEM;
		if (p == end)
			return 0;
		if (!**place)
			**place = node_new(arena, *p == '[' ? NODE_LIST : NODE_MAP, mark);
		if (!**place)
			return -ENOMEM;
		parent = **place;
		if (parent->type != NODE_LIST && parent->type != NODE_MAP)
			return -EINVAL;
	}
	return -EINVAL;
}

static int read_word(struct arena *arena, struct node *root, const struct word *word, struct config_mark mark,
		     struct config_report *report)
{
	char shown[REPORT_QUOTE_MAX], text[REPORT_QUOTE_MAX];
	struct config_mark value_mark = mark;
	struct node **place, *value;
	int rc;

	snprintf(text, sizeof(text), "%.*s", (int)(word->end - word->key), word->key);
	if (!word->value) {
		report_error(report, mark, "%s is not of the form key=value", report_quote(shown, text));
		return -EINVAL;
	}
	rc = utf8_valid((struct slice){ word->key, (size_t)(word->value - word->key) })
		     ? find_place(arena, root, word, mark, &place)
		     : -EINVAL;
	if (rc == -EINVAL)
		report_error(report, mark, "the key in %s cannot be read", report_quote(shown, text));
	if (rc)
		return rc;
	value_mark.column += (uint32_t)(word->value - word->key);
	rc = yaml_read(arena, (struct slice){ word->value, (size_t)(word->end - word->value) }, value_mark,
		       &value, report);
	if (!rc && !value)
		value = node_new(arena, NODE_NULL, value_mark);
	if (!rc)
		*place = value;
	return rc ? rc : value ? 0 : -ENOMEM;
}

int dotted_read(struct arena *arena, const char *source, const char *text, struct node **root,
		struct config_report *report)
{
	struct config_mark mark = { source, 1, 1 };
	const char *p = text;
	struct word word;
	int failed = 0, rc;

	*root = node_new(arena, NODE_MAP, mark);
	if (!*root)
		return -ENOMEM;
	for (p = next_word(p, &word); word.key != word.end; p = next_word(p, &word)) {
		if (!memmem(word.key, (size_t)(word.end - word.key), "tracing", strlen("tracing")))
			continue;
		mark.column = (uint32_t)(word.key - text) + 1;
		rc = read_word(arena, *root, &word, mark, report);
		if (rc == -ENOMEM)
			return rc;
		failed = rc ? rc : failed;
	}
	return failed;
}
