/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "exporters/config/keys.h"

enum { WIDTH = 96 };

/* Words of a text as comment lines. */
static void add_comment(struct buf *out, int depth, const char *text)
{
	size_t room = (size_t)(WIDTH - depth * 2 - 2);

	while (*text) {
		size_t n = strlen(text);

		if (n > room)
			for (n = room; n > 0 && text[n] != ' ';)
				n--;
		n = n ? n : strlen(text);
		buf_printf(out, "%*s# %.*s\n", depth * 2, "", (int)n, text);
		text += n + (text[n] == ' ');
	}
}

/* A default is written as one would write it in YAML: a list in brackets, what needs quotes in quotes. */
static void add_value(struct buf *out, const struct option *option)
{
	bool list = option->type == OPTION_LIST || option->type == OPTION_ENUMS ||
		    option->type == OPTION_PATTERNS;
	const char *comma = "";
	char word[64];

	if (!option->def) {
		buf_add_text(out, option->example);
		return;
	}
	if (!list) {
		buf_add_text(out, option->def);
		return;
	}
	buf_add_byte(out, '[');
	for (const char *p = option->def; option_word(&p, ',', word, sizeof(word)); comma = ", ")
		buf_printf(out, "%s%s", comma, word);
	buf_add_byte(out, ']');
}

/* In the example file these are not commented out: with them it does something. */
static bool is_live(const char *path)
{
	return !strcmp(path, "exporter_type") || !strcmp(path, "sample_rate") || !strcmp(path, "file") ||
	       !strcmp(path, "file.path");
}

static void add_mapping(struct buf *out, const char *prefix, int depth)
{
	struct key key;

	for (size_t at = 0; key_next(prefix, false, &at, &key);) {
		const char *off = is_live(key.path) ? "" : "#";
		char below[100];

		if (!key.option) {
			buf_printf(out, "\n%*s%s%s:\n", depth * 2, "", off, key.name);
			snprintf(below, sizeof(below), "%s.", key.path);
			add_mapping(out, below, depth + 1);
			continue;
		}
		buf_add_text(out, "\n");
		add_comment(out, depth, key.option->help);
		buf_printf(out, "%*s%s%s: ", depth * 2, "", off, key.name);
		if (!strcmp(key.path, "exporter_type"))
			buf_add_text(out, "[file, console]");
		else
			add_value(out, key.option);
		buf_add_byte(out, '\n');
	}
}

void config_print_example(struct buf *out)
{
	buf_add_text(
		out,
		"# btrace.example.yml: all options, made by `btracectl config --example`.\n"
		"# Commented out: the default, or an example where there is none. Values may hold\n"
		"# ${VARIABLE} and ${VARIABLE:-default}. `btracectl check FILE` tells what a config does.\n"
		"\n"
		"tracing:\n");
	add_mapping(out, "", 1);
}
