/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btracectl run: a command with the library preloaded, in a tracing session of
 * its own, and nothing left running when it returns. As a child subreaper it is
 * the parent of everything the command leaves behind, the exporter too, so
 * "finished" is simply "no children left".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exporters/ctl/cli.h"
#include "exporters/ctl/command.h"
#include "exporters/ctl/library.h"
#include "exporters/ctl/run_expect.h"
#include "exporters/ctl/run_settings.h"
#include "exporters/session/configure.h"

struct run_options {
	const char *config, *ledger, *service, *expect, *junit, *sample;
	struct cli_list exporters, set;
};

static const struct cli_option options[] = {
#define OPTION(...) CLI_ROW(struct run_options, __VA_ARGS__),
#include "exporters/ctl/run.def"
#undef OPTION
};

/* clang-format off */
const struct cli_command cmd_run_cli = {
	.name = "run",
	.operands = "-- COMMAND [ARGUMENT]...",
	CLI_OPTIONS(options),
	.about =
"Runs COMMAND with libbtrace.so preloaded and waits until it and its exporter have ended, so that all output is "
"complete when it returns. Signals are passed on to COMMAND.\n\n"
"It is also a good process number 1 for a container: with the death of a container's first process everything else "
"dies, the exporter's last batch included.\n\n"
"--exporter, --sample and --set go before the configuration. With them, an error in it ends the run before it "
"begins; else COMMAND runs untraced and the error is told.\n\n"
"With --expect it then checks what was added to the trace file, tells on stderr what differs, and ends with 1 if "
"anything does and COMMAND ended with 0.",
	.exit_status = "N    the exit status of COMMAND; 128 + N if signal N ended it\n"
		       "1    with --expect: a check failed\n"
		       "2    wrong usage, or there can be no verdict\n"
		       "126  COMMAND cannot be executed\n"
		       "127  COMMAND was not found",
	.examples = "see the requests of a server at once\n\tbtracectl run -- ./server --port 8080\n"
		    "with a configuration, and the account of all requests\n"
		    "\tbtracectl run -c btrace.yml --ledger ledger.json -- ./server\n"
		    "to a collector, a tenth of the requests\n"
		    "\tbtracectl run --exporter otlp=http://localhost:4318/v1/traces --sample 0.1 -- ./server\n"
		    "a smoke test for CI\n\tbtracectl run --expect expect.yml --junit traces.xml -- ./smoke-test.sh",
	.stop_at_operand = true,
};
/* clang-format on */

static volatile sig_atomic_t child; /* for the handler */

/* What a terminal sends, it sends to the whole foreground group: the command has it already. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	int error = errno;

	(void)context;
	if (child > 0 && info->si_code <= 0 && info->si_pid != child)
		kill((pid_t)child, number);
	errno = error;
}

static void catch_signals(void)
{
	static const int passed[] = { SIGHUP,  SIGINT,   SIGQUIT, SIGTERM, SIGUSR1,
				      SIGUSR2, SIGWINCH, SIGCONT, SIGALRM };
	struct sigaction action = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		sigaction(passed[i], &action, NULL);
}

static void set_environment(const struct run_options *o)
{
	char library[PATH_MAX], preload[2 * PATH_MAX], session[40];
	const char *before = getenv("LD_PRELOAD");
	uint64_t random[2] = { 0, 0 };

	library_find(library, sizeof(library));
	snprintf(preload, sizeof(preload), "%s%s%s", library, before && *before ? ":" : "",
		 before ? before : "");
	setenv("LD_PRELOAD", preload, 1);
	setenv("BTRACE_CONFIG", o->config ? o->config : CONFIGURE_EMBEDDED, 1);
	if (o->ledger)
		setenv("BTRACE_LEDGER", o->ledger, 1);
	if (o->service)
		setenv("BTRACE_SERVICE", o->service, 1);
	/* part of the session's identity: nobody else's exporter is joined */
	(void)!getrandom(random, sizeof(random), 0);
	snprintf(session, sizeof(session), "%016llx%016llx", (unsigned long long)random[0],
		 (unsigned long long)random[1]);
	setenv("BTRACE_SESSION", session, 1);
	unsetenv("BTRACE_DISABLED");
}

static __attribute__((noreturn)) void become(const struct run_options *o, char **argv)
{
	set_environment(o);
	execvp(argv[0], argv);
	fprintf(stderr, "btracectl run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Until nobody is left; the status is the command's. */
static int wait_for_all(void)
{
	int status = 0, of_command = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR)
		if (pid == (pid_t)child) {
			of_command = status;
			child = 0;
		}
	return WIFSIGNALED(of_command) ? 128 + WTERMSIG(of_command) : WEXITSTATUS(of_command);
}

/* The command traced, to its end. Its exit status; 2 and told if it could not be started. */
static int run(const struct run_options *o, char **argv)
{
	sigset_t all, before;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigfillset(&all); /* a signal between fork and `child =` must not be lost */
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "btracectl run: %s\n", strerror(errno));
		return 2;
	}
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		become(o, argv);
	}
	child = pid;
	catch_signals();
	sigprocmask(SIG_SETMASK, &before, NULL);
	return wait_for_all();
}

/* The command's own failure comes first: its status is what the caller sees. */
static int run_and_judge(const struct run_options *o, char **argv)
{
	struct verdict verdict = { .out = stderr, .ledger = o->ledger, .junit = o->junit };
	struct run_expect expect;
	int rc, status = 2;

	rc = run_expect_init(&expect, o->expect, o->config);
	if (!rc) {
		status = run(o, argv);
		rc = run_expect_give(&expect, &verdict);
	}
	run_expect_release(&expect);
	return status ? status : rc;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = { 0 };
	int rc = cli_parse(&cmd_run_cli, &argc, argv, &o);

	if (rc != CLI_RUN)
		return rc;
	if (argc < 2)
		return cli_misuse(&cmd_run_cli, "no command to run");
	if (o.config && access(o.config, R_OK) < 0)
		return cli_misuse(&cmd_run_cli, "%s: %s", o.config, strerror(errno));
	if (o.junit && !o.expect)
		return cli_misuse(&cmd_run_cli, "--junit wants --expect");
	rc = run_settings_apply(&(struct run_settings){ o.config, &o.exporters, o.sample, &o.set });
	if (rc)
		return rc;
	return o.expect ? run_and_judge(&o, argv + 1) : run(&o, argv + 1);
}
