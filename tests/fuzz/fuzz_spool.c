/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever lies in a spool's file: it is read or skipped, in bounded steps, and can be used
 * afterwards. A file of valid head, state and records is made first, with checksums, then the input
 * changes bytes of it, half of the time with the checksum of what they hit made right again.
 */
/* clang-format off
 * FUZZ_SOURCES: exporters/transport/spool.c exporters/transport/spool_file.c exporters/base/buf.c exporters/base/number.c
 * FUZZ_LIBS: -lz -lm
 * clang-format on */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "exporters/transport/spool_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

enum { RECORDS = 5, RING = 64 << 10 };

static char payload[300];

static void fix_checksum(char *file, size_t at)
{
	struct spool_state_block *block;
	struct spool_record *r;

	if (at < STATE_AT) {
		struct spool_head *head = (struct spool_head *)file;

		head->crc = (uint32_t)crc32(0, (Bytef *)head, sizeof(*head) - sizeof(head->crc));
	} else if (at < 3 * STATE_AT) {
		block = (struct spool_state_block *)(file + at / STATE_AT * STATE_AT);
		block->crc = (uint32_t)crc32(0, (Bytef *)&block->state, sizeof(block->state));
	} else if (at >= PAGE) {
		r = (struct spool_record *)(file + PAGE + (at - PAGE) / 352 * 352);
		r->crc = (uint32_t)crc32(0, (Bytef *)r, sizeof(*r) - sizeof(r->crc));
	}
}

static void use(struct spool *s, struct buf *bytes)
{
	struct spool_loss lost = { 0 };
	struct spool_item item;
	int steps = 0;

	for (; spool_oldest(s, bytes, &item, &lost) && steps < 100; steps++)
		spool_advance(s, item.number);
	CHECK(steps <= 2 * RECORDS + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("spool", 0);
	struct spool_loss lost = { 0 };
	char file[PAGE + RECORDS * 352];
	struct spool s;
	struct buf bytes;

	CHECK(spool_open(&s, fd, RING, 1, &lost) == 0);
	for (unsigned i = 0; i < RECORDS; i++)
		CHECK(spool_append(&s, (struct slice){ payload, sizeof(payload) }, 3, i, &lost) == 0);
	CHECK(pread(fd, file, sizeof(file), 0) >= (ssize_t)sizeof(file) - 8);
	for (; size >= 4; data += 4, size -= 4) {
		size_t at = ((size_t)data[0] << 8 | data[1]) % sizeof(file);

		if (data[3] & 2) /* where something is */
			at = (at & 1) ? STATE_AT * (1 + (at >> 1 & 1)) + at % 72
				      : PAGE + at % RECORDS * 352 + at % 48;
		file[at] = (char)data[2];
		if (data[3] & 1)
			fix_checksum(file, at);
	}
	CHECK(pwrite(fd, file, sizeof(file), 0) == sizeof(file));
	if (size && ftruncate(fd, (off_t)(data[0] * sizeof(file) / 256)) < 0)
		abort();
	buf_init(&bytes);
	if (spool_open(&s, fd, RING, 2, &lost) == 0) {
		use(&s, &bytes);
		if (spool_append(&s, (struct slice){ payload, sizeof(payload) }, 3, 9, &lost) == 0)
			use(&s, &bytes);
	}
	buf_release(&bytes);
	close(fd);
	return 0;
}
