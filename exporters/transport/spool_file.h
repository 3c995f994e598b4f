/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SPOOL_FILE_H
#define BTRACE_SPOOL_FILE_H

/* What a spool's file is made of; private to spool.c. All of it is little endian, as the machine is. */

#include "exporters/transport/spool.h"

enum {
	RECORD_MAGIC = 0x42745372,
	KIND_PAYLOAD = 1,
	KIND_SKIP = 2, /* nothing up to the end of the ring */
	PAGE = 4096,
	STATE_AT = 512,
	PAYLOAD_MAX = 64 << 20,
	RING_MIN = 64 << 10,
};

struct spool_head {
	char magic[8];
	uint64_t ring_bytes;
	uint32_t version, crc;
};

struct spool_state_block {
	struct spool_state state;
	uint32_t crc, reserved;
};

struct spool_record {
	uint32_t magic, kind;
	uint32_t length, spans;
	uint64_t session, number, queue_sequence;
	uint32_t payload_crc, crc; /* crc: of all before it */
};

_Static_assert(sizeof(struct spool_head) == 24, "file layout");
_Static_assert(sizeof(struct spool_state_block) == 72 && sizeof(struct spool_state_block) <= STATE_AT,
	       "file layout");
_Static_assert(sizeof(struct spool_record) == 48, "file layout");

static inline uint64_t spool_round_up(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

uint64_t spool_left_at(const struct spool *s, uint64_t position); /* up to the ring's end */

int spool_format(struct spool *s, uint64_t max_bytes); /* begins the file anew */
bool spool_head_read(struct spool *s);
bool spool_state_read(struct spool *s);
int spool_state_write(struct spool *s, const struct spool_state *state); /* and makes it s->state */

/*
 * The first good payload record from *position on, which moves there. false: there
 * is none up to the tail that can be read.
 */
bool spool_record_find(const struct spool *s, uint64_t *position, struct spool_record *r);
uint64_t spool_record_end(uint64_t position, const struct spool_record *r);
/* The payload of a record that was found; false if it is damaged, or payload->failed for want of memory. */
bool spool_record_payload(const struct spool *s, uint64_t position, const struct spool_record *r,
			  struct buf *payload);
/* Head and payload, behind the tail. */
int spool_record_write(const struct spool *s, uint64_t position, struct spool_record *r,
		       struct slice payload);

#endif
