/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "exporters/ctl/cli.h"

struct values {
	bool flag, other;
	const char *text, *choice, *status;
	uint64_t count, duration;
	struct cli_list list;
};

static const struct cli_option options[] = {
	CLI_ROW(struct values, flag, "flag", 'f', CLI_FLAG, NULL, NULL, "a flag"),
	CLI_ROW(struct values, other, "other", 'o', CLI_FLAG, NULL, NULL, "another"),
	CLI_ROW(struct values, text, "text", 't', CLI_TEXT, "TEXT", NULL, "a text"),
	CLI_ROW(struct values, choice, "choice", 0, CLI_CHOICE, "ONE", "red|green", "one of"),
	CLI_ROW(struct values, status, "status", 0, CLI_STATUS, "LIST", NULL, "statuses"),
	CLI_ROW(struct values, count, "count", 'n', CLI_COUNT, "N", NULL, "a number"),
	CLI_ROW(struct values, duration, "duration", 0, CLI_DURATION, "TIME", NULL, "a time"),
	CLI_ROW(struct values, list, "set", 's', CLI_LIST, "K=V", NULL, "again and again"),
};
static const struct cli_command command = { .name = "test",
					    .operands = "[FILE]...",
					    CLI_OPTIONS(options),
					    .exit_status = "0  fine",
					    .examples = "what it does\n\tbtracectl test" };
static const struct cli_command run_like = { .name = "test", CLI_OPTIONS(options), .stop_at_operand = true };

static char words[512], *argv[32];
static int argc;
static struct values v;

/* The arguments stand between bars. */
static int parse(const struct cli_command *c, const char *line)
{
	v = (struct values){ .count = 7 };
	argv[0] = words;
	argc = 1;
	snprintf(words, sizeof(words), "test|%s", line);
	for (char *p = words; *p; p++) {
		if (*p != '|')
			continue;
		*p = '\0';
		argv[argc++] = p + 1;
	}
	argv[argc] = NULL;
	return cli_parse(c, &argc, argv, &v);
}

Test(cli, the_operands_end_with_a_null_as_execvp_wants_it)
{
	cr_expect_eq(parse(&run_like, "-f|--|cmd|-x|last"), CLI_RUN);
	cr_expect_eq(argc, 4);
	cr_expect_str_eq(argv[3], "last");
	cr_expect_null(argv[argc]);
	cr_expect_eq(parse(&command, "one|-f|two"), CLI_RUN);
	cr_expect(argc == 3 && !argv[3]);
}

Test(cli, values_are_set_in_every_spelling)
{
	cr_expect_eq(parse(&command, "-f|--text|a b|--count=12|--choice|green|--duration|1.5s|--status=5xx"),
		     CLI_RUN);
	cr_expect(v.flag && !v.other && v.count == 12 && v.duration == 1500000000);
	cr_expect_str_eq(v.text, "a b");
	cr_expect_str_eq(v.choice, "green");
	cr_expect_eq(parse(&command, "-fon5|-tx=y"), CLI_RUN);
	cr_expect(v.flag && v.other && v.count == 5);
	cr_expect_str_eq(v.text, "x=y");
	cr_expect_eq(parse(&command, "-n|9|-sa=1|--set|b=2"), CLI_RUN);
	cr_expect(v.count == 9 && v.list.n == 2);
	cr_expect_str_eq(v.list.items[1], "b=2");
}

Test(cli, operands_may_stand_between_options_and_dashes_end_them)
{
	cr_expect_eq(parse(&command, "one|-f|-|--|-x|--help"), CLI_RUN);
	cr_assert_eq(argc, 5);
	cr_expect_str_eq(argv[1], "one");
	cr_expect_str_eq(argv[2], "-");
	cr_expect_str_eq(argv[3], "-x");
	cr_expect_str_eq(argv[4], "--help");
	cr_expect_eq(parse(&run_like, "-f|nginx|-n|--help"), CLI_RUN);
	cr_assert_eq(argc, 4);
	cr_expect_str_eq(argv[1], "nginx");
	cr_expect_eq(v.count, 7);
}

Test(cli, wrong_usage_is_told_and_ends_with_2)
{
	char text[512];
	FILE *told;

	cr_redirect_stderr();
	cr_expect_eq(parse(&command, "--nope"), 2);
	cr_expect_eq(parse(&command, "-x"), 2);
	cr_expect_eq(parse(&command, "--text"), 2);
	cr_expect_eq(parse(&command, "-n"), 2);
	cr_expect_eq(parse(&command, "--flag=1"), 2);
	cr_expect_eq(parse(&command, "--count=many"), 2);
	cr_expect_eq(parse(&command, "--count=-1"), 2);
	cr_expect_eq(parse(&command, "--choice=gree"), 2);
	cr_expect_eq(parse(&command, "--duration=5"), 2);
	cr_expect_eq(parse(&command, "--status=five"), 2);
	fflush(stderr);
	told = cr_get_redirected_stderr();
	cr_assert(fgets(text, sizeof(text), told));
	cr_expect_str_eq(text, "btracectl test: there is no option '--nope'; see `btracectl test --help`\n");
}

Test(cli, help_shows_every_option_of_the_table)
{
	struct buf out;

	buf_init(&out);
	cli_help(&out, &command, "does nothing", 80);
	buf_add_byte(&out, '\0');
	for (size_t i = 0; i < command.n_options; i++) {
		char name[32];

		snprintf(name, sizeof(name), "--%s", options[i].name);
		cr_expect(strstr(out.p, name), "%s", name);
		cr_expect(strstr(out.p, options[i].help));
	}
	cr_expect(strstr(out.p, "usage: btracectl test [OPTION]... [FILE]...\n"));
	cr_expect(strstr(out.p, "Exit status:\n  0  fine\n"));
	cr_expect(strstr(out.p, "  what it does\n      btracectl test\n"));
	buf_release(&out);
}

Test(cli, help_is_filled_to_the_width)
{
	static const struct cli_option wide[] = { CLI_ROW(
		struct values, flag, "a-very-long-name-of-an-option", 0, CLI_TEXT, "VALUE", NULL,
		"words words words words words words words words words words words words words words "
		"words") };
	static const struct cli_command c = { .name = "test", CLI_OPTIONS(wide) };
	struct buf out;
	unsigned column = 0;

	buf_init(&out);
	cli_help(&out, &c, "does nothing", 60);
	for (size_t i = 0; i < out.n; i++) {
		column = out.p[i] == '\n' ? 0 : column + 1;
		cr_assert_leq(column, 60);
	}
	buf_release(&out);
}
