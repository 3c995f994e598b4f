/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SYS_H
#define BTRACE_SYS_H

/*
 * System calls without libc: the library interposes libc's names, so its own
 * calls must not go through them, must not be cancellation points and must not
 * touch errno. All return the kernel's value: >= 0, or -errno.
 * Async-signal-safe, usable in a vfork child.
 */

#include <sys/syscall.h>

#if defined(__clang_analyzer__) /* which sees no effect of assembly on what a number points to */

long sys6(long nr, long a, long b, long c, long d, long e, long f);

#elif defined(__x86_64__)

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else
#error "libbtrace knows the system call convention of x86-64 and arm64 only"
#endif

/* For calls whose good answer may be any number, an address for instance. */
static inline int sys_failed(long result) { return (unsigned long)result > -4096UL; }

#define SYS_ARG(x)              ((long)(x))
#define sys0(nr)                sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a)             sys6(nr, SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b)          sys6(nr, SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c)       sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d)    sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)
#define sys5(nr, a, b, c, d, e) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0)

#endif
