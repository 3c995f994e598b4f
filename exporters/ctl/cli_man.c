/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/base/version.h"
#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"

/* Text as roff takes it: '-' is a hyphen there and '\' begins an escape. */
static void add_plain(struct buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '-' || text[i] == '\\')
			buf_add_text(out, text[i] == '-' ? "\\-" : "\\e");
		else
			buf_add_byte(out, (uint8_t)text[i]);
	}
}

/* A line of text, which must not begin as a request does. */
static void add_line(struct buf *out, const char *text, size_t n)
{
	if (n && (text[0] == '.' || text[0] == '\''))
		buf_add_text(out, "\\&");
	add_plain(out, text, n);
	buf_add_byte(out, '\n');
}

static void add_head(struct buf *out, const char *name, const char *summary)
{
	buf_add_text(out, ".\\\" Made by `btracectl help --man` from the tables of the commands.\n.TH ");
	for (const char *p = name; *p; p++)
		buf_add_byte(out, (uint8_t)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
	buf_printf(out, " 1 \"\" \"btrace %s\" \"btrace\"\n.SH NAME\n", BTRACE_VERSION);
	add_plain(out, name, strlen(name));
	buf_add_text(out, " \\- ");
	add_plain(out, summary, strlen(summary));
	buf_add_byte(out, '\n');
}

/* Paragraphs separated by empty lines. */
static void add_paragraphs(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t n = end ? (size_t)(end - text) : strlen(text);

		buf_add_text(out, ".PP\n");
		add_line(out, text, n);
		text += n + (end ? 2 : 0);
	}
}

static void add_option(struct buf *out, const char *name, char letter, const char *argument, const char *help)
{
	buf_add_text(out, ".TP\n");
	if (letter)
		buf_printf(out, "\\fB\\-%c\\fR, ", letter);
	buf_add_text(out, "\\fB\\-\\-");
	add_plain(out, name, strlen(name));
	buf_add_text(out, "\\fR");
	if (argument)
		buf_printf(out, " \\fI%s\\fR", argument);
	buf_add_byte(out, '\n');
	add_line(out, help, strlen(help));
}

/* "0  meaning" lines: what stands before the two spaces is the tag. */
static void add_tagged(struct buf *out, const char *text)
{
	buf_add_text(out, ".SH EXIT STATUS\n");
	while (*text) {
		size_t n = strcspn(text, "\n"), tag = 0;

		while (tag + 1 < n && !(text[tag] == ' ' && text[tag + 1] == ' '))
			tag++;
		buf_add_text(out, ".TP\n.B ");
		add_line(out, text, tag);
		while (tag < n && text[tag] == ' ')
			tag++;
		add_line(out, text + tag, n - tag);
		text += n + (text[n] == '\n');
	}
}

/* Lines as they stand; those behind a tab are commands. */
static void add_examples(struct buf *out, const char *text)
{
	buf_add_text(out, ".SH EXAMPLES\n");
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (*text == '\t') {
			buf_add_text(out, ".RS 4\n.nf\n");
			add_line(out, text + 1, n - 1);
			buf_add_text(out, ".fi\n.RE\n");
		} else if (n) {
			buf_add_text(out, ".PP\n");
			add_line(out, text, n);
		}
		text += n + (text[n] == '\n');
	}
}

static void add_more(struct buf *out, const char *text)
{
	size_t n = strcspn(text, "\n");

	buf_add_text(out, ".SH ");
	for (size_t i = 0; i < n; i++)
		buf_add_byte(out,
			     (uint8_t)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]));
	buf_add_text(out, "\n.nf\n");
	for (text += n + (text[n] == '\n'); *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		add_line(out, text, n);
	}
	buf_add_text(out, ".fi\n");
}

void cli_man(struct buf *out, const struct cli_command *command, const char *summary)
{
	struct buf name;

	buf_init(&name);
	buf_printf(&name, "btracectl-%s", command->name);
	add_head(out, name.p ? name.p : "", summary);
	buf_release(&name);
	buf_printf(out, ".SH SYNOPSIS\n\\fBbtracectl %s\\fR [\\fIOPTION\\fR]... ", command->name);
	if (command->operands)
		add_plain(out, command->operands, strlen(command->operands));
	buf_add_text(out, "\n.SH DESCRIPTION\n");
	add_paragraphs(out, command->about ? command->about : summary);
	buf_add_text(out, ".SH OPTIONS\n");
	for (size_t i = 0; i < command->n_options; i++) {
		const struct cli_option *o = &command->options[i];

		add_option(out, o->name, o->letter, o->argument, o->help);
	}
	add_option(out, "help", 'h', NULL, "show the help");
	if (command->more)
		add_more(out, command->more);
	if (command->exit_status)
		add_tagged(out, command->exit_status);
	if (command->examples)
		add_examples(out, command->examples);
	buf_add_text(out, ".SH SEE ALSO\n.BR btracectl (1)\n");
}

void cli_man_overview(struct buf *out, const struct command *table)
{
	add_head(out, "btracectl", "traces of HTTP servers, from the command line");
	buf_add_text(
		out,
		".SH SYNOPSIS\n.B btracectl\n.I COMMAND\n[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n"
		"The tool for people and for CI of btrace, which traces any dynamically linked HTTP server "
		"by a preloaded library.\n.SH COMMANDS\n");
	for (const struct command *c = table; c->name; c++) {
		buf_printf(out, ".TP\n.BR btracectl\\-%s (1)\n", c->name);
		add_line(out, c->summary, strlen(c->summary));
	}
	buf_add_text(
		out,
		".SH ENVIRONMENT\n"
		".TP\n.B NO_COLOR\nno colour, where none was asked for by \\-\\-color\n"
		".TP\n.B COLUMNS\nwidth of what is printed, where it is no terminal\n"
		".TP\n.BR LC_ALL \", \" LC_CTYPE \", \" LANG\ncharacters to draw with: UTF\\-8 or ASCII\n"
		".SH EXIT STATUS\n"
		".TP\n.B 0\ndone\n"
		".TP\n.B 1\nthe answer is no: a check failed, a config has errors\n"
		".TP\n.B 2\nwrong usage, or it cannot be done\n"
		".SH SEE ALSO\n");
	for (const struct command *c = table; c->name; c++)
		buf_printf(out, ".BR btracectl\\-%s (1)%s\n", c->name, c[1].name ? "," : "");
}
