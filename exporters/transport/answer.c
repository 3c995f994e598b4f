/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/answer.h"

#include <stdio.h>

#include "exporters/encode/otlp_response.h"

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
	snprintf(report->message, sizeof(report->message), "taken%s: %.220s",
		 response.rejected_spans ? " in part" : ", with a warning",
		 response.message[0] ? response.message : "no reason given");
}
