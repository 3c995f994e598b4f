/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFINE_H
#define BTRACE_CONFINE_H

/*
 * What the worker gives up. It talks to the network and reads what hosts have written, so it keeps only what
 *that needs, and does so before it has read anything:
 *
 *	root            becomes nobody; everybody else's worker is already no more than its user
 *	privileges      none can be gained (no_new_privs), no core file, not to be traced by others of its uid
 *	limits          descriptors, memory of its own
 *	life            where memory runs out the kernel takes it before any process of the host
 *	system calls    an allow-list (seccomp): no program is started, no process made, no file opened for
 *writing, no other process signalled or looked into. What is not on it fails with EPERM, so that a libc which
 *tries something new has its fallback
 */

/* 0 or -errno. */
int confine_privileges(void);

/* The last step: descriptors for writing must be open. 0 or -errno (a kernel without seccomp: -EINVAL). */
int confine_calls(void);

#endif
