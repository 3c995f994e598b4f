/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/ctl/attach.h"
#include "exporters/ctl/doctor.h"
#include "exporters/session/ledger.h"

static void check_requests(struct doctor *d, const struct ledger_sums *l)
{
	uint64_t tls = l->counter[LEDGER_OPAQUE_TLS];

	if (!l->requests && !l->opaque && l->counter[LEDGER_CONNECTIONS])
		doctor_add(d, FINDING_WARNING,
			   "programs that inetd or the like starts and that use their connection by stdio "
			   "are not seen: "
			   "let them listen by themselves, or trace a proxy in front",
			   "no request has been seen yet, on %" PRIu64 " connections",
			   l->counter[LEDGER_CONNECTIONS]);
	else if (!l->requests && !l->opaque)
		doctor_add(d, FINDING_NOTE, "send it a request; does the client talk to this process at all?",
			   "no request has been seen yet, and no connection");
	if (tls)
		doctor_add(d, FINDING_WARNING, "let a proxy in front terminate TLS",
			   "%" PRIu64 " connections were TLS: counted, not traced", tls);
	if (l->counter[LEDGER_OPAQUE_NOT_HTTP])
		doctor_add(d, FINDING_NOTE, NULL,
			   "%" PRIu64 " connections were not HTTP/1 (HTTP/2, or no HTTP)",
			   l->counter[LEDGER_OPAQUE_NOT_HTTP]);
	if (l->opaque - tls - l->counter[LEDGER_OPAQUE_NOT_HTTP])
		doctor_add(d, FINDING_WARNING, NULL,
			   "%" PRIu64 " connections could not be followed to their end",
			   l->opaque - tls - l->counter[LEDGER_OPAQUE_NOT_HTTP]);
	if (l->requests && l->sampled_out == l->requests)
		doctor_add(d, FINDING_WARNING, "raise sample_rate, or have the caller sample",
			   "all %" PRIu64 " requests were sampled out", l->requests);
	if (l->requests && l->excluded == l->requests)
		doctor_add(d, FINDING_WARNING, "look at excluded_urls",
			   "all %" PRIu64 " requests were excluded", l->requests);
	if (l->table_full)
		doctor_add(d, FINDING_WARNING, "is the exporter stopped, or starved of processor time?",
			   "%" PRIu64 " requests found the span table full", l->table_full);
	if (l->policy_off)
		doctor_add(d, FINDING_WARNING, NULL, "%" PRIu64 " requests came while tracing was off",
			   l->policy_off);
}

static void check_sinks(struct doctor *d, const struct control *c)
{
	for (uint32_t i = 0; i < c->n_sinks; i++) {
		const struct control_sink *k = &c->sink[i];
		uint64_t failed = control_get(&k->failed), dropped = control_get(&k->queue_dropped);

		if (failed || dropped)
			doctor_add(d, FINDING_PROBLEM,
				   "the exporter's reason is on the server's standard error, or in "
				   "BTRACE_LOG=/FILE",
				   "%s: %" PRIu64 " spans refused or lost, %" PRIu64
				   " dropped from the queue",
				   k->name, failed, dropped);
		else if (control_get(&k->queued))
			doctor_add(d, FINDING_NOTE, NULL, "%s: %" PRIu64 " spans wait to be sent", k->name,
				   control_get(&k->queued));
	}
}

/* While it runs, what is not accounted for is still on its way. */
static void add_ledger(struct doctor *d, const struct ledger_sums *l, const struct control *c)
{
	struct buf text;

	buf_init(&text);
	buf_printf(&text,
		   "%" PRIu64 " requests: %" PRIu64 " taken, %" PRIu64 " sampled out, %" PRIu64
		   " excluded, %" PRIu64 " dropped, %" PRId64 " on their way",
		   l->requests, l->taken, l->sampled_out, l->excluded, l->dropped, l->unbalanced);
	for (uint32_t i = 0; i < c->n_sinks; i++)
		buf_printf(&text, "; %s: %" PRIu64 " sent, %" PRIu64 " failed", c->sink[i].name,
			   control_get(&c->sink[i].sent), control_get(&c->sink[i].failed));
	doctor_add(d, FINDING_OK, NULL, "its account now: %.*s", (int)text.n, text.n ? text.p : "");
	buf_release(&text);
}

void doctor_session(struct doctor *d, uint32_t pid)
{
	struct attached *a = calloc(1, sizeof(*a));
	struct ledger_sums sums;
	size_t unseen = 0;
	int error = a ? attach_find(a, pid, &unseen) : -ENOMEM;

	if (!error) {
		doctor_add(d, FINDING_OK, NULL, "traced by exporter %u with %s", a->keeper, attach_config(a));
		ledger_sum(&a->session, &sums);
		add_ledger(d, &sums, a->session.control);
		check_requests(d, &sums);
		check_sinks(d, a->session.control);
		attach_close(a);
	} else if (unseen) {
		doctor_add(d, FINDING_NOTE, "run this as root, with the btracectl of that version",
			   "which exporter traces it cannot be told: %zu sessions may not be looked at",
			   unseen);
	} else {
		doctor_add(d, FINDING_PROBLEM,
			   "restart the server; look at BTRACE_LOG=/FILE for why it ended",
			   "it has a span table, but no exporter is there that reads it");
	}
	free(a);
}
