/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For counting under valgrind only, preloaded in front of libbtrace.so. Valgrind makes a
 * fork of clone(CLONE_VM | CLONE_VFORK) without CLONE_FILES, so what the library's child
 * maps would be lost. Here that child is a thread with a descriptor table of its own,
 * which is the same to all that is counted: requests come after it. But /proc/self/fd is
 * the process's: the child asks it for the first descriptor it opens, 3, and must not find
 * what the host has there. A pipe tells it nothing.
 *
 * A process that ever had a second thread takes a longer way through libc's read() and
 * write(). So a plain run, which has this library alone, makes one as well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...);

struct child {
	int (*function)(void *);
	void *argument;
};

static __thread int inside;

static void *run(void *p)
{
	struct child *c = p;

	inside = 1;
	if (unshare(CLONE_FILES) == 0)
		c->function(c->argument);
	return NULL;
}

static void *nothing(void *p) { return p; }

static __attribute__((constructor)) void be_threaded(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		pthread_join(thread, NULL);
}

/* Puts a pipe in the place of descriptor 3; what stood there, or -1. */
static int hide_third(void)
{
	int end[2], kept = fcntl(3, F_DUPFD_CLOEXEC, 16);

	if (pipe2(end, O_CLOEXEC) == 0) {
		if (end[0] != 3)
			dup2(end[0], 3);
		close(end[1]);
		if (end[0] != 3)
			close(end[0]);
	}
	return kept;
}

static void show_third(int kept)
{
	close(3);
	if (kept >= 0) {
		dup2(kept, 3);
		close(kept);
	}
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	struct child c = { function, argument };
	pthread_t thread;
	int pid, kept;

	(void)stack;
	(void)flags;
	if (inside) { /* the second child becomes the exporter */
		pid = fork();
		if (pid == 0)
			_exit(function(argument));
		return pid;
	}
	kept = hide_third();
	if (pthread_create(&thread, NULL, run, &c) || pthread_join(thread, NULL))
		return -1;
	show_third(kept);
	return 1; /* nobody's child of that number: waiting for it ends at once */
}
