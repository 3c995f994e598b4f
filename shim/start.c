/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constructor's part: is anything configured, and if so, keep what will be
 * gone later. nginx and others overwrite argv and clean the environment before
 * they listen, so both are copied here. No descriptor stays open, nothing is
 * started; a process without a config leaves after one look at its environment.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "shim/abi/wanted.h"
#include "shim/activate.h"
#include "shim/dl.h"
#include "shim/engine.h"
#include "shim/guard.h"
#include "shim/shim.h"
#include "shim/sys.h"

#define ENVIRONMENT_MAX (1u << 20) /* a larger one: only our own variables are kept */

struct start_facts start_facts;

static bool is_ours(const char *variable)
{
	return !strncmp(variable, "BTRACE_", 7) || !strncmp(variable, "BENTOML_", 8) ||
	       !strncmp(variable, "OTEL_", 5);
}

/* What must not reach the exporter: whatever changes how a program is loaded or allocates. */
static bool is_kept(const char *variable, bool only_ours)
{
	static const char *const refused[] = { "LD_", "GLIBC_TUNABLES=", "GCONV_PATH=", "MALLOC_",
					       "LOCPATH=" };

	if (only_ours)
		return is_ours(variable);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!strncmp(variable, refused[i], strlen(refused[i])))
			return false;
	return true;
}

/* One mapping: the pointers, then the strings. */
static char **copy_environment(char **envp)
{
	size_t bytes = 0, count = 1, all = 0;
	bool only_ours;
	char **copy, *to;
	long mapped;

	for (char **e = envp; *e; e++)
		all += strlen(*e) + 1;
	only_ours = all > ENVIRONMENT_MAX;
	for (char **e = envp; *e; e++)
		if (is_kept(*e, only_ours)) {
			bytes += strlen(*e) + 1;
			count++;
		}
	mapped = sys6(SYS_mmap, 0, (long)(count * sizeof(char *) + bytes), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(mapped))
		return NULL;
	copy = (char **)mapped;
	to = (char *)(copy + count);
	for (char **e = envp; *e; e++)
		if (is_kept(*e, only_ours)) {
			size_t n = strlen(*e) + 1;

			*copy++ = to;
			memcpy(to, *e, n);
			to += n;
		}
	return (char **)mapped;
}

static void keep_command(int argc, char **argv)
{
	size_t at = 0;

	for (int i = 0; i < argc && argv[i] && at + 1 < sizeof(shim.command); i++) {
		size_t n = strlen(argv[i]) + 1;

		if (n > sizeof(shim.command) - at)
			n = sizeof(shim.command) - at;
		memcpy(shim.command + at, argv[i], n);
		at += n;
	}
	shim.command[sizeof(shim.command) - 1] = 0;
}

/* What it was started by: to be had at once, where a look at /proc costs more than all the rest here. */
static void keep_executable(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN);

	if (path && *path == '/')
		self_executable(path, strlen(path));
}

static void keep_service(const char *const *environment)
{
	const char *name = wanted_get(environment, "BTRACE_SERVICE");

	if (!name)
		name = wanted_get(environment, "OTEL_SERVICE_NAME");
	if (name)
		memccpy(shim.service, name, 0, sizeof(shim.service) - 1);
}

/* A page that a forked child finds zeroed, however it was forked; see struct shim_self. */
static bool make_self(void)
{
	long mapped = sys6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_failed(mapped))
		return false;
	sys3(SYS_madvise, mapped, 4096, MADV_WIPEONFORK); /* before Linux 4.14: the atfork handler alone */
	shim.self = (struct shim_self *)mapped;
	shim.self->pid =
		(uint32_t)sys0(SYS_getpid); /* registered or not: by it a vfork child is told apart */
	return true;
}

static void forget_self(void)
{
	atomic_store_explicit(&shim.self->state, 0, memory_order_relaxed);
	shim.self->pid = 0;
	/* the parent's index stays: what it owns must not look like ours, see exchange_own() */
}

static void count_fork(void) { atomic_fetch_add_explicit(&shim.forks, 1, memory_order_relaxed); }

extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso);
extern void *__dso_handle;

static bool configured(const char *const *environment)
{
	if (getauxval(AT_SECURE) || !wanted_by(environment))
		return false; /* set-uid and file capabilities: nothing in the environment is to be trusted */
	return wanted_config(environment, start_facts.config);
}

/* Whether it holds this library, or the function that is called when we ask for the time. */
static int look_at_object(struct dl_phdr_info *info, size_t size, void *context)
{
	const char *name = strrchr(info->dlpi_name, '/');
	bool *is_libc = context;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		uintptr_t bytes = info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		if ((uintptr_t)shim_start - begin < bytes)
			memccpy(start_facts.library, info->dlpi_name, 0, sizeof(start_facts.library) - 1);
		if ((uintptr_t)clock_gettime - begin < bytes && name && !strcmp(name, "/libc.so.6"))
			*is_libc = true;
	}
	return 0;
}

/*
 * libc's own clock: a preloaded libfaketime must not bend our times (the exporter does not have it). dlopen()
 * gives it by handle, but costs as much as the rest of the start: only where another one stands in front of
 * it.
 */
static void find_clock(bool is_libc)
{
	void *libc = is_libc ? NULL : dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	void *found = libc ? dlsym(libc, "clock_gettime") : NULL;

	if (found)
		memcpy(&shim.clock_gettime, &found, sizeof(found));
	else
		shim.clock_gettime = clock_gettime;
}

void shim_start(int argc, char **argv, char **envp)
{
	bool is_libc = false;

	GUARD_ENTER();
	if (!envp || !configured((const char *const *)envp) || !make_self()) {
		GUARD_LEAVE();
		return;
	}
	dl_iterate_phdr(look_at_object, &is_libc);
	find_clock(is_libc);
	keep_executable();
	keep_command(argc, argv);
	keep_service((const char *const *)envp);
	start_facts.environment = copy_environment(envp);
	if (sys2(SYS_getcwd, start_facts.directory, sizeof(start_facts.directory)) < 0)
		start_facts.directory[0] = 0;
	if (start_facts.environment && !__register_atfork(NULL, count_fork, forget_self, __dso_handle)) {
		atomic_store_explicit(&shim_mode, SHIM_ARMED, memory_order_release);
		shim_found_inetd();
	}
	GUARD_LEAVE();
}
