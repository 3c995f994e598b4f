/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_GUARD_PAGE_H
#define BTRACE_GUARD_PAGE_H

/*
 * Memory whose last byte touches a PROT_NONE page: a parser that reads one byte too
 * far crashes.
 *
 *	struct guard_page page;
 *	guard_page_init(&page, largest);
 *	const char *p = guard_page_put(&page, bytes, n);	// p + n is the forbidden page
 *	guard_page_release(&page);
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard_page {
	char *base;
	size_t bytes; /* of the readable part, whole pages */
};

static inline void guard_page_init(struct guard_page *page, size_t largest)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);

	page->bytes = (largest / unit + 1) * unit;
	page->base =
		mmap(NULL, page->bytes + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page->base == MAP_FAILED || mprotect(page->base + page->bytes, unit, PROT_NONE) != 0)
		abort();
}

/* Good until the next put. n is at most what init was told. */
static inline const char *guard_page_put(struct guard_page *page, const void *bytes, size_t n)
{
	char *p = page->base + page->bytes - n;

	if (n > page->bytes)
		abort();
	if (n)
		memmove(p, bytes, n);
	return p;
}

static inline void guard_page_release(struct guard_page *page)
{
	munmap(page->base, page->bytes + (size_t)sysconf(_SC_PAGESIZE));
	page->base = NULL;
}

#endif
