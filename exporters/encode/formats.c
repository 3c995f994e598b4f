/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/formats.h"

#include <string.h>

const struct format *const formats[] = {
	&format_otlp_json, &format_otlp_pb, &format_zipkin, &format_console, NULL,
};

const struct format *format_by_name(const char *name)
{
	for (const struct format *const *row = formats; *row; row++)
		if (strcmp((*row)->name, name) == 0)
			return *row;
	return NULL;
}
