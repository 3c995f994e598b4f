/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HOST_H
#define BTRACE_HOST_H

/*
 * What is the same for all processes of a session: host, operating system,
 * container (resource conventions), and the names of users. Read once, before the worker
 * gives up its rights; absence of a fact is no error.
 */

#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/base/slice.h"

struct host_facts {
	struct slice name, arch, id;
	struct slice os_name, os_version, os_description, os_build_id;
	struct slice container_id;
	struct slice passwd; /* /etc/passwd, for host_user() */
};

/*
 * Reads the facts of this process's host; files below `root` ("" outside of
 * tests). Strings lie in the arena, valid UTF-8.
 */
void host_facts_read(struct host_facts *f, struct arena *arena, const char *root);

/* The user's name by /etc/passwd; empty: not there. (Other name services are not asked: they block.) */
struct slice host_user(const struct host_facts *f, uint32_t uid);

/* amd64, arm64, ... for what uname(2) calls the machine. */
struct slice host_arch(struct slice machine);

/* The container's id in the text of /proc/self/cgroup or /proc/self/mountinfo: 64 hex digits, or empty. */
struct slice host_container_from_cgroup(struct slice text);
struct slice host_container_from_mountinfo(struct slice text);

/* The value of KEY=value in the text of os-release(5), without its quotes. */
struct slice host_os_release(struct arena *arena, struct slice text, const char *key);

#endif
