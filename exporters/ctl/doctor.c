/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/ctl/doctor.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void doctor_add(struct doctor *d, enum finding_level level, const char *remedy, const char *format, ...)
{
	struct finding f = { .level = level };
	va_list arguments;

	if (d->n == d->size) {
		size_t size = d->size ? 2 * d->size : 32;
		struct finding *bigger = realloc(d->findings, size * sizeof(*bigger));

		if (!bigger) {
			d->failed = true;
			return;
		}
		d->findings = bigger;
		d->size = size;
	}
	va_start(arguments, format);
	if (vasprintf(&f.text, format, arguments) < 0)
		f.text = NULL;
	va_end(arguments);
	f.remedy = remedy ? strdup(remedy) : NULL;
	if (!f.text || (remedy && !f.remedy))
		d->failed = true;
	d->findings[d->n++] = f;
}

void doctor_release(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->findings[i].text);
		free(d->findings[i].remedy);
	}
	free(d->findings);
	d->findings = NULL;
	d->n = d->size = 0;
}

int doctor_user(struct doctor *d, const char *name)
{
	const struct passwd *user = getpwnam(name);

	if (!user)
		return -ENOENT;
	d->user = name;
	d->uid = user->pw_uid;
	d->n_groups = (int)(sizeof(d->groups) / sizeof(*d->groups));
	if (getgrouplist(name, user->pw_gid, d->groups, &d->n_groups) < 0)
		d->n_groups = (int)(sizeof(d->groups) / sizeof(*d->groups)); /* of more, the first */
	return 0;
}
