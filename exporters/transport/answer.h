/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ANSWER_H
#define BTRACE_ANSWER_H

/* What HTTP and gRPC answers have in common. Pure. */

#include <stdbool.h>

#include "exporters/base/slice.h"
#include "exporters/transport/transport.h"

/* Sets the report's message, as one line of valid UTF-8 without control characters, cut between characters.
 */
void answer_say(struct send_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The receiver took the payload: SEND_OK, or SEND_PARTIAL if an OTLP receiver says in
 * its message that it rejected some, or wants to tell something. A message
 * that cannot be read changes nothing: the payload was taken.
 */
void answer_taken(struct send_report *report, struct slice message, bool json, enum answer_rules rules);

#endif
