/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded behind libbtrace.so: the process dies between the kernel's taking the response and send()'s
 * return. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	/* The library in front hooks sendto() as well, and would see the answer return: libc's own. */
	ssize_t (*real)(int, const void *, size_t, int) =
		(ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
	ssize_t result = real(fd, p, n, flags);

	kill(getpid(), SIGKILL);
	return result;
}
