/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "shim/session.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "shim/activate.h"
#include "shim/client_only.h"
#include "shim/engine.h"
#include "shim/identity.h"
#include "shim/sys.h"

#define JOIN_SECONDS 2
#define TRIES                                                                                        \
	100 /* a millisecond or two apart: a session that is just ending gives its name free at once \
	     */
#define EXPORTER_STACK (64u * 1024)
#define RAW_SEALS      (F_SEAL_SHRINK | F_SEAL_GROW) /* against a SIGBUS in the host by anybody's ftruncate */

/* error: -errno, or 0 if there is none. Always -1. */
static int fail(struct session *s, const char *what, long error)
{
	s->what = what;
	s->error = (int)-error;
	s->base = NULL;
	return -1;
}

static void close_all(void)
{
	struct rlimit limit = { 0, 0 };

	if (sys3(SYS_close_range, 3, ~0u, 0) == 0)
		return;
	sys2(SYS_getrlimit, RLIMIT_NOFILE, (void *)&limit); /* before Linux 5.9 */
	for (unsigned fd = 3; fd < limit.rlim_cur && fd < 65536; fd++)
		sys1(SYS_close, fd);
}

/* Where a path leads; it stays as it is if it leads nowhere. */
static void resolve(char path[sizeof(((struct session *)0)->config)])
{
	char link[] = "/proc/self/fd/0000000000";
	long fd = sys4(SYS_openat, AT_FDCWD, (void *)path, O_PATH | O_CLOEXEC, 0), got;

	if (fd < 0)
		return;
	for (unsigned at = sizeof(link) - 2, left = (unsigned)fd; at >= 14; at--, left /= 10)
		link[at] = (char)('0' + left % 10);
	/* leading zeroes are not understood there: shift the digits to the front */
	for (unsigned from = 14; link[14] == '0' && from < sizeof(link) - 2; from++)
		memmove(link + 14, link + 15, sizeof(link) - 15);
	got = sys3(SYS_readlink, (void *)link, (void *)path, sizeof(((struct session *)0)->config) - 1);
	if (got > 0)
		path[got] = 0;
	sys1(SYS_close, fd);
}

/*
 * s->config: as it was named, but absolute: the exporter watches that, and a symbolic link on the way may be
 * turned to a new file. The session's name is made of the real path, so that two ways of writing the same
 * file are one session.
 */
static void name_session(struct session *s)
{
	char path[sizeof(s->config)];
	const char *config = start_facts.config;
	size_t directory = *config == '/' ? 0 : strlen(start_facts.directory);
	size_t n = strlen(config);

	path[0] = 0;
	if (n && directory + 1 + n + 1 <= sizeof(path)) {
		memcpy(path, start_facts.directory, directory);
		if (directory)
			path[directory++] = '/';
		memcpy(path + directory, config, n + 1);
	}
	memcpy(s->config, path, strlen(path) + 1);
	if (path[0])
		resolve(path);
	if (path[0] != '/') /* a pipe or the like, which has no path */
		memcpy(path, s->config, strlen(s->config) + 1);
	else if (!strncmp(s->config, "/proc/", 6) || !strncmp(s->config, "/dev/", 5))
		memcpy(s->config, path, strlen(path) + 1); /* these names mean us, not the exporter */
	identity_name(s->name, (uint32_t)sys0(SYS_geteuid), path, start_facts.environment);
}

static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
	size_t n = strlen(name);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path + 1, name, n); /* abstract: no file, gone with its last descriptor */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

static bool map_table(struct session *s, long fd, size_t bytes)
{
	long mapped = sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (sys_failed(mapped)) {
		fail(s, "cannot map the span table", mapped);
		return false;
	}
	s->base = (void *)mapped;
	s->bytes = bytes;
	return true;
}

static long receive_table(long socket)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg;
	int fd = -1;
	/* We say nothing: the exporter answers the connection itself and closes it, and what lies unread
	 * there when it does would reset the connection before its answer is read. */
	long n = sys3(SYS_recvmsg, socket, (void *)&message, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return n;
	cmsg = CMSG_FIRSTHDR(&message);
	if (n != 1 || !cmsg || cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
		return -ECONNREFUSED; /* the exporter is just leaving */
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* 1: joined, 0: nobody there, -1: failed for good, told. */
static int join(struct session *s)
{
	struct sockaddr_un address;
	socklen_t length = address_of(&address, s->name);
	struct timeval patience = { JOIN_SECONDS, 0 };
	struct ucred peer = { 0, 0, 0 };
	socklen_t peer_length = sizeof(peer);
	struct stat st;
	long socket = sys3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	long fd, seals;

	if (socket < 0)
		return fail(s, "no socket to reach the exporter", socket);
	sys5(SYS_setsockopt, socket, SOL_SOCKET, SO_RCVTIMEO, (void *)&patience, sizeof(patience));
	sys5(SYS_setsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, (void *)&patience, sizeof(patience));
	if (sys3(SYS_connect, socket, (void *)&address, length) < 0)
		return 0;
	sys5(SYS_getsockopt, socket, SOL_SOCKET, SO_PEERCRED, (void *)&peer, (void *)&peer_length);
	if (peer.uid != (uid_t)sys0(SYS_geteuid)) {
		s->name[0] = 0; /* a stranger sits on our name: go on without one */
		return 0;
	}
	fd = receive_table(socket);
	sys1(SYS_close, socket);
	if (fd == -ECONNREFUSED || fd == -ECONNRESET || fd == -EPIPE)
		return 0;
	if (fd < 0)
		return fail(s, "the running btrace-exporter does not answer", fd);
	seals = sys3(SYS_fcntl, fd, F_GET_SEALS, 0);
	if (seals < 0 || (seals & RAW_SEALS) != RAW_SEALS || sys2(SYS_fstat, fd, (void *)&st) < 0)
		return fail(s, "the running btrace-exporter gave no span table", 0);
	if (seals & F_SEAL_WRITE || !map_table(s, fd, (size_t)st.st_size))
		return 0; /* the session has just ended: start afresh */
	return 1;
}

static long make_table(struct session *s)
{
	static const uint32_t slots = TABLE_SLOTS_DEFAULT;
	uint8_t seed[32] = { 0 };
	struct table table;
	size_t bytes = table_bytes(slots);
	struct rlimit limit = { 0, 0 };
	long fd, error;

	/* Above the limit ftruncate raises SIGXFSZ. The limit is this child's own: the soft one may be
	 * lifted. */
	if (sys2(SYS_getrlimit, RLIMIT_FSIZE, (void *)&limit) == 0 && limit.rlim_cur < bytes) {
		if (limit.rlim_max < bytes)
			return fail(s, "cannot create the span table", -EFBIG);
		limit.rlim_cur = limit.rlim_max;
		sys2(SYS_setrlimit, RLIMIT_FSIZE, (void *)&limit);
	}
	fd = sys2(SYS_memfd_create, "btrace", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return fail(s, "cannot create the span table", fd);
	error = sys2(SYS_ftruncate, fd, bytes);
	if (error >= 0)
		error = sys3(SYS_fcntl, fd, F_ADD_SEALS, RAW_SEALS);
	if (error < 0)
		return fail(s, "cannot create the span table", error);
	if (!map_table(s, fd, bytes))
		return -1;
	if (sys3(SYS_getrandom, (void *)seed, sizeof(seed), 0) != sizeof(seed)) {
		uint64_t now = clock_now_ns();

		memcpy(seed, &now, sizeof(now));
	}
	table_create(&table, s->base, s->bytes, slots, seed);
	return fd;
}

struct exporter { /* for the second child */
	struct session *session;
	long table, socket;
	char path[4096 + 64];
};

static void place(long from, int to)
{
	if (from == to)
		sys3(SYS_fcntl, from, F_SETFD, 0);
	else
		sys3(SYS_dup3, from, to, 0);
}

/* Beside the library, or where `make install` and the distribution put it. */
static void exec_exporter(struct exporter *e)
{
	static const char *const place_of[] = { "btrace-exporter", "../libexec/btrace/btrace-exporter",
						"../../libexec/btrace/btrace-exporter" };
	struct session *s = e->session;
	char *argv[] = { (char *)(uintptr_t) "btrace-exporter", s->config, start_facts.directory,
			 s->later ? (char *)(uintptr_t) "later" : NULL, NULL };
	const char *slash = strrchr(start_facts.library, '/');
	size_t n = slash ? (size_t)(slash - start_facts.library) + 1 : 0;
	long first = 0;

	for (char **v = start_facts.environment; *v; v++)
		if (!strncmp(*v, "BTRACE_EXPORTER=", 16) && (*v)[16]) {
			memccpy(e->path, *v + 16, 0, sizeof(e->path) - 1);
			s->error = (int)-sys3(SYS_execve, (void *)e->path, (void *)argv,
					      (void *)start_facts.environment);
			return;
		}
	memcpy(e->path, start_facts.library, n);
	for (size_t i = 0; i < sizeof(place_of) / sizeof(*place_of); i++) {
		long error;

		memcpy(e->path + n, place_of[i], strlen(place_of[i]) + 1);
		error = sys3(SYS_execve, (void *)e->path, (void *)argv, (void *)start_facts.environment);
		if (!first || error != -ENOENT)
			first = error;
	}
	s->error = (int)-first;
}

static int exporter_child(void *argument)
{
	struct exporter *e = argument;
	long null = sys4(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	/* out of the way first: the numbers may cross */
	long table = sys3(SYS_fcntl, e->table, F_DUPFD_CLOEXEC, 16);
	long socket = e->socket >= 0 ? sys3(SYS_fcntl, e->socket, F_DUPFD_CLOEXEC, 16) : -1;

	if (null >= 0) {
		place(null, 0);
		place(null, 1);
		if (sys2(SYS_fcntl, 2, F_GETFD) < 0)
			place(null, 2);
		if (null > 2)
			sys1(SYS_close, null);
	}
	place(table, SESSION_FD_TABLE);
	if (socket >= 0)
		place(socket, SESSION_FD_SOCKET);
	else
		sys1(SYS_close, SESSION_FD_SOCKET);
	sys0(SYS_setsid);
	exec_exporter(e);
	return 127;
}

/* 1: started, 0: somebody else was faster, -1: failed for good, told. */
static int start(struct session *s)
{
	struct exporter e = { .session = s, .socket = -1 };
	struct sockaddr_un address;
	long error;

	if (s->name[0]) {
		socklen_t length = address_of(&address, s->name);

		e.socket = sys3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		error = e.socket < 0 ? e.socket : sys3(SYS_bind, e.socket, (void *)&address, length);
		if (error == -EADDRINUSE)
			return 0;
		if (error >= 0)
			error = sys2(SYS_listen, e.socket, 128);
		if (error < 0)
			return fail(s, "no socket for the exporter", error);
	}
	e.table = make_table(s);
	if (e.table < 0)
		return -1;
	s->error = 0;
	/* Two steps, so that the exporter is no child of the host: it goes to init when this process ends. */
	error = clone(exporter_child, s->stack + EXPORTER_STACK, CLONE_VM | CLONE_VFORK, &e);
	if (error < 0)
		s->error = EAGAIN;
	if (s->error) {
		sys2(SYS_munmap, s->base, s->bytes);
		return fail(s, "cannot start btrace-exporter", -s->error);
	}
	return 1;
}

/* Here, as this runs once in a process that is traced, and on a stack with room for it. */
static void learn_executable(void)
{
	char path[4096];
	long n = sys3(SYS_readlink, "/proc/self/exe", (void *)path, sizeof(path));

	if (n > 0)
		self_executable(path, (size_t)n);
}

int session_child(void *argument)
{
	struct session *s = argument;
	struct timespec pause = { 0, 2000000 };
	int done = 0;

	close_all();
	name_session(s);
	s->unwanted = s->client && !client_only_wanted(s->config);
	if (s->unwanted)
		return 0;
	learn_executable();
	for (int i = 0; i < TRIES && !done; i++) {
		if (i > 1)
			sys2(SYS_nanosleep, (void *)&pause, 0);
		s->base = NULL;
		done = s->name[0] ? join(s) : 0;
		if (!done)
			done = start(s);
	}
	if (!done)
		fail(s, "neither joined nor started an exporter", -EAGAIN);
	return 0;
}
