/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/encode/otlp_response.h"

void answer_say(struct send_report *report, const char *format, ...)
{
	char text[768];
	struct buf clean;
	va_list args;
	size_t n;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_init(&clean);
	buf_add_utf8(&clean, slice_of(text));
	n = utf8_cut((struct slice){ clean.p, clean.n }, sizeof(report->message) - 1);
	for (size_t i = 0; i < n; i++)
		report->message[i] = (unsigned char)clean.p[i] < ' ' || clean.p[i] == 0x7f ? ' ' : clean.p[i];
	report->message[n] = '\0';
	buf_release(&clean);
}

void answer_taken(struct send_report *report, struct slice message, bool json, enum answer_rules rules)
{
	struct otlp_response response;

	*report = (struct send_report){ .result = SEND_OK };
	if (rules != ANSWERS_OTLP || !otlp_response_read(&response, message, json))
		return;
	if (response.rejected_spans == 0 && !response.message[0])
		return;
	report->result = SEND_PARTIAL;
	report->rejected = response.rejected_spans;
	answer_say(report, "taken%s: %s", response.rejected_spans ? " in part" : ", with a warning",
		   response.message[0] ? response.message : "no reason given");
}
