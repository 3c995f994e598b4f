/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEST_SPAN_DUMP_H
#define BTRACE_TEST_SPAN_DUMP_H

/* A span as readable lines, everything in it; attributes in the order of their names. */

#include "exporters/base/buf.h"
#include "exporters/span/model.h"

void span_dump(struct buf *out, const struct span *span);

#endif
