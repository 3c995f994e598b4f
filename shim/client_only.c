/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/client_only.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "shim/abi/wanted.h"
#include "shim/activate.h"
#include "shim/sys.h"

#define LOOKED_AT (64 * 1024)

static long open_regular(const char *path)
{
	struct stat st = { 0 };
	long fd;

	/* before it is opened: to open a FIFO lets its writer go on */
	if (sys4(SYS_newfstatat, AT_FDCWD, (void *)(uintptr_t)path, (void *)&st, 0) < 0 ||
	    !S_ISREG(st.st_mode))
		return -1;
	fd = sys4(SYS_openat, AT_FDCWD, (void *)(uintptr_t)path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		  0);
	return fd;
}

static bool wanted_by_file(long fd)
{
	/* read, not mapped: a file that is cut short under a mapping is a SIGBUS in the host */
	long mapped =
		sys6(SYS_mmap, 0, LOOKED_AT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long n = 0, got = 1;
	bool wanted;

	if (sys_failed(mapped))
		return false;
	while (n < LOOKED_AT && (got = sys3(SYS_read, fd, (void *)((char *)mapped + n), LOOKED_AT - n)) > 0)
		n += got;
	wanted = wanted_client_only((const char *)mapped, (size_t)n);
	sys2(SYS_munmap, mapped, LOOKED_AT);
	return wanted;
}

bool client_only_wanted(const char *config)
{
	bool wanted = wanted_client_only_by((const char *const *)start_facts.environment);
	long fd;

	if (wanted || !*config || (fd = open_regular(config)) < 0)
		return wanted;
	wanted = wanted_by_file(fd);
	sys1(SYS_close, fd);
	return wanted;
}
