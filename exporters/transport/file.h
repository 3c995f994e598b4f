/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FILE_H
#define BTRACE_FILE_H

/*
 * Opening and rotating the trace file: for the file transport, and for the keeper,
 * which does it on behalf of a worker that has given up the right to.
 */

#include <stddef.h>

enum { FILE_KEEP_DEFAULT = 3, FILE_KEEP_MAX = 1000 };

/*
 * For appending, made with mode 0600 if it is not there. A FIFO or terminal is
 * opened without waiting for its other side. A descriptor or -errno.
 */
int file_open(const char *path);

/*
 * path becomes path.1, path.1 becomes path.2, …, path.keep goes. 0 or -errno; a
 * path that is not there is no error. The caller opens path anew.
 */
int file_rotate(const char *path, unsigned keep);

#endif
