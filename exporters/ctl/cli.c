/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/command.h"
#include "exporters/ctl/term.h"
#include "exporters/ctl/units.h"

int cli_misuse(const struct cli_command *command, const char *format, ...)
{
	va_list list;

	fprintf(stderr, "btracectl %s: ", command->name);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "; see `btracectl %s --help`\n", command->name);
	return 2;
}

static const struct cli_option *find_name(const struct cli_command *command, const char *name, size_t n)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (strlen(command->options[i].name) == n && !memcmp(command->options[i].name, name, n))
			return &command->options[i];
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_command *command, char letter)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].letter == letter)
			return &command->options[i];
	return NULL;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);

	for (const char *p = choices;;) {
		size_t length = strcspn(p, "|");

		if (n == length && !memcmp(p, value, n))
			return true;
		if (!p[length])
			return false;
		p += length + 1;
	}
}

static bool parse_count(const char *value, uint64_t *count)
{
	char *end;

	if (*value < '0' || *value > '9')
		return false;
	*count = strtoull(value, &end, 10);
	return !*end;
}

/* 0, or 2 when it was told why not. */
static int set_value(const struct cli_command *command, const struct cli_option *option, const char *value,
		     void *into)
{
	void *member = (char *)into + option->offset;
	struct cli_list *list = member;

	switch (option->type) {
	case CLI_FLAG: *(bool *)member = true; return 0;
	case CLI_TEXT:
	case CLI_FILE: *(const char **)member = value; return 0;
	case CLI_COUNT:
		if (!parse_count(value, member))
			return cli_misuse(command, "--%s wants a number, not '%s'", option->name, value);
		return 0;
	case CLI_DURATION:
		if (!duration_parse(slice_of(value), member))
			return cli_misuse(command, "--%s wants a duration such as 100ms or 1.5s, not '%s'",
					  option->name, value);
		return 0;
	case CLI_CHOICE:
		if (!is_choice(option->choices, value))
			return cli_misuse(command, "--%s is one of %s, not '%s'", option->name,
					  option->choices, value);
		*(const char **)member = value;
		return 0;
	case CLI_STATUS:
		if (!status_list_valid(slice_of(value)))
			return cli_misuse(command, "--%s wants statuses such as 404, 5xx or error, not '%s'",
					  option->name, value);
		*(const char **)member = value;
		return 0;
	case CLI_LIST:
		if (list->n == CLI_LIST_MAX)
			return cli_misuse(command, "--%s is given more than %d times", option->name,
					  CLI_LIST_MAX);
		list->items[list->n++] = value;
		return 0;
	}
	return 2;
}

static int show_help(const struct cli_command *command)
{
	struct term term;
	struct buf out;

	term_init(&term, STDOUT_FILENO, "never");
	buf_init(&out);
	cli_help(&out, command, command_summary(command->name), term.width < 100 ? term.width : 100);
	fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
	return 0;
}

/* argv[*i] is "--name", "--name=value" or "--name value". */
static int parse_long(const struct cli_command *command, int argc, char **argv, int *i, void *into)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t n = value ? (size_t)(value - name) : strlen(name);
	const struct cli_option *option = find_name(command, name, n);

	if (!option)
		return cli_misuse(command, "there is no option '--%.*s'", (int)n, name);
	if (option->type == CLI_FLAG)
		return value ? cli_misuse(command, "--%s takes no value", option->name)
			     : set_value(command, option, NULL, into);
	if (value)
		return set_value(command, option, value + 1, into);
	if (*i + 1 >= argc)
		return cli_misuse(command, "--%s wants a value", option->name);
	return set_value(command, option, argv[++*i], into);
}

/* argv[*i] is a bundle of letters: "-fn5", "-f", "-n 5". */
static int parse_letters(const struct cli_command *command, int argc, char **argv, int *i, void *into)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct cli_option *option = find_letter(command, *p);
		int rc;

		if (!option)
			return cli_misuse(command, "there is no option '-%c'", *p);
		if (option->type != CLI_FLAG) {
			if (!p[1] && *i + 1 >= argc)
				return cli_misuse(command, "-%c wants a value", *p);
			return set_value(command, option, p[1] ? p + 1 : argv[++*i], into);
		}
		rc = set_value(command, option, NULL, into);
		if (rc)
			return rc;
	}
	return 0;
}

int cli_parse(const struct cli_command *command, int *argc, char **argv, void *into)
{
	int operands = 1, i, rc = 0;

	for (i = 1; i < *argc && !rc; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "--help") || (!strcmp(arg, "-h") && !find_letter(command, 'h')))
			return show_help(command);
		if (!strcmp(arg, "--")) {
			i++;
			break;
		}
		if (arg[0] == '-' && arg[1] == '-') {
			rc = parse_long(command, *argc, argv, &i, into);
		} else if (arg[0] == '-' && arg[1]) {
			rc = parse_letters(command, *argc, argv, &i, into);
		} else {
			if (command->stop_at_operand)
				break;
			argv[operands++] = argv[i];
		}
	}
	if (rc)
		return rc;
	while (i < *argc)
		argv[operands++] = argv[i++];
	argv[operands] = NULL; /* execvp() goes by that */
	*argc = operands;
	return CLI_RUN;
}
