/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY      65534
#define DESCRIPTORS 256u
#define OWN_MEMORY  (1ull << 30)

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static void lower(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
	limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
	setrlimit(resource, &limit);
}

/* Where memory runs out the kernel kills the largest, so a server; but of a worker nothing is lost. */
static void die_first(void)
{
	static const char most[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, most, sizeof(most) - 1);
	close(fd);
}

int confine_privileges(void)
{
	die_first(); /* while that file is ours */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	lower(RLIMIT_CORE, 0);
	lower(RLIMIT_NOFILE, DESCRIPTORS);
	lower(RLIMIT_DATA, OWN_MEMORY);
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	return 0;
}

#ifdef ARCHITECTURE

/* What libc, libcurl, its TLS library and the resolver need. The first rows are the ones that matter for
 * speed. */
static const uint16_t allowed[] = {
	SYS_ppoll,
	SYS_read,
	SYS_write,
	SYS_futex,
	SYS_sendto,
	SYS_recvfrom,
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_madvise,
	SYS_mmap,
	SYS_munmap,
	/* files that are open, and reading others */
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_preadv,
	SYS_pwritev,
	SYS_lseek,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_statfs,
	SYS_fstatfs,
	SYS_faccessat,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_getcwd,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_fcntl,
	SYS_ioctl,
	SYS_dup,
	SYS_dup3,
	SYS_flock,
	SYS_fadvise64,
	SYS_pipe2,
	SYS_eventfd2,
	/* network */
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_getsockname,
	SYS_getpeername,
	SYS_setsockopt,
	SYS_getsockopt,
	SYS_shutdown,
	SYS_sendmmsg,
	SYS_recvmmsg,
	SYS_pselect6,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	/* memory, threads, signals of its own */
	SYS_brk,
	SYS_mremap,
	SYS_mprotect,
	SYS_mincore,
	SYS_set_robust_list,
	SYS_get_robust_list,
	SYS_set_tid_address,
	SYS_rseq,
	SYS_membarrier,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigtimedwait,
	SYS_rt_sigsuspend,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
	SYS_nanosleep,
	SYS_clock_getres,
	SYS_gettimeofday,
	/* who and where am I */
	SYS_getpid,
	SYS_gettid,
	SYS_getppid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getresuid,
	SYS_getresgid,
	SYS_getgroups,
	SYS_getrandom,
	SYS_getrlimit,
	SYS_getrusage,
	SYS_uname,
	SYS_sysinfo,
	SYS_prctl,
	SYS_getcpu,
	SYS_times,
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_poll /* calls which newer architectures do not have */
	SYS_poll,
	SYS_select,
	SYS_epoll_wait,
	SYS_epoll_create,
	SYS_pipe,
	SYS_eventfd,
	SYS_dup2,
	SYS_access,
	SYS_stat,
	SYS_lstat,
	SYS_readlink,
	SYS_getdents,
	SYS_time,
	SYS_arch_prctl,
#endif
};

/* Allowed for some of what they may be asked for. `pid`: for the process itself. */
enum test { EQUALS, ANY_OF, NONE_OF, OWN_PID };

static const struct condition {
	uint16_t call;
	uint8_t argument, test;
	uint32_t value;
} conditions[] = {
	{ SYS_openat, 2, NONE_OF, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY) },
#ifdef SYS_open
	{ SYS_open, 1, NONE_OF, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY) },
#endif
	{ SYS_clone, 0, ANY_OF, CLONE_THREAD },
	{ SYS_socket, 0, EQUALS, AF_UNIX },
	{ SYS_socket, 0, EQUALS, AF_INET },
	{ SYS_socket, 0, EQUALS, AF_INET6 },
	{ SYS_socket, 0, EQUALS, AF_NETLINK }, /* getaddrinfo asks for the addresses of this machine */
	{ SYS_prlimit64, 0, EQUALS, 0 },
	{ SYS_kill, 0, OWN_PID, 0 },
	{ SYS_tgkill, 0, OWN_PID, 0 }, /* abort() */
};

enum {
	ALLOWED = sizeof(allowed) / sizeof(*allowed),
	CONDITIONS = sizeof(conditions) / sizeof(*conditions),
	PROGRAM = 4 + 2 * ALLOWED + 2 + 5 * CONDITIONS + 1,
};

struct program {
	struct sock_filter code[PROGRAM];
	unsigned short n;
};

static void load(struct program *p, size_t offset)
{
	p->code[p->n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static void jump(struct program *p, unsigned short test, uint32_t value, uint8_t if_true, uint8_t if_false)
{
	p->code[p->n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value, if_true, if_false);
}

static void end(struct program *p, uint32_t result)
{
	p->code[p->n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, result);
}

/* The lower half of the argument: all of them are ints or flags. */
static void add_condition(struct program *p, const struct condition *c, uint32_t pid)
{
	load(p, offsetof(struct seccomp_data, nr));
	jump(p, BPF_JEQ, c->call, 0, 3);
	load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)c->argument);
	switch (c->test) {
	case EQUALS: jump(p, BPF_JEQ, c->value, 0, 1); break;
	case OWN_PID: jump(p, BPF_JEQ, pid, 0, 1); break;
	case ANY_OF: jump(p, BPF_JSET, c->value, 0, 1); break;
	default: jump(p, BPF_JSET, c->value, 1, 0);
	}
	end(p, SECCOMP_RET_ALLOW);
}

int confine_calls(void)
{
	struct program p = { .n = 0 };
	struct sock_fprog program = { .filter = p.code };
	uint32_t pid = (uint32_t)getpid();

	load(&p, offsetof(struct seccomp_data, arch));
	jump(&p, BPF_JEQ, ARCHITECTURE, 1, 0);
	end(&p, SECCOMP_RET_ERRNO | EPERM);
	load(&p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ALLOWED; i++) {
		jump(&p, BPF_JEQ, allowed[i], 0, 1);
		end(&p, SECCOMP_RET_ALLOW);
	}
	jump(&p, BPF_JEQ, SYS_clone3, 0, 1); /* its flags lie in memory; libc asks with clone() then */
	end(&p, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < CONDITIONS; i++)
		add_condition(&p, &conditions[i], pid);
	end(&p, SECCOMP_RET_ERRNO | EPERM);
	program.len = p.n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

#else

int confine_calls(void) { return -EINVAL; }

#endif
