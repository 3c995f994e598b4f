/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FORMATS_H
#define BTRACE_FORMATS_H

/* The rows of formats.c, each defined in the file of its format. */

#include "exporters/encode/format.h"

extern const struct format format_otlp_json;
extern const struct format format_otlp_pb;
extern const struct format format_zipkin;
extern const struct format format_jaeger_compact, format_jaeger_binary, format_jaeger_binary_batch;
extern const struct format format_jaeger_pb;
extern const struct format format_console;

#endif
