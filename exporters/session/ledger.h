/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_LEDGER_H
#define BTRACE_LEDGER_H

/*
 * The account of a session: every request that the parsers counted, and where
 * it went. requests = taken + sampled_out + excluded + sum(dropped) +
 * unbalanced; per exporter taken + child_spans + client taken + own taken = sent + failed + queue_dropped +
 * spooled (+ queued, while it is not over).
 */

#include "exporters/base/buf.h"
#include "exporters/session/session.h"

struct ledger_sums {
	uint64_t counter[LEDGER_MAX]; /* of all processes, dead and alive */
	uint64_t requests, taken, sampled_out, excluded, aborted;
	uint64_t table_full, pipeline_overflow, policy_off, invalid, dropped;
	uint64_t opaque;
	uint64_t client_taken, client_sampled_out, client_dropped;
	uint64_t own_taken, own_sampled_out, own_dropped;
	int64_t unbalanced, client_unbalanced, own_unbalanced;
};

/* The table may be unmapped: then the dead alone are summed, which at the end are all. */
void ledger_sum(const struct session *s, struct ledger_sums *out);
/* Adds a process's counters to the totals of the dead. */
void ledger_bury(struct control_account *account, const struct table_process *entry);
void ledger_text(const struct session *s, struct buf *out); /* one line with its newline, for people */
void ledger_json(const struct session *s, struct buf *out); /* one object with a newline */
/* Writes the JSON where BTRACE_LEDGER says, relative to the directory of the session; whole or not at all. */
void ledger_write(const struct session *s);

#endif
