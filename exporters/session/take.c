/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/take.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/session/ledger.h"
#include "exporters/session/options.h"
#include "exporters/span/from_record.h"
#include "shim/decide.h"

#define SPANS_PER_SLOT (1 + SPAN_CHILDREN_MAX)

struct take_resource {
	struct arena arena;
	struct resource resource;
};

int take_init(struct take *t, struct session *s, uint16_t epoch)
{
	memset(t, 0, sizeof(*t));
	t->session = s;
	t->epoch = epoch;
	t->max_spans = s->config.batch_spans && s->config.batch_spans <= JOURNAL_SLOTS
			       ? (uint32_t)s->config.batch_spans
			       : 512;
	t->spans = calloc((size_t)t->max_spans * SPANS_PER_SLOT, sizeof(*t->spans));
	t->other = calloc((size_t)t->max_spans * SPANS_PER_SLOT, sizeof(*t->other));
	t->slots = calloc(t->max_spans, sizeof(*t->slots));
	arena_init(&t->facts);
	arena_init(&t->arena);
	host_facts_read(&t->host, &t->facts, "");
	t->resources.host = &t->host;
	memcpy(t->resources.seed, s->table.header->seed, sizeof(t->resources.seed));
	session_options(&s->config, &t->facts, &t->options, &t->resources);
	live_index_init(&t->live, &s->control->live);
	routes_init(&t->routes, &s->config, &t->arena, &t->options);
	return t->spans && t->other && t->slots && !t->facts.failed ? 0 : -ENOMEM;
}

static void forget_resource(struct take *t, uint16_t index)
{
	if (!t->resource[index])
		return;
	arena_release(&t->resource[index]->arena);
	free(t->resource[index]);
	t->resource[index] = NULL;
}

void take_release_all(struct take *t)
{
	for (uint32_t i = 0; i < TABLE_PROCESSES; i++)
		forget_resource(t, (uint16_t)i);
	routes_release(&t->routes);
	arena_release(&t->arena);
	arena_release(&t->facts);
	free(t->spans);
	free(t->other);
	free(t->slots);
}

static const struct resource *resource_of(struct take *t, uint16_t index)
{
	struct take_resource *r = t->resource[index];
	struct process_facts facts;

	if (r) /* forgotten when the entry is buried, and not before its last span is out */
		return &r->resource;
	process_facts_copy(&facts, &t->session->table.process[index], index);
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	arena_init(&r->arena);
	t->resource[index] = r;
	if (!resource_make(&t->resources, &facts, &r->arena, &r->resource))
		return &r->resource;
	forget_resource(t, index);
	return NULL;
}

/* A writer killed in the middle of a string leaves a tail that does not add up: keep what is whole. */
static void salvage(struct span_slot *copy)
{
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;

	if (copy->head.tail_bytes > SPAN_TAIL_BYTES)
		copy->head.tail_bytes = 0;
	while (span_next_string(copy, &pos, &tag, &value, &n))
		;
	copy->head.tail_bytes = (uint16_t)pos;
}

/* The span of an owner that died: whole if it was just handing over the last bytes of the response, else
 * aborted. */
static void settle_open(struct span_slot *copy)
{
	struct timespec now;

	salvage(copy);
	if (copy->head.end == SPAN_END_NO_RESPONSE && copy->head.end_ns)
		return; /* left to a forked child that never answered: shim/exchange_end.c */
	if (copy->head.end == SPAN_END_COMPLETE && copy->head.kind == SPAN_KIND_INTERNAL)
		return; /* ended by the program, which died before it could say so */
	if (copy->head.end != SPAN_END_COMPLETE) {
		copy->head.end = SPAN_END_PROCESS_DIED;
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	copy->head.end_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
	copy->head.flags |= SPAN_FLAG_HANDED_OVER;
}

static bool failed(const struct span_record *r)
{
	return r->status >= 500 || (r->end != SPAN_END_COMPLETE && r->end != SPAN_END_SWITCHED);
}

/* Lost the draw, but may be wanted for what became of it. */
static bool keep_rule(const struct config *config, const struct span_record *r)
{
	return (config->keep_errors && failed(r)) ||
	       (config->keep_slower_than_ns && r->end_ns - r->start_ns >= config->keep_slower_than_ns &&
		r->end_ns > r->start_ns);
}

/* An own span from before the policy: it draws by its trace id, as its parents and children do. What becomes
 * of a request that was not judged either cannot be told if patterns may exclude it. */
static bool judge_own(struct take *t, const struct policy *policy, struct span_slot *copy)
{
	if (!policy || policy->mode != POLICY_ON ||
	    (copy->head.flags & SPAN_FLAG_EARLY_REQUEST && policy->automaton_bytes)) {
		t->counts.own_dropped++;
		return false;
	}
	if (decide_client(NULL, policy, &copy->head, POLICY_NO_PARENT) == DECIDE_SAMPLED)
		return true;
	t->counts.own_sampled_out++;
	return false;
}

/* Of a request that was sent before there was a policy. */
static bool is_client_kept(struct take *t, struct span_slot *copy, const struct policy *policy)
{
	if (!policy || policy->mode != POLICY_ON || !(policy->flags & POLICY_FLAG_CLIENT_SPANS)) {
		t->counts.client_dropped++;
		return false;
	}
	if (decide_client_late(t->session->table.header, policy, copy) == DECIDE_SAMPLED)
		return true;
	t->counts.client_sampled_out++;
	return false;
}

/* Does the span go out? If not, it is counted here. */
static bool is_kept(struct take *t, struct span_slot *copy)
{
	struct session *s = t->session;
	const struct policy *policy = table_policy(&s->table);

	if (copy->head.flags & SPAN_FLAG_UNDECIDED && copy->head.kind == SPAN_KIND_INTERNAL)
		return judge_own(t, policy, copy);
	if (copy->head.flags & SPAN_FLAG_UNDECIDED && copy->head.kind == SPAN_KIND_CLIENT)
		return is_client_kept(t, copy, policy);
	if (copy->head.flags & SPAN_FLAG_UNDECIDED) {
		if (!policy || policy->mode != POLICY_ON) {
			t->counts.dropped_off++;
			return false;
		}
		switch (decide(s->table.header, policy, copy, NULL, NULL)) {
		case DECIDE_SAMPLED: return true;
		case DECIDE_EXCLUDED: t->counts.excluded++; return false;
		case DECIDE_SAMPLED_OUT: copy->head.flags |= SPAN_FLAG_TAIL_CANDIDATE;
		}
	}
	if (!(copy->head.flags & SPAN_FLAG_TAIL_CANDIDATE) || keep_rule(&s->config, &copy->head))
		return true;
	t->counts.sampled_out++;
	return false;
}

/* Of a record that is valid. */
static uint32_t make_spans(struct take *t, const struct span_slot *copy)
{
	const struct resource *resource = resource_of(t, copy->head.process);
	int64_t to_unix = unix_time_offset(&t->time, copy->head.end_ns);
	struct span *span = &t->spans[t->n];
	size_t n = 1;

	if (!resource || span_from_record(copy, &t->options, resource, to_unix, &t->arena, span))
		return 0;
	if (t->options.child_spans && copy->head.kind == SPAN_KIND_SERVER)
		n += span_children(copy, &t->options, span, to_unix, &t->arena, span + 1);
	t->n += n;
	return (uint32_t)n;
}

uint32_t take_make(struct take *t, struct span_slot *copy, bool settle)
{
	if (settle)
		settle_open(copy);
	return span_record_valid(copy) ? make_spans(t, copy) : 0;
}

/* What became of a slot that was just taken: counted, and spans if it is kept. */
static void judge(struct take *t, struct take_slot *at, struct span_slot *copy, bool settle)
{
	uint32_t n;

	if (settle && !copy->head.version && copy->head.kind != SPAN_KIND_INTERNAL)
		return; /* no request line yet: it was never counted as a request */
	if (settle)
		settle_open(copy);
	if (!span_record_valid(copy)) {
		t->counts.invalid++;
		return;
	}
	if (!is_kept(t, copy))
		return;
	n = make_spans(t, copy);
	if (!n) {
		t->counts.invalid++;
		return;
	}
	at->entry.spans = (uint16_t)n;
	at->process = copy->head.process;
	at->end_unix_ns = t->spans[at->first].end_unix_ns;
	if (copy->head.kind != SPAN_KIND_SERVER) {
		*(copy->head.kind == SPAN_KIND_CLIENT ? &t->counts.client_taken : &t->counts.own_taken) += 1;
		return;
	}
	t->counts.taken++;
	t->counts.children += n - 1;
	live_count(&t->session->control->live, &t->live, &t->spans[at->first]);
	if (copy->head.end != SPAN_END_COMPLETE && copy->head.end != SPAN_END_SWITCHED)
		t->counts.aborted++;
}

static uint32_t count_bits(const _Atomic uint64_t *bits, uint32_t words)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < words; w++)
		n += (uint32_t)__builtin_popcountll(atomic_load_explicit(&bits[w], memory_order_relaxed));
	return n;
}

static void add_slot(struct take *t, uint32_t slot, struct span_slot *copy, bool settle)
{
	struct journal *journal = &t->session->control->journal;
	struct take_slot *at = &t->slots[t->n_slots++];

	*at = (struct take_slot){ .entry = { table_generation(&t->session->table, slot), slot, 0, settle },
				  .first = (uint32_t)t->n };
	journal->making_generation = at->entry.generation;
	atomic_store_explicit(&journal->making, slot + 1, memory_order_release);
	judge(t, at, copy, settle);
	atomic_store_explicit(&journal->making, 0, memory_order_release);
}

uint32_t take_waiting(const struct take *t)
{
	return count_bits(t->session->table.done_bits, t->session->table.words);
}

uint32_t take_free(const struct take *t)
{
	return count_bits(t->session->table.free_bits, t->session->table.words);
}

/* Taken from a dead owner by a worker that died as well, or foretold to be whole: exchange_output_predict().
 */
static bool is_open(const struct span_slot *copy)
{
	return copy->head.end == SPAN_END_OPEN || !copy->head.end_ns;
}

uint32_t take_fill(struct take *t)
{
	struct span_slot copy;
	uint32_t before = t->n_slots, slot;

	unix_time_read(&t->time);
	while (t->n_slots < t->max_spans &&
	       (slot = table_take(&t->session->table, &t->cursor, t->epoch, &copy)) != TABLE_NO_SLOT)
		add_slot(t, slot, &copy, is_open(&copy));
	if (t->n_slots < t->max_spans)
		t->cursor = 0;
	return t->n_slots - before;
}

bool take_is_dead(const struct control *c, uint16_t owner)
{
	return atomic_load_explicit(&c->dead[owner / 64], memory_order_acquire) >> (owner % 64) & 1;
}

static bool is_noted(const struct take *t, uint32_t index) { return t->dead[index / 64] >> (index % 64) & 1; }

bool take_note_dead(struct take *t, bool everybody)
{
	const struct control *c = t->session->control;
	uint64_t any = 0;

	for (unsigned i = 0; i < TABLE_PROCESSES / 64; i++)
		any |= t->dead[i] =
			everybody ? UINT64_MAX : atomic_load_explicit(&c->dead[i], memory_order_acquire);
	return any;
}

static void bury_noted(struct take *t)
{
	for (uint32_t i = 0; i < TABLE_PROCESSES; i++) {
		/* of everybody: entries that nobody ever used have nothing to add */
		if (!is_noted(t, i) || table_process_state(&t->session->table, i) == PROCESS_FREE)
			continue;
		forget_resource(t, (uint16_t)i);
		take_bury(t, i);
	}
	memset(t->dead, 0, sizeof(t->dead));
}

bool take_dead(struct take *t)
{
	struct table *table = &t->session->table;
	struct span_slot copy;

	unix_time_read(&t->time);
	for (uint32_t slot = 0; slot < table->slots; slot++) {
		uint64_t word = atomic_load_explicit(&table->state[slot], memory_order_acquire);
		uint16_t owner = slot_word_owner(word);

		if (slot_word_state(word) != SLOT_OPEN || owner >= TABLE_PROCESSES || !is_noted(t, owner))
			continue;
		if (t->n_slots == t->max_spans)
			return true; /* hand this batch over first */
		if (!table_take_open(table, slot, owner, t->epoch, &copy))
			continue;
		add_slot(t, slot, &copy, true);
	}
	if (t->n_slots)
		return true; /* resources are in use until the batch is handed over */
	bury_noted(t);
	return false;
}
