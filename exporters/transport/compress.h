/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_COMPRESS_H
#define BTRACE_COMPRESS_H

/* Content codings of RFC 9110 8.4.1, for request bodies. Fast rather than small: level 1. */

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

enum compression { COMPRESSION_GZIP, COMPRESSION_DEFLATE /* zlib's format, as HTTP means it */ };

/* Appends the whole of data, compressed. 0 or -ENOMEM. */
int compress_add(struct buf *out, struct slice data, enum compression compression);

#endif
