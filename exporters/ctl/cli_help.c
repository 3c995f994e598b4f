/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/ctl/cli.h"

#define HELP_COLUMN 26

void cli_option_name(struct buf *out, const struct cli_option *option)
{
	if (option->letter)
		buf_printf(out, "-%c, ", option->letter);
	buf_printf(out, "--%s", option->name);
	if (option->argument)
		buf_printf(out, " %s", option->argument);
}

/* One paragraph, filled to `width` columns, each line but the first behind `indent` spaces. */
static void fill(struct buf *out, const char *text, size_t n, unsigned column, unsigned indent,
		 unsigned width)
{
	const char *end = text + n;

	while (text < end) {
		size_t word = 0, space = 0;

		while (text + word < end && text[word] != ' ' && text[word] != '\n')
			word++;
		while (text + word + space < end && (text[word + space] == ' ' || text[word + space] == '\n'))
			space++;
		if (column > indent && column + 1 + word > width) {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_add_byte(out, ' ');
			column++;
		}
		buf_add(out, text, word);
		column += (unsigned)word;
		text += word + space;
	}
	buf_add_byte(out, '\n');
}

static void add_paragraphs(struct buf *out, const char *text, unsigned width)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t n = end ? (size_t)(end - text) : strlen(text);

		fill(out, text, n, 0, 0, width);
		buf_add_byte(out, '\n');
		text += n + (end ? 2 : 0);
	}
}

static void add_option(struct buf *out, const struct cli_option *option, unsigned width)
{
	size_t start = out->n;
	unsigned used;

	buf_add_text(out, option->letter ? "  " : "      ");
	cli_option_name(out, option);
	used = (unsigned)(out->n - start);
	if (used + 2 > HELP_COLUMN) {
		buf_add_byte(out, '\n');
		used = 0;
	}
	buf_printf(out, "%*s", (int)(HELP_COLUMN - used), "");
	fill(out, option->help, strlen(option->help), HELP_COLUMN, HELP_COLUMN, width);
}

/* Lines as they stand, two spaces in. */
static void add_lines(struct buf *out, const char *title, const char *text)
{
	buf_printf(out, "\n%s:\n", title);
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (*text == '\t')
			buf_printf(out, "      %.*s\n", (int)n - 1, text + 1);
		else if (n)
			buf_printf(out, "  %.*s\n", (int)n, text);
		else
			buf_add_byte(out, '\n');
		text += n + (text[n] == '\n');
	}
}

void cli_help(struct buf *out, const struct cli_command *command, const char *summary, unsigned width)
{
	buf_printf(out, "usage: btracectl %s [OPTION]... %s\n\n", command->name,
		   command->operands ? command->operands : "");
	if (command->about)
		add_paragraphs(out, command->about, width);
	else
		buf_printf(out, "%s\n\n", summary);
	buf_add_text(out, "Options:\n");
	for (size_t i = 0; i < command->n_options; i++)
		add_option(out, &command->options[i], width);
	buf_printf(out, "  -h, --help%*sshow this text\n", HELP_COLUMN - 12, "");
	if (command->more) {
		size_t n = strcspn(command->more, "\n");
		char title[64];

		snprintf(title, sizeof(title), "%.*s", (int)n, command->more);
		add_lines(out, title, command->more + n + 1);
	}
	if (command->exit_status)
		add_lines(out, "Exit status", command->exit_status);
	if (command->examples)
		add_lines(out, "Examples", command->examples);
}
