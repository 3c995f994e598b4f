/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/attach.h"
#include "exporters/ctl/doctor.h"
#include "exporters/ctl/proc.h"

struct maps {
	bool library, stale, table, musl;
	char tls[256];
};

static void read_maps(const char *text, struct maps *m)
{
	memset(m, 0, sizeof(*m));
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, "\n");
		char name[512];
		const char *path = memchr(line, '/', n), *base;

		if (!path)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(n - (size_t)(path - line)), path);
		base = strrchr(name, '/') + 1;
		if (!strncmp(base, "libbtrace.so", 12)) {
			m->library = true;
			m->stale |= strstr(base, "(deleted)") != NULL;
		}
		m->table |= !strcmp(name, "/memfd:btrace (deleted)");
		m->musl |= strstr(base, "ld-musl") != NULL;
		if (!*m->tls && (!strncmp(base, "libssl.", 7) || !strncmp(base, "libgnutls.", 10)))
			snprintf(m->tls, sizeof(m->tls), "%s", base);
	}
}

static bool is_secure(uint32_t pid) /* AT_SECURE: the loader takes nothing from the environment */
{
	Elf64_auxv_t entry;
	struct buf text;
	bool secure = false;

	buf_init(&text);
	if (!proc_read(&text, pid, "auxv"))
		for (size_t at = 0; at + sizeof(entry) <= text.n; at += sizeof(entry)) {
			memcpy(&entry, text.p + at, sizeof(entry));
			secure |= entry.a_type == AT_SECURE && entry.a_un.a_val;
		}
	buf_release(&text);
	return secure;
}

/* "nginx.service" if a service manager runs it; else "". */
static void unit_of(uint32_t pid, char out[128])
{
	struct buf text;
	char *end, *slash;

	*out = '\0';
	buf_init(&text);
	if (!proc_read(&text, pid, "cgroup") && (end = strstr(text.p, ".service"))) {
		end[8] = '\0';
		slash = strrchr(text.p, '/');
		snprintf(out, 128, "%s", slash ? slash + 1 : "");
	}
	buf_release(&text);
}

static void tell_not_preloaded(struct doctor *d, uint32_t pid)
{
	char unit[128], remedy[512];

	unit_of(pid, unit);
	if (*unit)
		snprintf(remedy, sizeof(remedy),
			 "systemctl edit %s: [Service] Environment=LD_PRELOAD=libbtrace.so "
			 "BTRACE_CONFIG=/etc/btrace/btrace.yml, then restart it",
			 unit);
	else
		snprintf(remedy, sizeof(remedy),
			 "start it with LD_PRELOAD; su -, sudo, env -i, cron and service managers clean the "
			 "environment");
	doctor_add(d, FINDING_PROBLEM, remedy,
		   "the library is not loaded: LD_PRELOAD did not name it when the program was started");
}

static void tell_refused(struct doctor *d, uint32_t pid, const char *preload, const struct maps *m)
{
	char exe[64], shown[64];

	snprintf(exe, sizeof(exe), "/proc/%u/exe", pid);
	snprintf(shown, sizeof(shown), "the program of process %u", pid);
	if (is_secure(pid))
		doctor_add(d, FINDING_PROBLEM, "start it without the set-uid bit and file capabilities",
			   "the library is not loaded: the program runs with more rights than who started "
			   "it, and the "
			   "loader ignores LD_PRELOAD there");
	else if (m->musl)
		doctor_add(d, FINDING_PROBLEM, "use a build for glibc (an image that is not Alpine)",
			   "the library is not loaded: the program uses musl");
	else
		doctor_add(d, FINDING_PROBLEM, "look for \"cannot be preloaded\" on its standard error",
			   "the library is not loaded although LD_PRELOAD=%s: not found or not readable for "
			   "it, or "
			   "not preloadable",
			   preload);
	doctor_executable(d, exe, shown);
}

/* Pointers into the text of /proc/PID/environ. NULL: no memory. */
static const char **environment_of(struct buf *text)
{
	size_t n = 0, i = 0;
	const char **out;

	for (size_t at = 0; at + 1 < text->n; at += strlen(text->p + at) + 1)
		n++;
	out = calloc(n + 1, sizeof(*out));
	for (size_t at = 0; out && at + 1 < text->n; at += strlen(text->p + at) + 1)
		out[i++] = text->p + at;
	return out;
}

static void check_loaded(struct doctor *d, uint32_t pid, const struct maps *m, const char *const *environment)
{
	char link[64], directory[4096] = "/";
	ssize_t n;

	doctor_add(d, FINDING_OK, NULL, "the library is loaded into process %u", pid);
	if (m->stale)
		doctor_add(d, FINDING_WARNING, "restart the server to get the new one",
			   "the library's file was replaced since");
	if (*m->tls)
		doctor_add(d, FINDING_NOTE,
			   "for HTTPS let a proxy in front terminate it; plain HTTP is traced as ever",
			   "it has loaded %s: HTTPS connections are counted, not traced", m->tls);
	snprintf(link, sizeof(link), "/proc/%u/cwd", pid);
	n = readlink(link, directory, sizeof(directory) - 1);
	if (n > 0)
		directory[n] = '\0';
	if (attach_inner_pid(pid) == pid) /* else its files are not ours */
		doctor_config(d, NULL, directory, environment);
	else
		doctor_add(d, FINDING_NOTE, "run btracectl check inside of it",
			   "it is in a container: its config was not looked at");
}

void doctor_process(struct doctor *d, uint32_t pid)
{
	struct buf maps, environment;
	const char **variables = NULL, *preload = "";
	struct maps m;
	int error;

	buf_init(&maps);
	buf_init(&environment);
	error = proc_read(&maps, pid, "maps");
	if (!error)
		error = proc_read(&environment, pid, "environ");
	if (!error && !(variables = environment_of(&environment)))
		error = -ENOMEM;
	if (error) {
		doctor_add(d, FINDING_PROBLEM,
			   error == -ENOENT ? NULL : "run this as root, or as the user of the service",
			   "process %u cannot be looked at: %s", pid,
			   error == -ENOENT ? "there is none" : strerror(-error));
	} else {
		read_maps(maps.p, &m);
		for (const char **v = variables; *v; v++)
			preload = strncmp(*v, "LD_PRELOAD=", 11) ? preload : *v + 11;
		if (m.library)
			check_loaded(d, pid, &m, variables);
		else if (strstr(preload, "libbtrace"))
			tell_refused(d, pid, preload, &m);
		else
			tell_not_preloaded(d, pid);
		if (m.library && m.table)
			doctor_session(d, pid);
		else if (m.library)
			doctor_unseen(d, pid);
	}
	free(variables);
	buf_release(&maps);
	buf_release(&environment);
}
