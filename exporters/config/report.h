/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_REPORT_H
#define BTRACE_CONFIG_REPORT_H

#include "exporters/config/config.h"

/*
 * Adds a message. What is not printable in it becomes '?'. Too many (REPORT_MAX)
 * or no memory: counted only.
 */
enum { REPORT_MAX = 100, REPORT_TEXT_MAX = 512 };
void report_error(struct config_report *r, struct config_mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_warning(struct config_report *r, struct config_mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* By place within each source; sources stay in the order in which they first spoke. */
void report_sort(struct config_report *r);

/* A value as it is shown in messages: in quotes, cut, harmless. Returns out. */
enum { REPORT_QUOTE_MAX = 80 };
const char *report_quote(char out[REPORT_QUOTE_MAX], const char *text);

/*
 * "did you mean": is `word` a slip of `candidate`? The number of edits (insert,
 * delete, replace, swap; case does not count), or a large number.
 */
unsigned report_distance(const char *word, const char *candidate);
enum { REPORT_FAR = 1000 };
/* So many edits still look like a slip for a word of this length. */
unsigned report_tolerance(const char *word);

#endif
