/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the block: the reader stays inside, however they change while it
 * runs. The first byte says how the text is cut; the text is the block itself.
 * FUZZ_SOURCES: shim/abi/automaton.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/abi/automaton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A head that fits, else nearly no input would come past the first check. */
static void mend_head(uint8_t *block, size_t n)
{
	struct automaton_head head;

	memcpy(&head, block, sizeof(head));
	head.magic = AUTOMATON_MAGIC;
	head.bytes = (uint32_t)n;
	head.shift &= 3;
	head.stride = (uint16_t)((head.stride % 300 + 1) << head.shift);
	head.classes = (uint16_t)(head.classes % head.stride + 1);
	head.end_class %= head.classes;
	head.cells = (uint32_t)((n - sizeof(head) - 256) / 2 / head.stride * head.stride);
	memcpy(block, &head, sizeof(head));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct automaton a;
	size_t cut;
	uint8_t *block;
	bool opened;

	if (n < 2)
		return 0;
	cut = data[0] % n;
	block = malloc(n - 1); /* exactly as long as it is: the sanitizer watches its end */
	memcpy(block, data + 1, n - 1);
	if (data[0] & 1 && n - 1 > sizeof(struct automaton_head) + 256 + 514)
		mend_head(block, n - 1);
	opened = automaton_open(&a, block, n - 1);
	automaton_feed_decoded(&a, (const char *)data, cut);
	if (opened)
		memset(block + sizeof(struct automaton_head), data[n - 1],
		       n - 1 - sizeof(struct automaton_head));
	automaton_feed(&a, (const char *)data, cut / 2);
	automaton_feed_decoded(&a, (const char *)data + cut, n - cut);
	if (automaton_end(&a) && !opened)
		abort();
	free(block);
	return 0;
}
