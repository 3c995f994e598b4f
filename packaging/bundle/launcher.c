/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the program of the same name in runtime/ beside it with the loader and
 * the libraries there, whatever the system around has or lacks. Static, so that
 * it needs nothing itself. In a bundle this is btrace-exporter and btracectl.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { ROOM = 4096, OURS = 7 };

int main(int argc, char **argv)
{
	char self[ROOM], loader[ROOM], libraries[ROOM], program[ROOM], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char **arguments = calloc((size_t)argc + OURS + 1, sizeof(*arguments));
	int i = 0;

	if (n > 0)
		self[n] = '\0';
	else /* no /proc: then by the name it was called by */
		snprintf(self, sizeof(self), "%s", (const char *)getauxval(AT_EXECFN));
	slash = strrchr(self, '/');
	if (!slash || !arguments)
		return 126;
	*slash = '\0';
	if (snprintf(libraries, sizeof(libraries), "%s/runtime", self) >= ROOM ||
	    snprintf(loader, sizeof(loader), "%s/runtime/ld.so", self) >= ROOM ||
	    snprintf(program, sizeof(program), "%s/runtime/%s", self, slash + 1) >= ROOM)
		return 126;
	arguments[i++] = loader;
	arguments[i++] = "--inhibit-cache"; /* the system's libraries belong to another libc */
	arguments[i++] = "--library-path";
	arguments[i++] = libraries;
	arguments[i++] = "--argv0";
	arguments[i++] = slash + 1;
	arguments[i++] = program;
	for (int k = 1; k < argc; k++)
		arguments[i++] = argv[k];
	execv(loader, arguments);
	fprintf(stderr, "%s: ", slash + 1);
	perror(loader);
	return 127;
}
