/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_LIBRARY_H
#define BTRACE_LIBRARY_H

/* Where libbtrace.so is: beside this program in the build folder, else where `make install` or the
 * distribution puts it, else plain "libbtrace.so", which ld.so may find. */

#include <stddef.h>

void library_find(char *path, size_t size);

#endif
