/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined worker can no longer do, and what it still can. Each test is a process of its own. */
#define _GNU_SOURCE
#include "exporters/session/confine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__SANITIZE_ADDRESS__) /* whose runtime needs more */

enum { FINE, NOT_CONFINED, REFUSED_TOO_LITTLE, REFUSED_TOO_MUCH };

static int in_child(int (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (confine_privileges() < 0 || confine_calls() < 0)
			_exit(NOT_CONFINED);
		_exit(body());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int execute(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	execv("/bin/true", argv);
	return errno == EPERM ? FINE : REFUSED_TOO_LITTLE;
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EPERM ? FINE : REFUSED_TOO_LITTLE;
}

static int write_a_file(void)
{
	if (open("/tmp/btrace-unit-confined", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EPERM)
		return REFUSED_TOO_LITTLE;
	if (open("/dev/null", O_RDWR) >= 0 || errno != EPERM)
		return REFUSED_TOO_LITTLE;
	return unlink("/tmp/btrace-unit-confined") < 0 && errno == EPERM ? FINE : REFUSED_TOO_LITTLE;
}

static int touch_others(void)
{
	if (kill(getppid(), 0) == 0 || errno != EPERM)
		return REFUSED_TOO_LITTLE;
	errno = 0;
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 && errno == EPERM ? FINE : REFUSED_TOO_LITTLE;
}

static int raw_sockets(void)
{
	errno = 0;
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM ? FINE : REFUSED_TOO_LITTLE;
}

static int listen_somewhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	errno = 0;
	return fd >= 0 && listen(fd, 1) < 0 && errno == EPERM ? FINE : REFUSED_TOO_LITTLE;
}

static void *thread(void *argument) { return argument; }

static int its_work(void)
{
	struct addrinfo *found = NULL;
	struct stat st;
	pthread_t id;
	void *p = NULL;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, &st, 1) != 1)
		return REFUSED_TOO_MUCH;
	if (pthread_create(&id, NULL, thread, &st) || pthread_join(id, &p) || p != &st)
		return REFUSED_TOO_MUCH;
	if (getaddrinfo("localhost", "80", NULL, &found) || !found)
		return REFUSED_TOO_MUCH;
	freeaddrinfo(found);
	free(malloc(10 << 20));
	return socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT ? FINE : REFUSED_TOO_MUCH;
}

static int is_killed_first(void)
{
	char text[8] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !strcmp(text, "1000\n")
		       ? FINE
		       : REFUSED_TOO_LITTLE;
}

static int die_loudly(void) { abort(); }

Test(confine, starts_no_program) { cr_assert_eq(in_child(execute), FINE); }
Test(confine, makes_no_process) { cr_assert_eq(in_child(make_process), FINE); }
Test(confine, opens_no_file_for_writing) { cr_assert_eq(in_child(write_a_file), FINE); }
Test(confine, leaves_other_processes_alone) { cr_assert_eq(in_child(touch_others), FINE); }
Test(confine, has_no_raw_sockets) { cr_assert_eq(in_child(raw_sockets), FINE); }
Test(confine, serves_nobody) { cr_assert_eq(in_child(listen_somewhere), FINE); }
Test(confine, can_do_its_work) { cr_assert_eq(in_child(its_work), FINE); }
Test(confine, is_killed_first_for_want_of_memory) { cr_assert_eq(in_child(is_killed_first), FINE); }
Test(confine, aborts_as_ever) { cr_assert_eq(in_child(die_loudly), 100 + SIGABRT); }

#endif
