/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/formats.h"

#include <string.h>

const struct format *const formats[] = {
	&format_otlp_json,           /* file lines; OTLP/HTTP with JSON */
	&format_otlp_pb,             /* OTLP/gRPC, OTLP/HTTP */
	&format_zipkin,              /* v2 */
	&format_jaeger_compact,      /* agent, UDP 6831 */
	&format_jaeger_binary,       /* agent, UDP 6832 */
	&format_jaeger_binary_batch, /* collector, HTTP 14268 */
	&format_jaeger_pb,           /* collector, gRPC 14250 */
	&format_console,
	NULL,
};

const struct format *format_by_name(const char *name)
{
	for (const struct format *const *row = formats; *row; row++)
		if (strcmp((*row)->name, name) == 0)
			return *row;
	return NULL;
}
