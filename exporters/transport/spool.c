/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/spool.h"

#include <errno.h>
#include <unistd.h>

#include "exporters/transport/spool_file.h"

/* --- open --- */

/* Walks over all heads of records, so that what is there is known and what is bad is told at once. */
static void take_stock(struct spool *s, struct spool_loss *lost)
{
	struct spool_state state = s->state;
	uint64_t position = s->state.head, spans = 0;
	struct spool_record r;

	s->own_spans = 0;
	while (spool_record_find(s, &position, &r)) {
		spans += r.spans;
		s->own_spans += r.session == s->session ? r.spans : 0;
		position = spool_record_end(position, &r);
	}
	if (spans < state.spans)
		lost->foreign += state.spans - spans;
	state.spans = spans;
	s->state = state;
}

bool spool_is_empty(const struct spool *s) { return s->fd < 0 || s->unreadable || s->state.spans == 0; }

int spool_open(struct spool *s, int fd, uint64_t max_bytes, uint64_t session, struct spool_loss *lost)
{
	*s = (struct spool){ .fd = fd, .session = session };
	if (!spool_head_read(s) || !spool_state_read(s))
		return spool_format(s, max_bytes);
	take_stock(s, lost);
	if (s->state.spans == 0)
		return spool_format(s, max_bytes);
	return 0;
}

/* --- out --- */

/* The record at the head leaves; an empty ring starts again at its beginning, and gives its blocks back. */
static int leave(struct spool *s, uint64_t end, const struct spool_record *r)
{
	struct spool_state next = s->state;

	next.head = end;
	next.head_number = r->number + 1;
	next.spans -= r->spans < next.spans ? r->spans : next.spans;
	if (r->session == s->session)
		s->own_spans -= r->spans < s->own_spans ? r->spans : s->own_spans;
	if (next.spans == 0)
		next.head = next.tail = 0;
	if (spool_state_write(s, &next) < 0)
		return -EIO;
	if (next.spans == 0)
		(void)!ftruncate(s->fd, PAGE);
	return 0;
}

/* Nothing good is left: all that should be there is lost. */
static void give_up(struct spool *s, struct spool_loss *lost)
{
	struct spool_state next = s->state;

	lost->own += s->own_spans;
	lost->foreign += s->state.spans - (s->own_spans < s->state.spans ? s->own_spans : s->state.spans);
	s->own_spans = 0;
	next.head = next.tail = 0;
	next.head_number = next.next_number;
	next.spans = 0;
	if (spool_state_write(s, &next) < 0)
		s->unreadable = true;
}

static void count_lost(const struct spool *s, const struct spool_record *r, struct spool_loss *lost)
{
	*(r->session == s->session ? &lost->own : &lost->foreign) += r->spans;
}

bool spool_oldest(struct spool *s, struct buf *payload, struct spool_item *item, struct spool_loss *lost)
{
	struct spool_record r;
	uint64_t position;

	while (!spool_is_empty(s)) {
		position = s->state.head;
		if (!spool_record_find(s, &position, &r)) {
			give_up(s, lost);
			return false;
		}
		if (spool_record_payload(s, position, &r, payload)) {
			s->held = r.number;
			*item = (struct spool_item){ r.number, r.spans, r.session == s->session };
			return true;
		}
		if (payload->failed)
			return false;
		count_lost(s, &r, lost);
		if (leave(s, spool_record_end(position, &r), &r) < 0)
			s->unreadable = true;
	}
	return false;
}

void spool_advance(struct spool *s, uint64_t number)
{
	uint64_t position = s->state.head;
	struct spool_record r;

	s->held = 0;
	if (spool_is_empty(s) || !spool_record_find(s, &position, &r) || r.number != number)
		return;
	if (leave(s, spool_record_end(position, &r), &r) < 0)
		s->unreadable = true;
}

void spool_let_go(struct spool *s) { s->held = 0; }

/* --- in --- */

static bool drop_oldest(struct spool *s, struct spool_loss *lost)
{
	uint64_t position = s->state.head;
	struct spool_record r;

	if (spool_is_empty(s))
		return false;
	if (!spool_record_find(s, &position, &r)) {
		give_up(s, lost);
		return !s->unreadable;
	}
	if (r.number == s->held)
		return false;
	count_lost(s, &r, lost);
	return leave(s, spool_record_end(position, &r), &r) == 0;
}

static uint64_t bytes_at_tail(const struct spool *s, uint64_t need)
{
	uint64_t left = spool_left_at(s, s->state.tail);

	return need > left ? left + need : need;
}

/* Behind the tail of *next, which moves on; what is left at the ring's end is skipped. */
static int write_behind(struct spool *s, struct spool_state *next, struct spool_record *r,
			struct slice payload)
{
	struct spool_record skip = { .kind = KIND_SKIP };
	uint64_t need = sizeof(*r) + spool_round_up(payload.n), left = spool_left_at(s, next->tail);
	int rc = 0;

	if (need > left) {
		skip.number = next->next_number++;
		if (left >= sizeof(skip))
			rc = spool_record_write(s, next->tail, &skip, (struct slice){ NULL, 0 });
		next->tail += left;
	}
	r->number = next->next_number++;
	if (rc == 0)
		rc = spool_record_write(s, next->tail, r, payload);
	next->tail += need;
	return rc;
}

int spool_append(struct spool *s, struct slice payload, uint32_t spans, uint64_t queue_sequence,
		 struct spool_loss *lost)
{
	struct spool_record r = { .kind = KIND_PAYLOAD,
				  .length = (uint32_t)payload.n,
				  .spans = spans,
				  .session = s->session,
				  .queue_sequence = queue_sequence };
	uint64_t need = sizeof(r) + spool_round_up(payload.n);
	struct spool_state next;
	int rc;

	if (s->fd < 0 || s->unreadable)
		return -EIO;
	if (need > s->ring_bytes || payload.n > PAYLOAD_MAX)
		return -EMSGSIZE;
	while (s->state.tail - s->state.head + bytes_at_tail(s, need) > s->ring_bytes)
		if (!drop_oldest(s, lost))
			return -ENOSPC;
	next = s->state;
	rc = write_behind(s, &next, &r, payload);
	next.spans += spans;
	next.last_session = s->session;
	next.last_queue_sequence = queue_sequence;
	if (rc == 0)
		rc = spool_state_write(s, &next);
	if (rc == 0)
		s->own_spans += spans;
	return rc;
}
