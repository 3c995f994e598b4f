/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btracectl top: the loop and the terminal. Rates and latencies are those of the
 * last WINDOW looks, so that they neither jump nor lag for long.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/top.h"

#define WINDOW 10

struct top_options {
	bool once, json;
	uint64_t interval_ns;
	const char *colour;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct top_options, __VA_ARGS__),
#include "exporters/ctl/top.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_top_cli = {
	.name = "top",
	.operands = "[PID]",
	CLI_OPTIONS(options),
	.about =
"Shows a running traced server live: the requests it is answering at this moment and for how long, and for each route "
"the rate, the share of errors and the latencies.\n\n"
"PID is a traced process or an exporter of btracectl ps; it may be left out where there is one session alone. Rates, "
"errors and latencies are those of the last ten looks; counted are requests that have a span, sampled out ones are only "
"in the first line. Latencies are at most 3 % off. On a terminal, q ends it.",
	.exit_status = "0  shown, or the session ended\n1  there is no such session, or it may not be looked at\n2  wrong usage",
	.examples = "look on\n\tbtracectl top\n"
		    "the requests that hang, for a script\n"
		    "\tbtracectl top --once --json | jq '.open[] | select(.age_ns > 5e9)'",
};
/* clang-format on */

struct top {
	const struct top_options *o;
	struct attached a;
	struct top_sample samples[WINDOW + 1]; /* the oldest first */
	size_t n;
	struct term term;
	struct termios before;
	bool screen, keys; /* we draw over what we drew; keys are read */
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void terminal_begin(struct top *t)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct termios raw;

	t->screen = !t->o->once && !t->o->json && isatty(STDOUT_FILENO);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (!t->screen)
		return;
	fputs("\x1b[?1049h\x1b[?25l", stdout); /* another screen, no cursor */
	t->keys = tcgetattr(STDIN_FILENO, &t->before) == 0;
	if (t->keys) {
		raw = t->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
}

static void terminal_end(struct top *t)
{
	if (t->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	if (t->screen)
		fputs("\x1b[?25h\x1b[?1049l", stdout);
	fflush(stdout);
}

/* For the time of an interval; true: it is to end. */
static bool wait_interval(const struct top *t)
{
	struct pollfd keys = { .fd = t->keys ? STDIN_FILENO : -1, .events = POLLIN };
	struct timespec time = { (time_t)(t->o->interval_ns / 1000000000),
				 (long)(t->o->interval_ns % 1000000000) };
	char key = 0;

	if (ppoll(&keys, 1, &time, NULL) > 0 &&
	    (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q'))
		return true;
	return stop;
}

static int look(struct top *t)
{
	int error = attach_read(&t->a);

	if (error)
		return error;
	if (t->n == WINDOW + 1) {
		top_sample_release(&t->samples[0]);
		memmove(t->samples, t->samples + 1, WINDOW * sizeof(*t->samples));
		t->n--;
	}
	error = top_sample_take(&t->samples[t->n], &t->a);
	t->n += !error;
	return error;
}

static unsigned screen_lines(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 6 ? size.ws_row - 1u : 23;
}

/* Lines are ended by "to the end of the line, erase": what is shorter than before leaves nothing behind. */
static void draw(const struct buf *text)
{
	const char *p = text->p, *end = text->p + text->n, *line;

	fputs("\x1b[H", stdout);
	for (; p < end; p = line + 1) {
		line = memchr(p, '\n', (size_t)(end - p));
		if (!line)
			break;
		fwrite(p, 1, (size_t)(line - p), stdout);
		fputs("\x1b[K\n", stdout);
	}
	fputs("\x1b[J", stdout);
	fflush(stdout);
}

static int show(struct top *t)
{
	const struct top_sample *newest = &t->samples[t->n - 1];
	struct top_view v;
	struct buf text;
	int error = top_view_init(&v, t->o->once ? NULL : &t->samples[0], &t->samples[0], newest);

	buf_init(&text);
	if (!error)
		error = top_view_open(&v, &t->a, newest->mono_ns);
	if (!error && t->o->json)
		top_json(&text, &v);
	else if (!error)
		top_print(&text, &t->term, &v, t->screen ? screen_lines() : 0);
	if (text.failed)
		error = -ENOMEM;
	if (!error && t->screen)
		draw(&text);
	else if (!error)
		printf("%.*s%s", (int)text.n, text.p, t->o->once || t->o->json ? "" : "\n");
	fflush(stdout);
	buf_release(&text);
	top_view_release(&v);
	return error;
}

static int run(struct top *t)
{
	int error = look(t);

	while (!error && !wait_interval(t)) {
		if (!(error = look(t)))
			error = show(t);
		term_init(&t->term, STDOUT_FILENO, t->o->colour); /* its width may have changed */
		if (t->o->once)
			break;
	}
	return error;
}

static int open_session(struct attached *a, const char *operand)
{
	size_t n = 1, unseen = 0;
	char *end = NULL;
	unsigned long pid = operand ? strtoul(operand, &end, 10) : 0;
	int error;

	if (operand && (!pid || *end || pid > INT32_MAX))
		return cli_misuse(&cmd_top_cli, "'%s' is not the number of a process", operand);
	error = operand ? attach_find(a, (uint32_t)pid, &unseen) : attach_only(a, &n);
	if (!error)
		return 0;
	if (n > 1)
		fprintf(stderr,
			"btracectl top: there are %zu sessions; name one by a number of `btracectl ps`\n", n);
	else if (operand && error == -ESRCH)
		fprintf(stderr, "btracectl top: process %s is not traced%s; see `btracectl doctor %s`\n",
			operand, unseen ? ", or in a session that may not be looked at (btracectl ps)" : "",
			operand);
	else
		fprintf(stderr, "btracectl top: %s\n", attach_error(error));
	return n > 1 ? 2 : 1;
}

int cmd_top(int argc, char **argv)
{
	struct top_options o = { .interval_ns = 1000000000 };
	static struct top t; /* large */
	int rc = cli_parse(&cmd_top_cli, &argc, argv, &o);

	if (rc != CLI_RUN)
		return rc;
	if (argc > 2)
		return cli_misuse(&cmd_top_cli, "one session at a time");
	if (o.interval_ns < 1000000)
		return cli_misuse(&cmd_top_cli, "--interval: at least 1ms");
	rc = open_session(&t.a, argv[1]);
	if (rc)
		return rc;
	t.o = &o;
	term_init(&t.term, STDOUT_FILENO, o.colour);
	terminal_begin(&t);
	rc = run(&t);
	terminal_end(&t);
	if (rc && rc != -ESRCH)
		fprintf(stderr, "btracectl top: %s\n", attach_error(rc));
	if (rc == -ESRCH && !o.json)
		fputs("btracectl top: the session has ended\n", stderr);
	for (size_t i = 0; i < t.n; i++)
		top_sample_release(&t.samples[i]);
	attach_close(&t.a);
	return rc && rc != -ESRCH ? 1 : 0;
}
