/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ_SOURCES: exporters/ctl/elf.c
 */
#include <string.h>

#include "exporters/ctl/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct input {
	const uint8_t *data;
	size_t n;
};

static bool read_input(void *context, uint64_t offset, void *into, size_t n)
{
	const struct input *in = context;

	if (offset > in->n || n > in->n - offset)
		return false;
	memcpy(into, in->data + offset, n);
	return true;
}

/* Any file: all strings end within their room. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input input = { data, n };
	struct elf_source source = { read_input, &input };
	static struct elf_facts facts;

	elf_read(&source, &facts);
	if (strnlen(facts.interpreter, sizeof(facts.interpreter)) == sizeof(facts.interpreter) ||
	    strnlen(facts.runpath, sizeof(facts.runpath)) == sizeof(facts.runpath) ||
	    facts.n_needed > ELF_NEEDED)
		__builtin_trap();
	for (size_t i = 0; i < facts.n_needed; i++)
		if (strnlen(facts.needed[i], sizeof(facts.needed[i])) == sizeof(facts.needed[i]))
			__builtin_trap();
	return 0;
}
