/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SESSION_LOG_H
#define BTRACE_SESSION_LOG_H

/*
 * Lines for people, on standard error, which we share with the host: never
 * blocking (a full pipe: the line is lost), never when the host's output is
 * somebody else's business already (control->silent). BTRACE_LOG=FILE gets
 * them as well.
 */

#include "exporters/base/slice.h"

struct control;

void log_open(const struct control *control, int file); /* file: descriptor or -1 */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_text(struct slice lines); /* lines as they are, each ended by a newline */

#endif
