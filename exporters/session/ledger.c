/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exporters/session/log.h"

static const char *const ledger_name[LEDGER_MAX] = {
#define LEDGER(id, name, help) [LEDGER_##id] = name,
#include "shim/abi/ledger.def"
#undef LEDGER
};

void ledger_bury(struct control_account *account, const struct table_process *entry)
{
	for (unsigned i = 0; i < LEDGER_MAX; i++)
		for (unsigned shard = 0; shard < TABLE_SHARDS; shard++)
			account->total[i] += control_get(&entry->counter[shard][i]);
}

static uint64_t opaque_of(const struct ledger_sums *l)
{
	uint64_t n = 0;

	for (unsigned i = LEDGER_OPAQUE_NOT_HTTP; i <= LEDGER_OPAQUE_NO_MEMORY; i++)
		n += l->counter[i];
	return n;
}

void ledger_sum(const struct session *s, struct ledger_sums *out)
{
	const struct control_account account = *control_account(s->control);
	const struct journal_counts *c = &account.counts;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < LEDGER_MAX; i++)
		out->counter[i] = account.total[i];
	for (uint32_t p = 0; s->mapped && p < TABLE_PROCESSES; p++) {
		const struct table_process *entry = &s->table.process[p];

		if (table_process_state(&s->table, p) == PROCESS_FREE || account.burying == p + 1)
			continue;
		for (unsigned i = 0; i < LEDGER_MAX; i++)
			for (unsigned shard = 0; shard < TABLE_SHARDS; shard++)
				out->counter[i] += control_get(&entry->counter[shard][i]);
	}
	out->requests = out->counter[LEDGER_REQUESTS];
	out->taken = c->taken;
	out->sampled_out = out->counter[LEDGER_SAMPLED_OUT] + c->sampled_out;
	out->excluded = out->counter[LEDGER_EXCLUDED] + c->excluded;
	out->aborted = c->aborted;
	out->table_full = out->counter[LEDGER_DROPPED_TABLE_FULL];
	out->pipeline_overflow = out->counter[LEDGER_DROPPED_PIPELINE];
	out->policy_off = out->counter[LEDGER_DROPPED_OFF] + c->dropped_off;
	out->invalid = c->invalid;
	out->dropped = out->table_full + out->pipeline_overflow + out->policy_off + out->invalid;
	out->opaque = opaque_of(out);
	out->client_taken = c->client_taken;
	out->client_sampled_out = out->counter[LEDGER_CLIENT_SAMPLED_OUT] + c->client_sampled_out;
	out->client_dropped = out->counter[LEDGER_CLIENT_DROPPED] + c->client_dropped;
	out->own_taken = c->own_taken;
	out->client_unbalanced =
		(int64_t)(out->counter[LEDGER_CLIENT_REQUESTS] - out->client_taken - out->client_sampled_out -
			  out->counter[LEDGER_CLIENT_EXCLUDED] - out->client_dropped);
	out->own_sampled_out = out->counter[LEDGER_OWN_SAMPLED_OUT] + c->own_sampled_out;
	out->own_dropped = out->counter[LEDGER_OWN_DROPPED] + c->own_dropped;
	out->own_unbalanced = (int64_t)(out->counter[LEDGER_OWN_SPANS] - out->own_taken -
					out->own_sampled_out - out->own_dropped);
	out->unbalanced =
		(int64_t)(out->requests - out->taken - out->sampled_out - out->excluded - out->dropped);
}

static void text_of_clients(const struct ledger_sums *l, struct buf *out)
{
	uint64_t requests = l->counter[LEDGER_CLIENT_REQUESTS];

	if (requests)
		buf_printf(out, "; client: %" PRIu64 " requests, %" PRIu64 " taken", requests,
			   l->client_taken);
	if (l->counter[LEDGER_CLIENT_AMBIGUOUS])
		buf_printf(out, ", %" PRIu64 " ambiguous", l->counter[LEDGER_CLIENT_AMBIGUOUS]);
	if (l->client_dropped)
		buf_printf(out, ", %" PRIu64 " dropped", l->client_dropped);
	if (l->client_unbalanced)
		buf_printf(out, ", %" PRId64 " unbalanced", l->client_unbalanced);
}

static void text_of_own(const struct ledger_sums *l, struct buf *out)
{
	if (!l->counter[LEDGER_OWN_SPANS])
		return;
	buf_printf(out, "; own spans: %" PRIu64 ", %" PRIu64 " taken", l->counter[LEDGER_OWN_SPANS],
		   l->own_taken);
	if (l->own_dropped)
		buf_printf(out, ", %" PRIu64 " dropped", l->own_dropped);
	if (l->own_unbalanced)
		buf_printf(out, ", %" PRId64 " unbalanced", l->own_unbalanced);
}

void ledger_text(const struct session *s, struct buf *out)
{
	const struct control *c = s->control;
	struct ledger_sums l;

	ledger_sum(s, &l);
	buf_printf(out,
		   "btrace: %" PRIu64 " requests: %" PRIu64 " taken, %" PRIu64 " sampled out, %" PRIu64
		   " excluded, %" PRIu64 " dropped, %" PRIu64 " aborted",
		   l.requests, l.taken, l.sampled_out, l.excluded, l.dropped, l.aborted);
	if (l.opaque)
		buf_printf(out, ", %" PRIu64 " connections not followed", l.opaque);
	else if (!l.requests &&
		 l.counter[LEDGER_CONNECTIONS]) /* handed to programs that use stdio, perhaps */
		buf_printf(out, ", no request seen on %" PRIu64 " connections",
			   l.counter[LEDGER_CONNECTIONS]);
	if (l.unbalanced)
		buf_printf(out, ", %" PRId64 " unbalanced", l.unbalanced);
	text_of_clients(&l, out);
	text_of_own(&l, out);
	for (uint32_t i = 0; i < c->n_sinks; i++) {
		const struct control_sink *k = &c->sink[i];

		buf_printf(out, "; %s: %" PRIu64 " sent, %" PRIu64 " failed", k->name, control_get(&k->sent),
			   control_get(&k->failed));
		if (control_get(&k->queue_dropped))
			buf_printf(out, ", %" PRIu64 " dropped from the queue",
				   control_get(&k->queue_dropped));
		if (control_get(&k->spooled))
			buf_printf(out, ", %" PRIu64 " spooled", control_get(&k->spooled));
		if (control_get(&k->queued))
			buf_printf(out, ", %" PRIu64 " still to be sent", control_get(&k->queued));
	}
	buf_add_text(out, "\n");
}

static void json_number(struct buf *out, const char *before, const char *name, uint64_t value)
{
	buf_printf(out, "%s\"%s\":%" PRIu64, before, name, value);
}

static void json_dropped(const struct ledger_sums *l, struct buf *out)
{
	buf_add_text(out, ",\"dropped\":{");
	json_number(out, "", "table_full", l->table_full);
	json_number(out, ",", "pipeline_overflow", l->pipeline_overflow);
	json_number(out, ",", "policy_off", l->policy_off);
	json_number(out, ",", "invalid", l->invalid);
	buf_add_text(out, "}");
}

static void json_clients(const struct ledger_sums *l, struct buf *out)
{
	json_number(out, ",\"client\":{", "connections", l->counter[LEDGER_CLIENT_CONNECTIONS]);
	json_number(out, ",", "requests", l->counter[LEDGER_CLIENT_REQUESTS]);
	json_number(out, ",", "taken", l->client_taken);
	json_number(out, ",", "sampled_out", l->client_sampled_out);
	json_number(out, ",", "excluded", l->counter[LEDGER_CLIENT_EXCLUDED]);
	json_number(out, ",", "dropped", l->client_dropped);
	json_number(out, ",", "ambiguous", l->counter[LEDGER_CLIENT_AMBIGUOUS]);
	json_number(out, ",", "injected", l->counter[LEDGER_INJECTED]);
	json_number(out, ",", "opaque_connections", l->counter[LEDGER_CLIENT_OPAQUE]);
	buf_printf(out, ",\"unbalanced\":%" PRId64 "}", l->client_unbalanced);
	json_number(out, ",\"own\":{", "begun", l->counter[LEDGER_OWN_SPANS]);
	json_number(out, ",", "taken", l->own_taken);
	json_number(out, ",", "sampled_out", l->own_sampled_out);
	json_number(out, ",", "dropped", l->own_dropped);
	buf_printf(out, ",\"unbalanced\":%" PRId64 "}", l->own_unbalanced);
}

static void json_exporters(const struct control *c, struct buf *out)
{
	buf_add_text(out, ",\"exporters\":{");
	for (uint32_t i = 0; i < c->n_sinks; i++) {
		const struct control_sink *k = &c->sink[i];

		buf_printf(out, "%s\"%s\":{", i ? "," : "", k->name);
		json_number(out, "", "sent", control_get(&k->sent));
		json_number(out, ",", "failed", control_get(&k->failed));
		json_number(out, ",", "queue_dropped", control_get(&k->queue_dropped));
		json_number(out, ",", "spooled", control_get(&k->spooled));
		if (control_get(&k->queued))
			json_number(out, ",", "queued", control_get(&k->queued));
		buf_add_text(out, "}");
	}
	buf_add_text(out, "}");
}

void ledger_json(const struct session *s, struct buf *out)
{
	struct ledger_sums l;

	ledger_sum(s, &l);
	json_number(out, "{", "connections", l.counter[LEDGER_CONNECTIONS]);
	json_number(out, ",", "requests", l.requests);
	json_number(out, ",", "taken", l.taken);
	json_number(out, ",", "sampled_out", l.sampled_out);
	json_number(out, ",", "excluded", l.excluded);
	json_dropped(&l, out);
	json_number(out, ",", "aborted", l.aborted);
	json_number(out, ",", "child_spans", control_account(s->control)->counts.children);
	json_number(out, ",", "opaque_connections", l.opaque);
	buf_printf(out, ",\"unbalanced\":%" PRId64, l.unbalanced);
	json_clients(&l, out);
	json_exporters(s->control, out);
	buf_add_text(out, ",\"counters\":{");
	for (unsigned i = 0; i < LEDGER_MAX; i++)
		json_number(out, i ? "," : "", ledger_name[i], l.counter[i]);
	buf_add_text(out, "}}\n");
}

static const char *path_from_environment(const struct session *s)
{
	for (const char *const *e = s->environment; *e; e++)
		if (!strncmp(*e, "BTRACE_LEDGER=", 14) && (*e)[14])
			return *e + 14;
	return NULL;
}

static bool write_file(const char *path, const struct buf *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
	bool good = fd >= 0 && write(fd, text->p, text->n) == (ssize_t)text->n;

	if (fd >= 0)
		close(fd);
	return good;
}

void ledger_write(const struct session *s)
{
	const char *name = path_from_environment(s);
	char path[4200], temporary[4220];
	struct buf text;

	if (!name)
		return;
	snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : s->directory, *name == '/' ? "" : "/",
		 name);
	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	buf_init(&text);
	ledger_json(s, &text);
	/* Renamed into place, so that whoever waits for it never reads half of it. */
	if (!write_file(temporary, &text, O_EXCL) || rename(temporary, path) < 0) {
		unlink(temporary);
		if (!write_file(path, &text, O_TRUNC))
			log_line("cannot write the ledger to %s: %s", path, strerror(errno));
	}
	buf_release(&text);
}
