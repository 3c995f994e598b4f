/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_DL_H
#define BTRACE_DL_H

/*
 * dlsym and dlopen under their oldest symbol version: glibc 2.34 moved them
 * from libdl into libc under a new one, and a reference to that would not
 * disable the preload on an older system but kill the host.
 */

#include <dlfcn.h>

#if defined(__x86_64__)
#define DL_VERSION "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define DL_VERSION "GLIBC_2.17"
#endif

#if defined(__GLIBC__) && defined(__PIC__) && !defined(__PIE__)
__asm__(".symver dlsym,dlsym@" DL_VERSION);
__asm__(".symver dlopen,dlopen@" DL_VERSION);
#endif

#endif
