/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/elf.h"

/* A program in memory: headers, four segments, then their contents. */
static struct image {
	Elf64_Ehdr head;
	Elf64_Phdr segment[4];
	Elf64_Dyn dynamic[8];
	char interpreter[32];
	struct {
		Elf64_Nhdr head;
		char name[4], text[4];
	} note;
	char strings[64];
	Elf64_Shdr section[3];
	Elf64_Sym symbol[2];
} image;
static size_t length;

static bool read_image(void *context, uint64_t offset, void *into, size_t n)
{
	(void)context;
	if (offset > length || n > length - offset)
		return false;
	memcpy(into, (const char *)&image + offset, n);
	return true;
}

static const struct elf_source source = { read_image, NULL };
static struct elf_facts facts;

#define AT(member) offsetof(struct image, member)

static void begin(void)
{
	static const char strings[] = "\0libone.so\0SSL_read\0/opt/lib";

	memset(&image, 0, sizeof(image));
	length = sizeof(image);
	memcpy(image.head.e_ident, ELFMAG, SELFMAG);
	image.head.e_ident[EI_CLASS] = ELFCLASS64;
	image.head.e_ident[EI_DATA] = ELFDATA2LSB;
	image.head.e_machine = EM_X86_64;
	image.head.e_phoff = AT(segment);
	image.head.e_phentsize = sizeof(Elf64_Phdr);
	image.head.e_phnum = 4;
	image.head.e_shoff = AT(section);
	image.head.e_shentsize = sizeof(Elf64_Shdr);
	image.head.e_shnum = 3;
	image.segment[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = 0x1000, .p_filesz = sizeof(image) };
	image.segment[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = AT(interpreter), .p_filesz = 15 };
	image.segment[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
					 .p_offset = AT(dynamic),
					 .p_filesz = sizeof(image.dynamic) };
	image.segment[3] =
		(Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = AT(note), .p_filesz = sizeof(image.note) };
	memcpy(image.interpreter, "/lib64/ld.so.2", 15);
	image.dynamic[0] = (Elf64_Dyn){ DT_NEEDED, { 1 } };
	image.dynamic[1] = (Elf64_Dyn){ DT_RUNPATH, { 20 } };
	image.dynamic[2] = (Elf64_Dyn){ DT_STRTAB, { 0x1000 + AT(strings) } };
	image.dynamic[3] = (Elf64_Dyn){ DT_STRSZ, { sizeof(image.strings) } };
	image.note.head = (Elf64_Nhdr){ 4, 4, 4 };
	memcpy(image.note.name, "GNU", 4);
	memcpy(image.strings, strings, sizeof(strings));
	image.section[1] = (Elf64_Shdr){
		.sh_type = SHT_DYNSYM, .sh_link = 2, .sh_offset = AT(symbol), .sh_size = sizeof(image.symbol)
	};
	image.section[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
					 .sh_offset = AT(strings),
					 .sh_size = sizeof(image.strings) };
	image.symbol[1] = (Elf64_Sym){ .st_name = 11, .st_shndx = 1 };
}

TestSuite(elf, .init = begin);

Test(elf, a_dynamic_program_tells_its_loader_and_libraries)
{
	elf_read(&source, &facts);
	cr_expect(facts.elf && facts.dynamic && facts.bits == 64 && !facts.big && !facts.damaged &&
		  !facts.go);
	cr_expect_eq(facts.machine, EM_X86_64);
	cr_expect_str_eq(facts.interpreter, "/lib64/ld.so.2");
	cr_assert_eq(facts.n_needed, 1);
	cr_expect_str_eq(facts.needed[0], "libone.so");
	cr_expect_str_eq(facts.runpath, "/opt/lib");
	cr_expect(facts.defines_ssl);
}

Test(elf, a_symbol_that_is_only_wanted_is_not_defined)
{
	image.symbol[1].st_shndx = SHN_UNDEF;
	elf_read(&source, &facts);
	cr_expect(facts.elf && !facts.defines_ssl);
}

Test(elf, without_a_loader_there_is_nothing_to_preload)
{
	image.segment[1].p_type = image.segment[2].p_type = PT_NULL;
	elf_read(&source, &facts);
	cr_expect(facts.elf && !facts.dynamic && !*facts.interpreter && !facts.damaged);
}

Test(elf, the_go_linker_is_known_by_its_note)
{
	memcpy(image.note.name, "Go\0", 4);
	elf_read(&source, &facts);
	cr_expect(facts.go);
}

Test(elf, other_architectures_are_told_and_not_read_further)
{
	image.head.e_ident[EI_CLASS] = ELFCLASS32;
	image.head.e_machine = EM_386;
	elf_read(&source, &facts);
	cr_expect(facts.elf && facts.bits == 32 && facts.machine == EM_386 && !facts.dynamic);
	image.head.e_ident[EI_DATA] = ELFDATA2MSB;
	elf_read(&source, &facts);
	cr_expect(facts.elf && facts.big && !facts.machine);
}

Test(elf, what_is_no_program_is_none)
{
	image.head.e_ident[1] = 'X';
	elf_read(&source, &facts);
	cr_expect(!facts.elf);
	length = 0;
	elf_read(&source, &facts);
	cr_expect(!facts.elf);
}

Test(elf, numbers_that_lead_out_of_the_file_do_no_harm)
{
	uint64_t *p = (uint64_t *)&image;

	for (size_t i = 2; i < sizeof(image) / sizeof(*p); i++) {
		static const uint64_t bad[] = { UINT64_MAX, INT64_MAX, UINT64_C(0x8000000000000000),
						0xffffffff };

		for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
			uint64_t before = p[i];

			p[i] = bad[k];
			elf_read(&source, &facts);
			p[i] = before;
		}
	}
	for (length = 0; length < sizeof(image); length++)
		elf_read(&source, &facts);
}

static bool read_fd(void *context, uint64_t offset, void *into, size_t n)
{
	return pread(*(int *)context, into, n, (off_t)offset) == (ssize_t)n;
}

Test(elf, this_program_is_read_as_it_is)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct elf_source own = { read_fd, &fd };
	bool libc = false;

	elf_read(&own, &facts);
	close(fd);
	for (size_t i = 0; i < facts.n_needed; i++)
		libc |= !strcmp(facts.needed[i], "libc.so.6");
	cr_expect(libc && facts.interpreter[0] == '/' && !facts.go && !facts.damaged);
}
