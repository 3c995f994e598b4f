/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "exporters/ctl/elf.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MAX 512u
#define SECTIONS_MAX 4096u
#define DYNAMIC_MAX  4096u
#define NOTES_MAX    65536u
#define STRINGS_MAX  (16u << 20)
#define SYMBOLS_MAX  (1u << 20)

struct reader {
	const struct elf_source *source;
	struct elf_facts *out;
	Elf64_Ehdr head;
	Elf64_Phdr segments[SEGMENTS_MAX];
	uint64_t strings_address, strings_bytes;
};

static bool read_at(const struct reader *r, uint64_t offset, void *into, size_t n)
{
	return offset <= INT64_MAX - n && r->source->read(r->source->context, offset, into, n);
}

/* Where the byte at that address lies in the file. */
static bool offset_of(const struct reader *r, uint64_t address, uint64_t *offset)
{
	for (unsigned i = 0; i < r->head.e_phnum; i++) {
		const Elf64_Phdr *p = &r->segments[i];

		if (p->p_type == PT_LOAD && address >= p->p_vaddr && address - p->p_vaddr < p->p_filesz &&
		    p->p_offset <= INT64_MAX - (address - p->p_vaddr)) {
			*offset = p->p_offset + (address - p->p_vaddr);
			return true;
		}
	}
	return false;
}

/* A string of at most size - 1 bytes, as far as the file goes. False: longer, or not there. */
static bool read_string(const struct reader *r, uint64_t offset, char *out, size_t size)
{
	for (size_t n = 0; n < size; n++) {
		if (!read_at(r, offset + n, out + n, 1))
			break;
		if (!out[n])
			return true;
	}
	out[0] = '\0';
	return false;
}

static void read_interpreter(const struct reader *r, const Elf64_Phdr *p)
{
	size_t n = p->p_filesz < sizeof(r->out->interpreter) - 1 ? (size_t)p->p_filesz
								 : sizeof(r->out->interpreter) - 1;

	if (!n || !read_at(r, p->p_offset, r->out->interpreter, n)) {
		r->out->damaged = true;
		n = 0;
	}
	r->out->interpreter[n] = '\0';
}

/* The Go linker leaves a note of its name: {namesz 4, descsz, type 4, "Go\0\0"}. */
static void read_notes(const struct reader *r, const Elf64_Phdr *p)
{
	uint64_t at = 0, end = p->p_filesz < NOTES_MAX ? p->p_filesz : NOTES_MAX;
	Elf64_Nhdr note;
	char name[4];

	while (at + sizeof(note) + sizeof(name) <= end && read_at(r, p->p_offset + at, &note, sizeof(note)) &&
	       read_at(r, p->p_offset + at + sizeof(note), name, sizeof(name))) {
		if (note.n_namesz == 4 && !memcmp(name, "Go\0", 4))
			r->out->go = true;
		at += sizeof(note) + ((uint64_t)note.n_namesz + 3) / 4 * 4 +
		      ((uint64_t)note.n_descsz + 3) / 4 * 4;
	}
}

static void add_needed(const struct reader *r, uint64_t strings, uint64_t name)
{
	struct elf_facts *f = r->out;

	if (f->n_needed < ELF_NEEDED && name < r->strings_bytes &&
	    read_string(r, strings + name, f->needed[f->n_needed], sizeof(f->needed[0])))
		f->n_needed++;
}

/* Twice: the table of strings may be named behind what points into it. */
static void read_dynamic(struct reader *r, const Elf64_Phdr *p)
{
	uint64_t n = p->p_filesz / sizeof(Elf64_Dyn), strings = 0;
	bool runpath = false;

	n = n < DYNAMIC_MAX ? n : DYNAMIC_MAX;
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < n; i++) {
			Elf64_Dyn d;

			if (!read_at(r, p->p_offset + i * sizeof(d), &d, sizeof(d)) || d.d_tag == DT_NULL)
				break;
			if (!round && d.d_tag == DT_STRTAB)
				r->strings_address = d.d_un.d_ptr;
			if (!round && d.d_tag == DT_STRSZ)
				r->strings_bytes = d.d_un.d_val;
			if (round && d.d_tag == DT_NEEDED)
				add_needed(r, strings, d.d_un.d_val);
			if (round && (d.d_tag == DT_RUNPATH || (d.d_tag == DT_RPATH && !runpath)) &&
			    d.d_un.d_val < r->strings_bytes)
				read_string(r, strings + d.d_un.d_val, r->out->runpath,
					    sizeof(r->out->runpath));
			runpath |= round && d.d_tag == DT_RUNPATH;
		}
		if (!round && !offset_of(r, r->strings_address, &strings))
			return;
	}
}

/* Is a symbol of that offset in the string table defined here? */
static bool defined_at(const struct reader *r, const Elf64_Shdr *symbols, uint64_t name)
{
	enum { BATCH = 512 };
	uint64_t n = symbols->sh_size / sizeof(Elf64_Sym);
	static const size_t each = sizeof(Elf64_Sym);
	Elf64_Sym batch[BATCH];

	n = n < SYMBOLS_MAX ? n : SYMBOLS_MAX;
	for (uint64_t i = 0; i < n; i += BATCH) {
		size_t many = n - i < BATCH ? (size_t)(n - i) : BATCH;

		if (!read_at(r, symbols->sh_offset + i * each, batch, many * each))
			return false;
		for (size_t k = 0; k < many; k++)
			if (batch[k].st_name == name && batch[k].st_shndx != SHN_UNDEF)
				return true;
	}
	return false;
}

static void look_for_ssl(const struct reader *r, const Elf64_Shdr *symbols, const Elf64_Shdr *strings)
{
	static const char wanted[] = "\0SSL_read"; /* with both its NULs */
	size_t n = strings->sh_size < STRINGS_MAX ? (size_t)strings->sh_size : STRINGS_MAX;
	char *text = malloc(n ? n : 1), *found;

	if (text && n && read_at(r, strings->sh_offset, text, n) &&
	    (found = memmem(text, n, wanted, sizeof(wanted))))
		r->out->defines_ssl = defined_at(r, symbols, (uint64_t)(found + 1 - text));
	free(text);
}

static void read_sections(const struct reader *r)
{
	Elf64_Shdr section, strings;

	if (r->head.e_shentsize != sizeof(section) || r->head.e_shnum > SECTIONS_MAX)
		return;
	for (unsigned i = 0; i < r->head.e_shnum; i++) {
		if (!read_at(r, r->head.e_shoff + i * sizeof(section), &section, sizeof(section)))
			return;
		if (section.sh_type != SHT_DYNSYM || section.sh_link >= r->head.e_shnum)
			continue;
		if (read_at(r, r->head.e_shoff + section.sh_link * sizeof(strings), &strings,
			    sizeof(strings)))
			look_for_ssl(r, &section, &strings);
		return;
	}
}

static void read_segments(struct reader *r)
{
	if (r->head.e_phentsize != sizeof(Elf64_Phdr) || r->head.e_phnum > SEGMENTS_MAX ||
	    !read_at(r, r->head.e_phoff, r->segments, r->head.e_phnum * sizeof(Elf64_Phdr))) {
		r->out->damaged = true;
		return;
	}
	for (unsigned i = 0; i < r->head.e_phnum; i++) {
		const Elf64_Phdr *p = &r->segments[i];

		switch (p->p_type) {
		case PT_INTERP: read_interpreter(r, p); break;
		case PT_NOTE: read_notes(r, p); break;
		case PT_DYNAMIC:
			r->out->dynamic = true;
			read_dynamic(r, p);
			break;
		default: break;
		}
	}
	read_sections(r);
}

void elf_read(const struct elf_source *source, struct elf_facts *out)
{
	struct reader *r = calloc(1, sizeof(*r));

	memset(out, 0, sizeof(*out));
	if (!r)
		return;
	r->source = source;
	r->out = out;
	if (read_at(r, 0, r->head.e_ident, EI_NIDENT) && !memcmp(r->head.e_ident, ELFMAG, SELFMAG)) {
		out->elf = true;
		out->bits = r->head.e_ident[EI_CLASS] == ELFCLASS64   ? 64
			    : r->head.e_ident[EI_CLASS] == ELFCLASS32 ? 32
								      : 0;
		out->big = r->head.e_ident[EI_DATA] == ELFDATA2MSB;
		if (!out->big && read_at(r, offsetof(Elf64_Ehdr, e_machine), &r->head.e_machine, 2))
			out->machine = r->head.e_machine; /* at the same place in both classes */
		if (out->bits == 64 && !out->big) {
			if (read_at(r, 0, &r->head, sizeof(r->head)))
				read_segments(r);
			else
				out->damaged = true;
		}
	}
	free(r);
}

const char *elf_machine_name(uint16_t machine, char room[24])
{
	switch (machine) {
	case EM_X86_64: return "x86-64";
	case EM_AARCH64: return "arm64";
	case EM_386: return "x86";
	case EM_ARM: return "arm";
	case EM_RISCV: return "riscv";
	case EM_PPC64: return "ppc64";
	case EM_S390: return "s390";
	default: snprintf(room, 24, "machine %u", machine); return room;
	}
}
