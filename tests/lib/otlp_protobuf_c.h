/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_OTLP_PROTOBUF_C_H
#define BTRACE_TESTS_OTLP_PROTOBUF_C_H

/*
 * OTLP protobuf as libprotobuf-c writes it, from a tree of structs in an arena: the
 * yardstick for otlp_pb.c, in bytes and in time. One resource and scope; no events, no links.
 */

#include "exporters/base/arena.h"
#include "exporters/base/buf.h"
#include "exporters/span/model.h"

void otlp_by_protobuf_c(struct arena *a, const struct batch *batch, struct buf *out);

#endif
