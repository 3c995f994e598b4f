/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls after which an exporter can no longer be reached or started as whoever this
 * process was. Groups are not among them: they decide nothing about that.
 */
#include "hooks/report.h"

#include <linux/seccomp.h>
#include <stdarg.h>

static inline void before_the_loss(void)
{
	if (__builtin_expect(shim_waits(), 0))
		shim_losing_rights();
}

EXPORT int setuid(uid_t uid)
{
	before_the_loss();
	return real.setuid(uid);
}

EXPORT int seteuid(uid_t uid)
{
	before_the_loss();
	return real.seteuid(uid);
}

EXPORT int setreuid(uid_t ruid, uid_t euid)
{
	before_the_loss();
	return real.setreuid(ruid, euid);
}

EXPORT int setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	before_the_loss();
	return real.setresuid(ruid, euid, suid);
}

EXPORT int chroot(const char *path)
{
	before_the_loss();
	return real.chroot(path);
}

/* Passed on at full width, as libc does. */
EXPORT int prctl(int option, ...)
{
	unsigned long a[4];
	va_list list;
	bool ours;
	int result;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(list, unsigned long);
	va_end(list);
	ours = option == PR_SET_SECCOMP && shim_armed() && shim_locking_in();
	result = real.prctl(option, a[0], a[1], a[2], a[3]);
	if (ours && result == 0)
		shim_locked_in(a[0] == SECCOMP_MODE_STRICT);
	return result;
}
