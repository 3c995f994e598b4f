/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/ctl/doctor.h"
#include "exporters/ctl/proc.h"

/* As in the fourth column of proc_net_tcp(5). */
#define ESTABLISHED 0x01
#define LISTEN      0x0a

struct tcp_socket {
	unsigned state, port;
};

/* Behind n more fields of this row. */
static const char *skip_fields(const char *p, unsigned n)
{
	for (; n; n--) {
		p += strspn(p, " ");
		p += strcspn(p, " \n");
	}
	return p;
}

/* A row of /proc/PID/net/tcp: "sl local:port remote:port state tx:rx tr:when retransmits uid timeout inode".
 */
static bool read_row(const char *row, uint64_t inode, struct tcp_socket *out)
{
	const char *local = skip_fields(row, 1), *colon;

	local += strspn(local, " ");
	colon = local + strcspn(local, ":\n");
	if (*colon != ':' || strtoull(skip_fields(row, 9), NULL, 10) != inode)
		return false;
	out->port = (unsigned)strtoul(colon + 1, NULL, 16);
	out->state = (unsigned)strtoul(skip_fields(row, 3), NULL, 16);
	return true;
}

static bool find_socket(const struct buf table[2], uint64_t inode, struct tcp_socket *out)
{
	for (int i = 0; i < 2; i++)
		for (const char *row = table[i].n ? table[i].p : ""; *row;
		     row += strcspn(row, "\n"), row += *row == '\n')
			if (read_row(row, inode, out))
				return true;
	return false;
}

static bool socket_of(uint32_t pid, const char *fd, const struct buf table[2], struct tcp_socket *out)
{
	char path[64], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/fd/%.20s", pid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	return !strncmp(link, "socket:[", 8) && find_socket(table, strtoull(link + 8, NULL, 10), out);
}

static unsigned listening_port(uint32_t pid, const struct buf table[2])
{
	struct tcp_socket s;
	struct dirent *e;
	unsigned port = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	while (dir && !port && (e = readdir(dir)))
		if (socket_of(pid, e->d_name, table, &s) && s.state == LISTEN)
			port = s.port;
	if (dir)
		closedir(dir);
	return port;
}

static bool is_go(uint32_t pid)
{
	struct elf_facts *f = malloc(sizeof(*f));
	char path[32];
	bool go;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	go = f && doctor_read_elf(path, f) && f->go;
	free(f);
	return go;
}

void doctor_unseen(struct doctor *d, uint32_t pid)
{
	struct tcp_socket s = { 0, 0 };
	struct buf table[2];
	unsigned port;

	buf_init(&table[0]);
	buf_init(&table[1]);
	(void)!proc_read(&table[0], pid, "net/tcp");
	(void)!proc_read(&table[1], pid, "net/tcp6");
	port = listening_port(pid, table);
	if (is_go(pid))
		doctor_add(d, FINDING_PROBLEM,
			   "trace the proxy in front of it, or use OpenTelemetry's Go SDK",
			   "it is a Go program: it makes its system calls itself, past libc and the library");
	else if (port)
		doctor_add(d, FINDING_PROBLEM,
			   "if it was handed that socket it begins with the first connection; else look for "
			   "a line of "
			   "btrace on its standard error; else it makes its system calls itself, past libc, "
			   "and only a "
			   "proxy in front of it can be traced",
			   "it listens on port %u, but the library has seen no call of that: there is no "
			   "tracing session",
			   port);
	else if (socket_of(pid, "0", table, &s) && s.state == ESTABLISHED)
		doctor_add(d, FINDING_PROBLEM, "let it listen by itself, or trace a proxy in front of it",
			   "its descriptor 0 is a connection, as inetd gives it: stdio, which reads past the "
			   "library, is not "
			   "seen");
	else
		doctor_add(d, FINDING_WARNING,
			   "it begins with the first listen() or accept(), with client_only with the first "
			   "connect() "
			   "too",
			   "the library is loaded, but there is no tracing session yet");
	buf_release(&table[0]);
	buf_release(&table[1]);
}
