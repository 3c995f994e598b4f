/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded behind libbtrace.so: the thread is cancelled in the write() of its answer, with
 * CANCEL=after when the kernel has taken it but write() has not yet returned, else when the call has not been
 * made. Both are what pthread_cancel() does at times.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end_here(void)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	const char *when = getenv("CANCEL");
	int answer = n > 5 && !memcmp(p, "HTTP/", 5);
	ssize_t result;

	if (answer && strcmp(when ? when : "", "after"))
		end_here();
	result = real(fd, p, n);
	if (answer)
		end_here();
	return result;
}
