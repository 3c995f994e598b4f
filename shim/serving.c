/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/serving.h"

#include <string.h>

#include "shim/conn.h"
#include "shim/record.h"

#define SEARCHED_MAX 8192u /* objects of the pool; beyond, a request is not found and nothing is guessed */

/* What a request has left to be done is done, or done by others that are open as well, in this time. */
#define MIXED_NS UINT64_C(60000000000)

_Static_assert(SERVING_CARRIED_BYTES == RECORD_LIST_BYTES, "what is that long was cut");
_Static_assert(sizeof(struct serving_context) == SERVING_WORDS * sizeof(uint64_t), "copied word by word");

void serving_store(_Atomic uint64_t to[SERVING_WORDS], const struct serving_context *context)
{
	uint64_t word[SERVING_WORDS];

	memcpy(word, context, sizeof(word));
	/* release: a reader of the former use that sees a word of this one sees that it is not valid any more
	 */
	for (unsigned i = 0; i < SERVING_WORDS; i++)
		atomic_store_explicit(&to[i], word[i], memory_order_release);
}

void serving_load(const _Atomic uint64_t from[SERVING_WORDS], struct serving_context *context)
{
	uint64_t word[SERVING_WORDS];

	for (unsigned i = 0; i < SERVING_WORDS; i++)
		word[i] = atomic_load_explicit(&from[i], memory_order_acquire);
	memcpy(context, word, sizeof(word));
}

/*
 * Of the calling thread: the request that it has read last, and when it was last seen to work
 * at more than that: at two on different connections, or beyond an answer. The last one is
 * enough to tell: if an older one is open, it was when the last one began.
 */
static __thread struct {
	struct pending *last;
	uint64_t stamp, connection, start_ns, mixed_ns;
	uint32_t read; /* requests */
	struct serving_carried carried;
} mine;

uint32_t serving_count(void) { return mine.read; }

static uint64_t stamp_of(const struct pending *p)
{
	return atomic_load_explicit(&p->serving.stamp, memory_order_relaxed);
}

static bool is_last_open(void) { return mine.last && stamp_of(mine.last) == mine.stamp; }

void serving_begin(struct pending *p, const struct conn *c, const struct serving_context *context)
{
	struct serving *s = &p->serving;
	uint32_t uses = (uint32_t)stamp_of(p) + 1;

	if (mine.connection != c->number && is_last_open())
		mine.mixed_ns = p->start_ns;
	atomic_store_explicit(&s->stamp, uses, memory_order_relaxed);
	serving_store(s->word, context);
	mine.last = p;
	mine.stamp = (uint64_t)self_person() << 32 | uses;
	mine.connection = c->number;
	mine.start_ns = p->start_ns;
	mine.read++;
	mine.carried.tracestate_bytes = mine.carried.baggage_bytes = 0;
	atomic_store_explicit(&s->stamp, mine.stamp, memory_order_release);
}

static bool is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < ' ' || p[i] > '~') && p[i] != '\t')
			return false;
	return true;
}

/* Several fields of one name are one list (RFC 9110 5.3); what does not fit, or was cut, ends at a comma. */
static void carry(char list[SERVING_CARRIED_BYTES], uint16_t *bytes, const uint8_t *p, size_t n, bool cut)
{
	size_t at = *bytes + (*bytes > 0), room = at < SERVING_CARRIED_BYTES ? SERVING_CARRIED_BYTES - at : 0;

	if (n > room || cut) {
		n = n < room ? n : room;
		while (n && p[n - 1] != ',')
			n--;
		n -= n > 0;
	}
	if (!n || !is_text(p, n))
		return;
	memcpy(list + at, p, n);
	if (*bytes)
		list[*bytes] = ',';
	*bytes = (uint16_t)(at + n);
}

void serving_carry(const struct span_slot *slot)
{
	struct serving_carried *carried = &mine.carried;
	enum span_tag tag;
	const uint8_t *p;
	size_t pos = 0, n;

	while (span_next_string(slot, &pos, &tag, &p, &n)) {
		/* The record cuts at this length, or where the slot ends but for a reserve; not in a
		 * character. */
		bool cut = n + 3 >= SERVING_CARRIED_BYTES || (slot->head.flags & SPAN_FLAG_TRUNCATED &&
							      pos + RECORD_RESERVE + 3 >= SPAN_TAIL_BYTES);

		if (tag == TAG_TRACESTATE)
			carry(carried->tracestate, &carried->tracestate_bytes, p, n, cut);
		else if (tag == TAG_BAGGAGE)
			carry(carried->baggage, &carried->baggage_bytes, p, n, cut);
	}
}

const struct serving_carried *serving_carried(const struct serving_found *found)
{
	const struct serving_carried *carried = &mine.carried;

	if (found->pending_here != mine.last || !is_last_open() ||
	    !(carried->tracestate_bytes | carried->baggage_bytes))
		return NULL;
	return carried;
}

void serving_end(struct pending *p)
{
	uint64_t stamp = atomic_load_explicit(&p->serving.stamp, memory_order_relaxed);

	if (stamp >> 32)
		atomic_store_explicit(&p->serving.stamp, (uint32_t)stamp, memory_order_release);
}

/* The number of the thread that read it, 0 if it is not open. */
static uint32_t read_one(struct pending *p, struct serving_context *out)
{
	struct serving *s = &p->serving;
	uint64_t stamp = atomic_load_explicit(&s->stamp, memory_order_acquire);

	if (!(stamp >> 32))
		return 0;
	serving_load(s->word, out);
	if (atomic_load_explicit(&s->stamp, memory_order_relaxed) != stamp)
		return 0;
	return (uint32_t)(stamp >> 32);
}

/*
 * In a forked child the pool is a copy: of the requests of other threads nothing
 * is known there, and of its own forker's request only what the table says.
 */
static bool still_open(const struct serving_context *c, bool here)
{
	uint64_t word;

	if (c->process == self_get()->index)
		return true;
	if (!here || c->slot >= shim.table.slots)
		return false;
	word = atomic_load_explicit(&shim.table.state[c->slot], memory_order_acquire);
	return slot_word_state(word) == SLOT_OPEN &&
	       slot_word_generation(word) == slot_word_generation(c->slot_word);
}

static bool same_context(const struct serving_context *c, const struct wanted_context *wanted)
{
	return !memcmp(c->trace_id, wanted->trace_id, sizeof(c->trace_id)) &&
	       (!memcmp(c->parent_span_id, wanted->span_id, sizeof(c->parent_span_id)) ||
		!memcmp(c->span_id, wanted->span_id, sizeof(c->span_id)));
}

enum rank { RANK_ANY, RANK_HERE, RANK_MATCHED };

static void add_link(struct serving_found *f, enum rank *rank, unsigned *count, enum rank of,
		     const struct serving_context *c)
{
	if (of < *rank)
		return;
	if (of > *rank)
		*count = 0;
	*rank = of;
	if (*count < SERVING_LINKS)
		f->link[*count] = *c;
	++*count;
}

static void add(struct serving_found *f, const struct pending *p, const struct serving_context *c, bool here,
		bool matched)
{
	f->all++;
	if (here) {
		f->here++;
		f->one_here = *c;
		f->pending_here = p;
		if (c->begun_ns > f->newest_here_ns)
			f->newest_here_ns = c->begun_ns;
	}
	if (matched && (here || !f->matched_here))
		f->one_match = *c;
	f->matched += matched;
	f->matched_here += matched && here;
}

void serving_search(const struct wanted_context *wanted, struct serving_found *found)
{
	uint32_t high = pool_high(&pending_pool), me = self_person();
	unsigned count = 0, decisions = 0;
	enum rank rank = RANK_ANY;

	found->all = found->here = found->matched = found->matched_here = 0;
	found->newest_here_ns = 0;
	found->pending_here = NULL;
	for (uint32_t i = 1; i <= high && i <= SEARCHED_MAX; i++) {
		struct pending *p = pool_seen(&pending_pool, i);
		struct serving_context c;
		uint32_t thread = p ? read_one(p, &c) : 0;
		bool here = thread == me, matched;

		if (!thread || !still_open(&c, here))
			continue;
		matched = wanted && same_context(&c, wanted);
		add(found, p, &c, here, matched);
		decisions |= 1u << c.decision;
		add_link(found, &rank, &count, matched ? RANK_MATCHED : here ? RANK_HERE : RANK_ANY, &c);
	}
	found->all_suppressed = decisions == 1u << SERVING_EXCLUDED || decisions == 1u << SERVING_NOT_SAMPLED;
	found->links = count <= SERVING_LINKS ? count : 0;
}

void serving_received(uint64_t asked_ns, bool rest)
{
	if (mine.last && (asked_ns < mine.start_ns || (!rest && !is_last_open())))
		mine.mixed_ns = clock_now_ns();
}

bool serving_was_mixed(uint64_t now_ns) { return mine.mixed_ns && now_ns - mine.mixed_ns < MIXED_NS; }

bool serving_mixed(const struct serving_found *found, uint64_t now_ns)
{
	/* what a thread that serves sends while nothing of its is open was left over: more may come */
	if (mine.last && !found->here)
		mine.mixed_ns = now_ns;
	return serving_was_mixed(now_ns);
}

struct serving_opener serving_opening(uint64_t now_ns)
{
	struct serving_opener none = { NULL, 0 };
	struct serving_found found;

	if (!mine.last)
		return none;
	serving_search(NULL, &found);
	serving_mixed(&found, now_ns);
	if (found.here != 1)
		return none;
	return (struct serving_opener){ found.pending_here, stamp_of(found.pending_here) };
}

bool serving_opened(const struct serving_found *found, const struct serving_opener *by)
{
	return !by->p || (found->pending_here == by->p && stamp_of(by->p) == by->stamp);
}
