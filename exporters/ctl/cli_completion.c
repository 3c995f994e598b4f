/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"

/* All that is printed here comes from our own tables: words without quotes or blanks. */

static void add_names(struct buf *out, const struct command *table)
{
	for (const struct command *c = table; c->name; c++)
		buf_printf(out, "%s%s", c == table ? "" : " ", c->name);
}

static const char *action(enum cli_type type)
{
	return type == CLI_FILE     ? "_btracectl_files"
	       : type == CLI_STATUS ? "_btracectl_words 4xx 5xx error 404 500"
				    : ":";
}

/* "view:--color | view:-c) what its value may be ;;" */
static void add_value(struct buf *out, const struct command *c, const struct cli_option *o)
{
	if (o->type == CLI_FLAG)
		return;
	buf_printf(out, "\t%s:--%s", c->name, o->name);
	if (o->letter)
		buf_printf(out, " | %s:-%c", c->name, o->letter);
	buf_add_text(out, ") ");
	if (o->type != CLI_CHOICE) {
		buf_add_text(out, action(o->type));
	} else {
		buf_add_text(out, "_btracectl_words");
		for (const char *p = o->choices; *p;) {
			size_t n = strcspn(p, "|");

			buf_printf(out, " %.*s", (int)n, p);
			p += n + (p[n] == '|');
		}
	}
	buf_add_text(out, "; return ;;\n");
}

static void add_options(struct buf *out, const struct command *c, const struct command *table)
{
	buf_printf(out, "\t%s)\n\t\toptions='--help", c->name);
	for (size_t i = 0; i < c->cli->n_options; i++)
		buf_printf(out, " --%s", c->cli->options[i].name);
	buf_add_text(out, "'\n\t\toperands=");
	if (!strcmp(c->name, "help")) {
		buf_add_text(out, "'_btracectl_words ");
		add_names(out, table);
		buf_add_text(out, "'");
	} else {
		buf_add_text(out, c->cli->stop_at_operand      ? "_btracectl_command"
				  : c->cli->operands_are_files ? "_btracectl_files"
							       : ":");
	}
	buf_add_text(out, "\n\t\t;;\n");
}

/* clang-format off */
static const char head[] =
"# shellcheck shell=bash disable=SC2207\n"
"# bash completion of btracectl, made by `btracectl help --completion`.\n"
"\n"
"_btracectl_words() { COMPREPLY=($(compgen -W \"$*\" -- \"$cur\")); }\n"
"_btracectl_files() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")); }\n"
"_btracectl_command() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -c -- \"$cur\") $(compgen -f -- \"$cur\")); }\n"
"\n"
"_btracectl()\n"
"{\n"
"	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options='' operands=:\n"
"	local IFS=$' \\t\\n'\n"
"\n"
"	COMPREPLY=()\n"
"	if [[ $cur == = ]]; then # --option=, which readline takes apart\n"
"		cur=\n"
"	elif [[ $prev == = ]]; then\n"
"		prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
"	fi\n"
"	if ((COMP_CWORD == 1)); then\n"
"		_btracectl_words ";
static const char tail[] =
"	if [[ $cur == -* ]]; then\n"
"		_btracectl_words \"$options\"\n"
"	else\n"
"		$operands\n"
"	fi\n"
"}\n"
"complete -F _btracectl btracectl\n";
/* clang-format on */

void cli_completion(struct buf *out, const struct command *table)
{
	buf_add_text(out, head);
	add_names(out, table);
	buf_add_text(out, "\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]}:$prev in\n");
	for (const struct command *c = table; c->name; c++)
		for (size_t i = 0; i < c->cli->n_options; i++)
			add_value(out, c, &c->cli->options[i]);
	buf_add_text(out, "\tesac\n\tcase ${COMP_WORDS[1]} in\n");
	for (const struct command *c = table; c->name; c++)
		add_options(out, c, table);
	buf_add_text(out, "\tesac\n");
	buf_add_text(out, tail);
}
