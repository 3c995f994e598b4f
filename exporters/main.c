/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btrace-exporter: started by libbtrace.so with the span table as descriptor 3
 * and, if the session has a name, its listening socket as descriptor 4.
 *	argv[1]  real path of the config, or empty
 *	argv[2]  working directory of the traced process
 *	argv[3]  "later": do nothing before a process takes part
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/session/keeper.h"
#include "exporters/session/log.h"

extern char **environ;

/* The host's signals and limits are its own affair. */
static void reset_process(void)
{
	/* Service managers and terminals signal the whole group: we end when the traced processes have. */
	static const int ignored[] = { SIGPIPE, SIGXFSZ, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGTTOU, SIGTTIN };
	struct rlimit none = { 0, 0 };
	sigset_t empty;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	setrlimit(RLIMIT_CORE, &none);
	umask(077);
	(void)!chdir("/");
}

static const char *variable(const char *name)
{
	size_t n = strlen(name);

	for (char **e = environ; *e; e++)
		if (!strncmp(*e, name, n) && (*e)[n] == '=' && (*e)[n + 1])
			return *e + n + 1;
	return NULL;
}

int main(int argc, char **argv)
{
	struct session s = { .directory = argc > 2 ? argv[2] : "/",
			     .config_path = argc > 1 ? argv[1] : "",
			     .later = argc > 3 && !strcmp(argv[3], "later") };
	const char *log = variable("BTRACE_LOG");
	struct stat st;
	int seals = fcntl(SESSION_FD_TABLE, F_GET_SEALS), error;

	if (argc < 3 || argc > 4 || seals < 0 || !(seals & F_SEAL_SHRINK) ||
	    fstat(SESSION_FD_TABLE, &st) < 0) {
		fputs("btrace-exporter: started by libbtrace.so, not by hand\n", stderr);
		return 2;
	}
	reset_process();
	prctl(PR_SET_NAME, "btrace-exporter"); /* whatever the file is called: btracectl looks for it */
	s.environment = (const char *const *)environ;
	s.table_size = (size_t)st.st_size;
	s.named = fcntl(SESSION_FD_SOCKET, F_GETFD) >= 0;
	s.control = control_create();
	s.poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fcntl(SESSION_FD_TABLE, F_SETFD, FD_CLOEXEC);
	if (s.named)
		fcntl(SESSION_FD_SOCKET, F_SETFD, FD_CLOEXEC);
	log_open(s.control,
		 log && *log == '/' ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1);
	error = s.control && s.poke >= 0 && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s.channel)
			? session_map(&s)
			: -ENOMEM;
	if (!error)
		session_reserve_final(&s);
	if (error) {
		log_line("not tracing: the exporter cannot use the span table: %s", strerror(-error));
		return 1;
	}
	return keeper_run(&s);
}
