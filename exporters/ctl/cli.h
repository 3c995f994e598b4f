/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CLI_H
#define BTRACE_CLI_H

/*
 * What a command takes, as one table. The parser, --help, the manual page and
 * the shell completion all read this table and nothing else, so they agree.
 *
 * A command `foo` has cmd_foo.c with the function cmd_foo() and the table
 * cmd_foo_cli, both found through the row in commands.def, and its options in
 * foo.def:
 *
 *	OPTION(limit, "limit", 'n', CLI_COUNT, "N", NULL, "at most N")
 *
 *	struct foo_options { uint64_t limit; };
 *	static const struct cli_option options[] = {
 *	#define OPTION(...) CLI_ROW(struct foo_options, __VA_ARGS__),
 *	#include "exporters/ctl/foo.def"
 *	#undef OPTION
 *	};
 *	const struct cli_command cmd_foo_cli = { .name = "foo", CLI_OPTIONS(options), ... };
 *
 *	int cmd_foo(int argc, char **argv)
 *	{
 *		struct foo_options o = { .limit = 50 };
 *		int rc = cli_parse(&cmd_foo_cli, &argc, argv, &o);
 *
 *		if (rc != CLI_RUN)
 *			return rc;
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "exporters/base/buf.h"

enum cli_type {
	CLI_FLAG,     /* bool */
	CLI_TEXT,     /* const char * */
	CLI_FILE,     /* const char *, completed with file names */
	CLI_COUNT,    /* uint64_t */
	CLI_DURATION, /* uint64_t, nanoseconds; "100ms" */
	CLI_CHOICE,   /* const char *, one of `choices` */
	CLI_STATUS,   /* const char *, a status list of units.h */
	CLI_LIST,     /* struct cli_list, may be given again and again */
};

struct cli_option {
	const char *name; /* long name without the dashes */
	char letter;      /* 0 = none */
	enum cli_type type;
	size_t offset;        /* of the member that takes the value */
	const char *argument; /* how help calls the value; NULL for flags */
	const char *choices;  /* "auto|always|never" */
	const char *help;     /* one line, lower case, no full stop */
};

#define CLI_ROW(type_of_options, member, name, letter, type, argument, choices, help)          \
	{                                                                                      \
		name, letter, type, offsetof(type_of_options, member), argument, choices, help \
	}
#define CLI_OPTIONS(table) .options = table, .n_options = sizeof(table) / sizeof(*(table))

/* Values of an option that may come several times; they point into argv. */
#define CLI_LIST_MAX 64
struct cli_list {
	const char *items[CLI_LIST_MAX];
	size_t n;
};

struct cli_command {
	const char *name;     /* also that of the row in commands.def */
	const char *operands; /* "[FILE]..." */
	const char *about;    /* paragraphs, separated by an empty line */
	const struct cli_option *options;
	size_t n_options;
	const char *exit_status; /* "0  meaning\n1  meaning" */
	const char *examples;    /* "what it does\n\tcommand line\n..." */
	const char *more;        /* a further section: "TITLE\ntext" */
	bool stop_at_operand;    /* options behind the first operand belong to it: run CMD --flag */
	bool operands_are_files; /* for completion */
};

#define CLI_RUN -1

/*
 * Sets the members of `into` and leaves the operands in argv[1 .. *argc). Returns
 * CLI_RUN; or the exit status when all is said: 0 after --help, 2 after an error,
 * which is told on stderr.
 */
int cli_parse(const struct cli_command *command, int *argc, char **argv, void *into);

/* "btracectl view: MESSAGE; see `btracectl view --help`" on stderr; returns 2. */
int cli_misuse(const struct cli_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The text of --help, `width` columns wide. */
void cli_help(struct buf *out, const struct cli_command *command, const char *summary, unsigned width);

/* "--limit=N, -n N" as help shows it, without the text. */
void cli_option_name(struct buf *out, const struct cli_option *option);

/* The manual page btracectl-NAME(1), in man(7). */
void cli_man(struct buf *out, const struct cli_command *command, const char *summary);

struct command;
/* The manual page btracectl(1), and the completion for bash, of a table ended by a row without name. */
void cli_man_overview(struct buf *out, const struct command *table);
void cli_completion(struct buf *out, const struct command *table);

#endif
