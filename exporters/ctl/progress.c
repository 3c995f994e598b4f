/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

void progress_init(struct progress *p, const char *verb, const char *what, uint64_t total)
{
	const char *term = getenv("TERM");

	*p = (struct progress){ .verb = verb, .what = what, .total = total };
	p->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	p->next_ns = now_ns() + 500 * MS;
}

void progress_show(struct progress *p, uint64_t done)
{
	uint64_t now;

	if (!p->terminal || (now = now_ns()) < p->next_ns)
		return;
	p->next_ns = now + 100 * MS;
	p->shown = true;
	if (p->total)
		fprintf(stderr, "\r%s %s %3.0f %%\x1b[K", p->verb, p->what,
			100.0 * (double)done / (double)p->total);
	else
		fprintf(stderr, "\r%s %s %llu\x1b[K", p->verb, p->what, (unsigned long long)done);
}

void progress_release(struct progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", stderr);
	p->shown = false;
}
