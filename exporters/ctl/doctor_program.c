/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "exporters/ctl/doctor.h"

#ifndef BTRACE_MULTIARCH
#define BTRACE_MULTIARCH ""
#endif

#define SCRIPTS_MAX   4   /* interpreters of interpreters, as the kernel has it */
#define LIBRARIES_MAX 200 /* that are looked through for TLS */

static bool read_file_at(void *context, uint64_t offset, void *into, size_t n)
{
	const int *fd = context;

	return pread(*fd, into, n, (off_t)offset) == (ssize_t)n;
}

bool doctor_read_elf(const char *file, struct elf_facts *out)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct elf_source source = { read_file_at, &fd };

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return false;
	elf_read(&source, out);
	close(fd);
	return true;
}

/* --- TLS: which library would carry it --- */

static const char *const tls_names[] = { "libssl.",     "libgnutls.",  "libnss3.",
					 "libmbedtls.", "libwolfssl.", "libboringssl." };

static bool is_tls(const char *name)
{
	for (size_t i = 0; i < sizeof(tls_names) / sizeof(*tls_names); i++)
		if (!strncmp(name, tls_names[i], strlen(tls_names[i])))
			return true;
	return false;
}

struct search {
	char names[LIBRARIES_MAX][128];
	size_t n;
	char tls[128], uring[128];
};

static void add_names(struct search *s, const struct elf_facts *f)
{
	for (size_t i = 0; i < f->n_needed; i++) {
		bool known = false;

		for (size_t k = 0; k < s->n; k++)
			known |= !strcmp(s->names[k], f->needed[i]);
		if (known || s->n == LIBRARIES_MAX)
			continue;
		snprintf(s->names[s->n++], sizeof(s->names[0]), "%s", f->needed[i]);
		if (is_tls(f->needed[i]) && !*s->tls)
			snprintf(s->tls, sizeof(s->tls), "%s", f->needed[i]);
		if (!strncmp(f->needed[i], "liburing.", 9))
			snprintf(s->uring, sizeof(s->uring), "%s", f->needed[i]);
	}
}

/* Where the loader would probably find it; the cache is not asked. */
static bool find_library(const char *name, char path[4096])
{
	static const char *const places[] = { "/lib/" BTRACE_MULTIARCH,
					      "/usr/lib/" BTRACE_MULTIARCH,
					      "/lib64",
					      "/usr/lib64",
					      "/lib",
					      "/usr/lib",
					      "/usr/local/lib" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, 4096, "%s/%s", places[i], name);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static void look_for_tls(struct doctor *d, const char *shown, const struct elf_facts *program)
{
	struct search *s = calloc(1, sizeof(*s));
	struct elf_facts *f = malloc(sizeof(*f));
	char path[4096];

	if (s && f) {
		add_names(s, program);
		for (size_t i = 0; i < s->n; i++) /* grows as it goes */
			if (find_library(s->names[i], path) && doctor_read_elf(path, f))
				add_names(s, f);
		if (program->defines_ssl || *s->tls)
			doctor_add(
				d, FINDING_NOTE,
				"for HTTPS let a proxy in front terminate it; plain HTTP is traced as ever",
				"%s can speak TLS by %s: HTTPS connections are counted, not traced", shown,
				program->defines_ssl ? "a library built into it" : s->tls);
		if (*s->uring)
			doctor_add(d, FINDING_WARNING, "switch it off in the server, if it can",
				   "%s links %s: what goes through io_uring is not seen", shown, s->uring);
	}
	free(s);
	free(f);
}

/* --- the program file --- */

static void check_privileges(struct doctor *d, const char *file, const char *shown)
{
	struct statvfs fs;
	struct stat st;

	if (stat(file, &st) < 0)
		return;
	if (statvfs(file, &fs) == 0 && (fs.f_flag & ST_NOSUID))
		return;
	if ((st.st_mode & S_ISUID && st.st_uid != d->uid) || st.st_mode & S_ISGID)
		doctor_add(d, FINDING_PROBLEM,
			   "start it as the user it changes to, without the bit (chmod ug-s)",
			   "%s is set-%s: the loader ignores LD_PRELOAD", shown,
			   st.st_mode & S_ISUID ? "uid" : "gid");
	if (getxattr(file, "security.capability", NULL, 0) > 0)
		doctor_add(d, FINDING_PROBLEM,
			   "take them away (setcap -r) and give the service AmbientCapabilities= instead",
			   "%s has file capabilities: the loader ignores LD_PRELOAD", shown);
}

/* True: it can be preloaded, as far as its file tells. */
static bool check_elf(struct doctor *d, const char *shown, const struct elf_facts *f)
{
	struct elf_facts library;
	char room[24], other[24];
	uint16_t ours = EM_NONE;

	if (*d->library && doctor_read_elf(d->library, &library) && library.elf)
		ours = library.machine;
	if (f->bits != 64 || f->big || (ours && f->machine != ours))
		doctor_add(
			d, FINDING_PROBLEM,
			"use the library of that architecture; 32 bit and big-endian ones there are none for",
			"%s is %u bit %s, the library %s: the loader leaves it out", shown, f->bits,
			elf_machine_name(f->machine, room), ours ? elf_machine_name(ours, other) : "64 bit");
	else if (f->damaged)
		doctor_add(d, FINDING_PROBLEM, NULL, "%s: its headers contradict the file", shown);
	else if (f->go)
		doctor_add(d, FINDING_PROBLEM,
			   "trace the proxy in front of it, or use OpenTelemetry's Go SDK",
			   "%s is a Go program%s: it makes its system calls itself, past libc", shown,
			   *f->interpreter ? "" : ", statically linked");
	else if (!*f->interpreter)
		doctor_add(d, FINDING_PROBLEM,
			   "use a dynamically linked build, or trace the proxy in front of it",
			   "%s is statically linked: nothing can be preloaded", shown);
	else if (strstr(f->interpreter, "ld-musl"))
		doctor_add(d, FINDING_PROBLEM, "use a build for glibc (an image that is not Alpine)",
			   "%s is linked to musl (%s); the library needs glibc", shown, f->interpreter);
	else if (access(f->interpreter, X_OK) != 0)
		doctor_add(d, FINDING_PROBLEM, NULL, "%s wants the loader %s, which is not there", shown,
			   f->interpreter);
	else
		return true;
	return false;
}

void doctor_executable(struct doctor *d, const char *file, const char *shown)
{
	struct elf_facts *f = malloc(sizeof(*f));
	char room[24];

	if (!f)
		return;
	if (!doctor_read_elf(file, f)) {
		doctor_add(d, FINDING_WARNING, "run this as root, or as the user of the service",
			   "%s cannot be read: %s", shown, strerror(errno));
	} else if (!f->elf) {
		doctor_add(d, FINDING_PROBLEM, NULL, "%s is neither a program nor a script with #!", shown);
	} else if (check_elf(d, shown, f)) {
		doctor_add(d, FINDING_OK, NULL, "%s: dynamically linked to glibc, %s", shown,
			   elf_machine_name(f->machine, room));
		look_for_tls(d, shown, f);
	}
	check_privileges(d, file, shown);
	free(f);
}

/* --- finding it --- */

static bool find_command(const char *command, const char *path, char out[4096])
{
	struct stat st;

	if (strchr(command, '/')) {
		snprintf(out, 4096, "%s", command);
		return stat(out, &st) == 0 && S_ISREG(st.st_mode);
	}
	for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
		size_t n = strcspn(p, ":");

		snprintf(out, 4096, "%.*s/%s", (int)(n ? n : 1), n ? p : ".", command);
		if (access(out, X_OK) == 0 && stat(out, &st) == 0 && S_ISREG(st.st_mode))
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t");

	*at = word + strcspn(word, " \t");
	if (**at)
		*(*at)++ = '\0';
	return *word ? word : NULL;
}

/* The interpreter in the first line of a script; "env NAME" is looked up. False: it is none. */
static bool read_script(const char *file, const char *path, char out[4096])
{
	char line[512] = "", *words[2] = { NULL }, *rest;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
	const char *slash;
	size_t i = 0;

	if (fd >= 0)
		close(fd);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[2 + strcspn(line + 2, "\n")] = '\0';
	for (rest = line + 2; i < 2 && (words[i] = next_word(&rest));)
		i += strcmp(words[i], "-S") != 0;
	if (!words[0])
		return false;
	slash = strrchr(words[0], '/');
	if (words[1] && slash && !strcmp(slash, "/env"))
		return find_command(words[1], path, out) || snprintf(out, 4096, "%s", words[1]) > 0;
	return snprintf(out, 4096, "%s", words[0]) > 0;
}

void doctor_program(struct doctor *d, const char *command, const char *path)
{
	char file[4096], next[4096], room[4096];

	if (!find_command(command, path, file)) {
		doctor_add(d, FINDING_PROBLEM, "give its path, or set PATH as the service has it",
			   "%s: there is no such command", command);
		return;
	}
	for (int i = 0; i < SCRIPTS_MAX && read_script(file, path, next); i++) {
		doctor_add(d, FINDING_NOTE, NULL, "%s is a script for %s", file, next);
		if (access(next, F_OK) != 0)
			break;
		snprintf(file, sizeof(file), "%s", next);
	}
	if (doctor_forbidden(d, file, X_OK, room))
		doctor_add(d, FINDING_PROBLEM, NULL, "%s cannot be executed by %s: %s forbids it", file,
			   d->user ? d->user : "this user", room);
	doctor_executable(d, file, file);
}
