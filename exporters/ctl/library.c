/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/ctl/library.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef BTRACE_MULTIARCH
#define BTRACE_MULTIARCH "" /* the Makefile knows it */
#endif

void library_find(char *path, size_t size)
{
	static const char *const places[] = { "libbtrace.so", "../lib/libbtrace.so",
					      "../lib/" BTRACE_MULTIARCH "/libbtrace.so",
					      "../libbtrace.so" }; /* the last in a bundle */
	char directory[PATH_MAX] = "", found[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", directory, sizeof(directory) - 1);

	slash = n > 0 ? strrchr(directory, '/') : NULL;
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
		if (snprintf(path, size, "%s/%s", directory, places[i]) < (int)size &&
		    access(path, R_OK) == 0) {
			if (realpath(path, found) && strlen(found) < size)
				memcpy(path, found, strlen(found) + 1);
			return;
		}
	}
	snprintf(path, size, "libbtrace.so");
}
