/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "shim/activate.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "shim/engine.h"
#include "shim/session.h"
#include "shim/shim.h"
#include "shim/sys.h"

enum purpose { FOR_SERVER, FOR_CLIENT, FOR_LATER };

#define STACK_BYTES (128u * 1024)
/* Of one millisecond: */
#define WAIT_TRIES   200  /* for a thread that comes while another one activates */
#define POLICY_TRIES 1000 /* for a command's exporter to have read its configuration */

static void say(const char *a, const char *b, const char *c)
{
	const char *const part[] = { "btrace: not tracing: ", a, b, c, "\n" };
	struct iovec iov[5];

	for (int i = 0; i < 5; i++)
		iov[i] = (struct iovec){ (void *)(uintptr_t)part[i], strlen(part[i]) };
	sys3(SYS_writev, 2, (void *)iov, 5);
}

static const char *error_text(int error)
{
	switch (error) {
	case 0: return "";
	case ENOENT: return ": no such file";
	case EACCES:
	case EPERM: return ": permission denied";
	case ENOMEM: return ": out of memory";
	case EMFILE:
	case ENFILE: return ": too many open files";
	case EAGAIN: return ": too many processes, or no answer in time";
	case EFBIG: return ": the file size limit (ulimit -f) is too small";
	case ENOSYS: return ": not supported by this kernel";
	case EPROTO: return ": a btrace-exporter of another version is running";
	default: return ": system error";
	}
}

/*
 * The child runs on our memory (CLONE_VM) but on a copy of our descriptors (no
 * CLONE_FILES): what it maps is mapped in the host, what it opens and closes the
 * host never sees, even when the host has run out of descriptors. Exit signal
 * 0: the host's SIGCHLD handler and its waitpid(-1) know nothing of it.
 */
static bool run_session_child(struct session *session)
{
	uint64_t all = UINT64_MAX, before = 0;
	char *stack;
	long mapped = sys6(SYS_mmap, 0, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int error = errno, pid;

	if (sys_failed(mapped)) {
		session->error = ENOMEM;
		return false;
	}
	stack = (char *)mapped;
	/* A handler of the host must not run in the child, on a foreign stack. */
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, (void *)&all, (void *)&before, 8);
	session->stack = stack; /* the lower half is for the exporter's own start */
	pid = clone(session_child, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK, session);
	if (pid < 0)
		session->error = errno;
	else
		while (sys4(SYS_wait4, pid, 0, __WCLONE, 0) == -EINTR)
			;
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, (void *)&before, 0, 8);
	sys2(SYS_munmap, mapped, STACK_BYTES);
	errno = error;
	return pid >= 0 && session->base;
}

static void pause_one(void)
{
	struct timespec millisecond = { 0, 1000000 };

	sys2(SYS_nanosleep, (void *)&millisecond, 0);
}

static __attribute__((cold, noinline)) bool start(enum purpose purpose)
{
	struct session session = { .what = "cannot start the exporter",
				   .detail = "",
				   .client = purpose == FOR_CLIENT,
				   .later = purpose == FOR_LATER };

	if (run_session_child(&session) && !table_attach(&shim.table, session.base, session.bytes)) {
		sys3(SYS_madvise, session.base, session.bytes, MADV_DONTDUMP);
		atomic_store_explicit(&shim.early, purpose == FOR_LATER, memory_order_relaxed);
		atomic_store_explicit(&shim_mode, SHIM_ACTIVE, memory_order_release);
		if (purpose != FOR_LATER)
			self_get();
		return true;
	}
	if (session.unwanted) {
		atomic_store_explicit(&shim.client_unwanted, 1, memory_order_relaxed);
		atomic_store_explicit(&shim_mode, SHIM_ARMED, memory_order_release);
		return false;
	}
	if (session.base)
		sys2(SYS_munmap, session.base, session.bytes);
	say(session.what, session.detail, error_text(session.error));
	atomic_store_explicit(&shim_mode, SHIM_FAILED, memory_order_release);
	return false;
}

/* Who comes while another thread activates waits for it. */
static bool activate_for(enum purpose purpose)
{
	for (int i = 0; i <= WAIT_TRIES; i++) {
		uint32_t mode = SHIM_ARMED;

		if (purpose == FOR_CLIENT &&
		    atomic_load_explicit(&shim.client_unwanted, memory_order_relaxed))
			break;
		if (atomic_compare_exchange_strong_explicit(&shim_mode, &mode, SHIM_STARTING,
							    memory_order_acq_rel, memory_order_acquire))
			return start(purpose);
		if (mode != SHIM_STARTING)
			return mode == SHIM_ACTIVE;
		pause_one();
	}
	return false;
}

bool activate(void)
{
	if (!activate_for(FOR_SERVER))
		return false;
	atomic_store_explicit(&shim.serves, 1, memory_order_relaxed);
	self_get(); /* if it was activated early: now it takes part */
	return true;
}

bool activate_client(void)
{
	if (!activate_for(FOR_CLIENT))
		return false;
	for (int i = 0; i < POLICY_TRIES && !table_policy(&shim.table); i++)
		pause_one();
	return true;
}

bool activate_later(void) { return activate_for(FOR_LATER); }
