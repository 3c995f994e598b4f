/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REAL_H
#define BTRACE_REAL_H

/*
 * The functions we stand in front of. Before the constructor has run, and for
 * names which this libc does not have, each pointer leads to the raw_ form: the
 * bare system call with libc's errno convention. So a hook may call through it
 * at any time, and there is no branch for "not resolved yet".
 *
 * Types come from the system headers (__typeof__): a prototype that drifts is a
 * compile error.
 */

/* With it the headers define read() and relatives inline, which are ours to define here. */
#undef _FORTIFY_SOURCE
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/hidden.h"

#define EXPORT __attribute__((visibility("default")))

/* Called by programs built with _FORTIFY_SOURCE; glibc has no public prototype. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags, __SOCKADDR_ARG from,
		       socklen_t *length);
/* glibc 2.34 and later; older headers lack them, and the raw forms serve there. */
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);

#define HOOK(name) extern __typeof__(name) raw_##name;
#include "hooks/hooks.def"
#undef HOOK

struct real {
#define HOOK(name) __typeof__(name) *name;
#include "hooks/hooks.def"
#undef HOOK
};

extern HIDDEN struct real real;

#endif
