/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ELF_H
#define BTRACE_ELF_H

/*
 * What of a program file decides whether a library can be preloaded into it
 * (elf(5); System V ABI, chapters 4 and 5). The file may be anything: every
 * number in it is checked, every loop bounded. Pure but for the source's read().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_NEEDED 64u

struct elf_source {
	/* Exactly n bytes from there. False: there are not so many. */
	bool (*read)(void *context, uint64_t offset, void *into, size_t n);
	void *context;
};

struct elf_facts {
	bool elf;         /* has the four magic bytes; else nothing below is set */
	unsigned bits;    /* 32, 64, 0 = unknown */
	bool big;         /* big-endian */
	uint16_t machine; /* EM_* */
	/* from here only for 64 bits, little-endian, as everything libbtrace runs on */
	bool damaged;                 /* headers that contradict the file */
	bool dynamic;                 /* has a dynamic section */
	char interpreter[256];        /* "": none, so nothing is ever preloaded */
	bool go;                      /* made by the Go linker */
	bool defines_ssl;             /* has SSL_read of its own, and exports it */
	char needed[ELF_NEEDED][128]; /* DT_NEEDED; longer names are left out */
	size_t n_needed;
	char runpath[1024]; /* DT_RUNPATH, else DT_RPATH; "" */
};

void elf_read(const struct elf_source *source, struct elf_facts *out);

/* "x86-64", "arm64", ...; "machine 123" into `room` for others. */
const char *elf_machine_name(uint16_t machine, char room[24]);

#endif
