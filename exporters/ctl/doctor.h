/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_DOCTOR_H
#define BTRACE_DOCTOR_H

/*
 * Why would, or do, no spans come? Each check looks at one thing and adds one
 * line a finding: what is so, and what to do about it. Checks only look: they
 * start nothing, change nothing, and send nothing but the opening of a
 * connection to a configured receiver.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "exporters/base/buf.h"
#include "exporters/config/config.h"
#include "exporters/ctl/elf.h"

enum finding_level { FINDING_OK, FINDING_NOTE, FINDING_WARNING, FINDING_PROBLEM };

struct finding {
	enum finding_level level;
	char *text, *remedy; /* remedy NULL: there is nothing to do */
};

struct doctor {
	struct finding *findings;
	size_t n, size;
	bool failed; /* no memory */
	/* whose rights count: those of this process, or of the user of the service */
	const char *user; /* NULL: ours */
	uid_t uid;
	gid_t groups[64];
	int n_groups;
	char library[4096]; /* "": not found */
};

/* Remedy and text are printf formats with arguments in that order: doctor_add(d, level, remedy, text, ...);
 * the remedy is taken as it is. */
void doctor_add(struct doctor *d, enum finding_level level, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void doctor_release(struct doctor *d);

/* 0, or -ENOENT: no such user. */
int doctor_user(struct doctor *d, const char *name);

/* --- doctor_files.c --- */
/* May the user read (4), write (2), execute (1) it, with all directories on the way? NULL: yes; else the path
 * that forbids it, in `room`. By the mode bits; ACLs are not looked at. */
const char *doctor_forbidden(const struct doctor *d, const char *path, int rights, char room[4096]);
/* The library: there, readable, of this machine, with its exporter beside it. */
void doctor_library(struct doctor *d);

/* --- doctor_program.c --- */
/* A command as a shell would find it: static, Go, musl, set-uid, capabilities, TLS. */
void doctor_program(struct doctor *d, const char *command, const char *path);
/* The same of a file that is known. `shown`: what to call it. */
void doctor_executable(struct doctor *d, const char *file, const char *shown);
bool doctor_read_elf(const char *file, struct elf_facts *out);

/* --- doctor_config.c --- */
/* Reads the config as the exporter would and tries to reach every receiver. path NULL: as the environment
 * says. */
void doctor_config(struct doctor *d, const char *path, const char *directory, const char *const *environment);
/* --- doctor_reach.c --- */
void doctor_reach(struct doctor *d, const struct config_exporter *e);

/* --- doctor_process.c --- */
void doctor_process(struct doctor *d, uint32_t pid);
/* --- doctor_session.c: which exporter, what became of its requests --- */
void doctor_session(struct doctor *d, uint32_t pid);
/* --- doctor_unseen.c: it has the library and no span table: by what does it serve? --- */
void doctor_unseen(struct doctor *d, uint32_t pid);

#endif
