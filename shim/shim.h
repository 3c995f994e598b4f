/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SHIM_H
#define BTRACE_SHIM_H

/*
 * The engine as the hooks see it: the one header of shim/ that hooks/ may
 * include. A hook makes the real call and then reports what happened; before a
 * write it tells what is about to go out.
 *
 * Every function here: returns nothing the host could notice, keeps errno, takes
 * no lock that could block, allocates nothing on the byte path, is
 * async-signal-safe, and does nothing at all while tracing is off.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "shim/hidden.h"

enum shim_direction { SHIM_IN = 0, SHIM_OUT = 1 };

/*
 * Descriptor table: a directory of chunks, so that any number costs two loads and no look at
 * its bounds (negative ones have no chunk). Large and empty: what was never used is no memory.
 */
#define SHIM_FD_CHUNK  65536u
#define SHIM_FD_CHUNKS 65536u

extern HIDDEN _Atomic(_Atomic uint64_t *) shim_fd_chunk[SHIM_FD_CHUNKS];
extern HIDDEN _Atomic uint32_t shim_mode; /* enum shim_modes */

enum shim_modes {
	SHIM_INERT = 0, /* no config named: nothing is ever done */
	SHIM_ARMED, /* configured; activates at the first listen() or accept(), or before it is too late */
	SHIM_STARTING,
	SHIM_ACTIVE,
	SHIM_FAILED, /* activation failed; told once */
};

/* Is this descriptor one of ours? The fast answer that every hook asks first. */
static inline bool shim_tracks(int fd)
{
	_Atomic uint64_t *chunk =
		atomic_load_explicit(&shim_fd_chunk[(unsigned)fd / SHIM_FD_CHUNK], memory_order_relaxed);

	return chunk && atomic_load_explicit(&chunk[(unsigned)fd % SHIM_FD_CHUNK], memory_order_relaxed);
}

/* Configured at all? Inert processes stop here. */
static inline bool shim_armed(void)
{
	return atomic_load_explicit(&shim_mode, memory_order_relaxed) != SHIM_INERT;
}

/*
 * Could n bytes be there? What the host hands over is looked at before the kernel has seen it only if so:
 * NULL, lengths taken for pointers and the kernel's half of the addresses are EFAULT, as without us. Memory
 * that was never mapped elsewhere is not told apart: that would take a system call.
 */
static inline bool shim_plausible(const void *p, size_t n)
{
	const uint64_t lowest = 1u << 16, /* vm.mmap_min_addr */
#ifdef __x86_64__
		highest = 1ull << 47;
#else
		highest = 1ull << 48;
#endif

	return (uintptr_t)p >= lowest && (uintptr_t)p < highest && n <= highest - (uintptr_t)p;
}

/* Configured, and nothing has been heard of it yet. */
static inline bool shim_waits(void)
{
	return atomic_load_explicit(&shim_mode, memory_order_relaxed) == SHIM_ARMED;
}

/* listen() succeeded. */
void shim_listening(int fd);

/* accept() on `listener` gave `fd`. addr: what the kernel filled in for us, complete; NULL if unknown. */
void shim_accepted(int listener, int fd, const struct sockaddr *addr, socklen_t length);

/* Before connect(): the time, if that is wanted, else 0. */
uint64_t shim_connecting(void);

/* connect() was called at begun_ns (shim_connecting()) and gave `result`, errno set if -1. */
void shim_connected(int fd, const struct sockaddr *addr, socklen_t length, int result, uint64_t begun_ns);

/* getsockopt(SO_ERROR) on a tracked fd gave the int at `value`. */
void shim_socket_error(int fd, const void *value);

/*
 * A write to a tracked fd is about to be made. What it would complete is noted
 * down, as its reader may end this process before the write returns here.
 */
#define SHIM_SEND_PIECES 16u
struct shim_send { /* one call of the host that sends a request with its head rewritten; internal but for
		      these: */
	struct iovec piece[SHIM_SEND_PIECES]; /* to be sent now */
	size_t pieces;
	/* internal */
	const struct iovec *iov;
	size_t count;
	uint64_t total, used, planned, part;
	uint32_t conn, generation;
	int error;
	bool over, raw;
};

/*
 * True: instead of the real call, send what shim_send_next() gives until it is
 * false, tell each result, and return shim_send_result() (with errno) to the host.
 * The iovec must stay. send may be NULL: then nothing is rewritten.
 */
bool shim_sending(int fd, const struct iovec *iov, size_t count, struct shim_send *send);
bool shim_send_next(struct shim_send *s);
void shim_send_done(struct shim_send *s, ssize_t result);
ssize_t shim_send_result(const struct shim_send *s);
void shim_sending_unseen(int fd, size_t n);

/*
 * A read or write on a tracked fd returned `result` (as libc returns it, errno
 * set if -1) and moved that many bytes of iov. result 0 on SHIM_IN is the end of
 * the stream, unless nothing was asked for.
 */
void shim_moved(int fd, enum shim_direction direction, const struct iovec *iov, size_t count, ssize_t result);

/* As above, bytes that only the kernel saw (sendfile, splice, MSG_TRUNC). */
void shim_moved_unseen(int fd, enum shim_direction direction, ssize_t result);

/* Before the real close. */
void shim_closing(int fd);
void shim_closing_range(unsigned first, unsigned last);

/* shutdown() succeeded. */
void shim_shut_down(int fd, int how);

/* `to` is now a duplicate of `from`; what `to` was before is closed. */
void shim_duplicated(int from, int to);

/* Descriptors that arrived by, or left in, SCM_RIGHTS control messages of a successful recvmsg/sendmsg. */
void shim_received_control(const struct msghdr *message);
void shim_sent_control(const struct msghdr *message);

/* Before a call that may leave this process without the rights to start an exporter; if shim_waits(). */
void shim_losing_rights(void);

/* Before a call that may put seccomp in force; and once it has, if that was true (it is not in a vfork
 * child): from then on no call is made but the host's own (and mmap, if not strict). */
bool shim_locking_in(void);
void shim_locked_in(bool strict);

/* At start: descriptors 0 to 2 may be a connection that inetd accepted. */
void shim_found_inetd(void);

/* Once, from the library's constructor. */
void shim_start(int argc, char **argv, char **envp);

#endif
