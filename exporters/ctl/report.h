/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REPORT_H
#define BTRACE_REPORT_H

/*
 * One HTML page that shows traces and needs nothing else: the sources in
 * exporters/ctl/report/ (built in as text) and the data.
 *
 * The data is JSON, compressed and in base64, so that nothing in it can be taken
 * for markup; the page puts it on the screen as text nodes only, and its policy
 * allows no script but the one that carries this page's random nonce.
 */

#include "exporters/base/buf.h"
#include "exporters/ctl/trace_set.h"

struct report {
	const struct trace_set *set;
	const uint32_t *chosen; /* places in set->traces, in order of time */
	size_t n;
	struct slice title;
	uint64_t now_unix_ns; /* when it was made */
};

/* Appends the page. 0 or -ENOMEM. */
int report_page(struct buf *out, const struct report *report);

/*
 * Appends the data. Columns instead of objects: arrays with one number a span,
 * texts, values and sets of keys by their number. report/model.js reads it.
 */
int report_data(struct buf *out, const struct report *report);

#endif
