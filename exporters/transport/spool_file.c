/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/spool_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { SEARCH_BYTES = 64 << 10 };

static const char head_magic[8] = "btspool";

static uint32_t checksum(const void *p, size_t n) { return (uint32_t)crc32(0, p, (uInt)n); }

static int read_at(const struct spool *s, void *p, size_t n, uint64_t at)
{
	char *to = p;

	while (n) {
		ssize_t got = pread(s->fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -ENODATA;
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int write_at(const struct spool *s, const void *p, size_t n, uint64_t at)
{
	const char *from = p;

	while (n) {
		ssize_t done = pwrite(s->fd, from, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		from += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

static uint64_t place(const struct spool *s, uint64_t position) { return PAGE + position % s->ring_bytes; }

uint64_t spool_left_at(const struct spool *s, uint64_t position)
{
	return s->ring_bytes - position % s->ring_bytes;
}

int spool_state_write(struct spool *s, const struct spool_state *state)
{
	struct spool_state_block block = { .state = *state };
	int rc;

	block.state.sequence++;
	block.crc = checksum(&block.state, sizeof(block.state));
	rc = write_at(s, &block, sizeof(block), STATE_AT * (1 + (block.state.sequence & 1)));
	if (rc == 0)
		s->state = block.state;
	return rc;
}

static bool state_is_sane(const struct spool *s, const struct spool_state *t)
{
	return t->head <= t->tail && t->tail - t->head <= s->ring_bytes && !((t->head | t->tail) & 7) &&
	       t->tail < UINT64_MAX / 2 && t->head_number <= t->next_number;
}

bool spool_state_read(struct spool *s)
{
	struct spool_state_block block;
	bool found = false;

	for (unsigned i = 0; i < 2; i++) {
		if (read_at(s, &block, sizeof(block), STATE_AT * (1 + i)) < 0 ||
		    block.crc != checksum(&block.state, sizeof(block.state)) ||
		    !state_is_sane(s, &block.state) || (found && block.state.sequence < s->state.sequence))
			continue;
		s->state = block.state;
		found = true;
	}
	return found;
}

static bool record_is_good(const struct spool *s, const struct spool_record *r, uint64_t position)
{
	if (r->magic != RECORD_MAGIC || r->crc != checksum(r, sizeof(*r) - sizeof(r->crc)))
		return false;
	if (r->number < s->state.head_number || r->number >= s->state.next_number)
		return false; /* of an earlier round */
	if (r->kind == KIND_SKIP)
		return true;
	return r->kind == KIND_PAYLOAD && r->length <= PAYLOAD_MAX && r->spans > 0 &&
	       sizeof(*r) + spool_round_up(r->length) <= spool_left_at(s, position) &&
	       position + sizeof(*r) + spool_round_up(r->length) <= s->state.tail;
}

/* Where the next record may begin behind a bad place: at the next magic word, or where the look ended. */
static uint64_t search(const struct spool *s, uint64_t position)
{
	char chunk[SEARCH_BYTES];
	uint64_t n = spool_left_at(s, position);
	uint32_t word;
	ssize_t got;

	if (n > sizeof(chunk))
		n = sizeof(chunk);
	if (n > s->state.tail - position)
		n = s->state.tail - position;
	got = pread(s->fd, chunk, n, (off_t)place(s, position));
	if (got < 8)
		return position + spool_left_at(s, position); /* the file is cut off here */
	n = (uint64_t)got & ~(uint64_t)7;
	for (uint64_t at = 8; at + 8 <= n; at += 8) {
		memcpy(&word, chunk + at, sizeof(word));
		if (word == RECORD_MAGIC)
			return position + at;
	}
	return position + n;
}

bool spool_record_find(const struct spool *s, uint64_t *position, struct spool_record *r)
{
	while (*position < s->state.tail) {
		uint64_t left = spool_left_at(s, *position);

		/* Too short for a record, or the file is cut off here: on at the ring's beginning. */
		if (left < sizeof(*r) || read_at(s, r, sizeof(*r), place(s, *position)) < 0) {
			*position += left;
			continue;
		}
		if (!record_is_good(s, r, *position))
			*position = search(s, *position);
		else if (r->kind == KIND_SKIP)
			*position += left;
		else
			return true;
	}
	return false;
}

uint64_t spool_record_end(uint64_t position, const struct spool_record *r)
{
	return position + sizeof(*r) + spool_round_up(r->length);
}

bool spool_record_payload(const struct spool *s, uint64_t position, const struct spool_record *r,
			  struct buf *payload)
{
	buf_clear(payload);
	if (!buf_reserve(payload, r->length) ||
	    read_at(s, payload->p, r->length, place(s, position) + sizeof(*r)) < 0 ||
	    checksum(payload->p, r->length) != r->payload_crc)
		return false;
	payload->n = r->length;
	return true;
}

int spool_record_write(const struct spool *s, uint64_t position, struct spool_record *r, struct slice payload)
{
	int rc;

	r->magic = RECORD_MAGIC;
	r->payload_crc = checksum(payload.p, payload.n);
	r->crc = checksum(r, sizeof(*r) - sizeof(r->crc));
	rc = write_at(s, r, sizeof(*r), place(s, position));
	if (rc == 0 && payload.n)
		rc = write_at(s, payload.p, payload.n, place(s, position) + sizeof(*r));
	return rc;
}

bool spool_head_read(struct spool *s)
{
	struct spool_head head;

	if (read_at(s, &head, sizeof(head), 0) < 0 ||
	    memcmp(head.magic, head_magic, sizeof(head.magic)) != 0 || head.version != 1 ||
	    head.crc != checksum(&head, sizeof(head) - sizeof(head.crc)) || head.ring_bytes < RING_MIN ||
	    head.ring_bytes & 7)
		return false;
	s->ring_bytes = head.ring_bytes;
	return true;
}

int spool_format(struct spool *s, uint64_t max_bytes)
{
	struct spool_head head = { .ring_bytes = max_bytes < RING_MIN ? RING_MIN : spool_round_up(max_bytes),
				   .version = 1 };
	int rc;

	memcpy(head.magic, head_magic, sizeof(head.magic));
	head.crc = checksum(&head, sizeof(head) - sizeof(head.crc));
	s->ring_bytes = head.ring_bytes;
	s->state = (struct spool_state){ .next_number = 1, .head_number = 1 };
	s->own_spans = 0;
	if (ftruncate(s->fd, 0) < 0)
		return -errno;
	rc = write_at(s, &head, sizeof(head), 0);
	return rc < 0 ? rc : spool_state_write(s, &s->state);
}
