/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/trim.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The loader has written into its code: that is nowhere else. */
static bool has_text_relocations(const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
	const ElfW(Dyn) *d = (const void *)(info->dlpi_addr + header->p_vaddr);

	for (; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && d->d_un.d_val & DF_TEXTREL))
			return true;
	return false;
}

static int trim_file(struct dl_phdr_info *info, size_t size, void *context)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)context;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC &&
		    has_text_relocations(info, &info->dlpi_phdr[i]))
			return 0;
	/* backwards: the headers themselves lie in the first of them */
	for (unsigned i = info->dlpi_phnum; i-- > 0;) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t begin = (info->dlpi_addr + h->p_vaddr) & ~(page - 1);
		uintptr_t end = (info->dlpi_addr + h->p_vaddr + h->p_memsz) & ~(page - 1);

		/* a mapping that is no file's (the vDSO) is refused: nothing is to be done */
		if (h->p_type == PT_LOAD && !(h->p_flags & PF_W) && begin < end)
			madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void trim_start(void) { dl_iterate_phdr(trim_file, NULL); }
