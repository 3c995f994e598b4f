/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem, memrchr */
#include "exporters/span/host.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "exporters/base/buf.h"
#include "exporters/base/utf8.h"

#define FILE_BYTES_MAX    (1u << 20)
#define PATH_BYTES_MAX    4096
#define CONTAINER_DIGITS  64u
#define MACHINE_ID_DIGITS 32u

static const struct slice none = { "", 0 };

/* The file, up to a limit; empty if it cannot be read. Sizes of /proc files are not known before. */
static struct slice read_file(struct arena *arena, const char *root, const char *path)
{
	char full[PATH_BYTES_MAX], chunk[4096];
	struct buf b;
	struct slice out;
	ssize_t n;
	int fd;

	snprintf(full, sizeof full, "%s%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return none;
	buf_init(&b);
	while (b.n < FILE_BYTES_MAX && (n = read(fd, chunk, sizeof chunk)) > 0)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	out = b.failed ? none : arena_copy(arena, (struct slice){ b.p, b.n });
	buf_release(&b);
	return out;
}

/* The next line of *text, without its end; false: no more. */
static bool next_line(struct slice *text, struct slice *line)
{
	const char *end;

	if (!text->n)
		return false;
	end = memchr(text->p, '\n', text->n);
	line->p = text->p;
	line->n = end ? (size_t)(end - text->p) : text->n;
	text->p += line->n + (end != NULL);
	text->n -= line->n + (end != NULL);
	return true;
}

static struct slice after_last(struct slice s, char mark)
{
	const char *at = s.n ? memrchr(s.p, mark, s.n) : NULL;

	return at ? (struct slice){ at + 1, s.n - (size_t)(at + 1 - s.p) } : s;
}

static struct slice before_first(struct slice s, char mark)
{
	const char *at = s.n ? memchr(s.p, mark, s.n) : NULL;

	return at ? (struct slice){ s.p, (size_t)(at - s.p) } : s;
}

static bool is_hex(struct slice s, size_t digits)
{
	if (s.n != digits)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

struct slice host_container_from_cgroup(struct slice text)
{
	static const struct slice prefixes[] = { { "docker-", 7 },
						 { "crio-", 5 },
						 { "cri-containerd-", 15 } };
	struct slice line;

	while (next_line(&text, &line)) {
		struct slice id = after_last(after_last(line, '/'), ':');

		for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
			size_t n = prefixes[i].n;

			if (id.n > n && memcmp(id.p, prefixes[i].p, n) == 0) {
				id = (struct slice){ id.p + n, id.n - n };
				break;
			}
		}
		id = before_first(id, '.');
		if (is_hex(id, CONTAINER_DIGITS))
			return id;
	}
	return none;
}

/* The path component behind "/containers/" or "/overlay-containers/". */
static struct slice id_behind(struct slice line, const char *folder)
{
	size_t n = strlen(folder);
	const char *at = memmem(line.p, line.n, folder, n);
	struct slice id;

	if (!at)
		return none;
	id = before_first((struct slice){ at + n, line.n - (size_t)(at + n - line.p) }, '/');
	return is_hex(id, CONTAINER_DIGITS) ? id : none;
}

struct slice host_container_from_mountinfo(struct slice text)
{
	struct slice line, id;

	while (next_line(&text, &line)) {
		if (!memmem(line.p, line.n, "hostname", 8))
			continue;
		id = id_behind(line, "/containers/");
		if (!id.n)
			id = id_behind(line, "/overlay-containers/");
		if (id.n)
			return id;
	}
	return none;
}

/* Quotes off, backslashes resolved (os-release(5): the shell's rules for assignments). */
static struct slice unquote(struct arena *arena, struct slice s)
{
	char *out;
	size_t n = 0;

	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\r'))
		s.n--;
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		s = (struct slice){ s.p + 1, s.n - 2 };
	if (!s.n || !memchr(s.p, '\\', s.n))
		return s;
	out = arena_take(arena, s.n);
	for (size_t i = 0; out && i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		out[n++] = s.p[i];
	}
	return out ? (struct slice){ out, n } : none;
}

struct slice host_os_release(struct arena *arena, struct slice text, const char *key)
{
	size_t n = strlen(key);
	struct slice line;

	while (next_line(&text, &line))
		if (line.n > n && memcmp(line.p, key, n) == 0 && line.p[n] == '=')
			return unquote(arena, (struct slice){ line.p + n + 1, line.n - n - 1 });
	return none;
}

struct slice host_arch(struct slice machine)
{
	static const struct {
		const char *machine, *arch;
	} names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i386", "x86" },     { "i486", "x86" },
		{ "i586", "x86" },     { "i686", "x86" },      { "armv7l", "arm32" }, { "armv6l", "arm32" },
		{ "armv8l", "arm32" }, { "ppc64le", "ppc64" }, { "ppc", "ppc32" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_is(machine, names[i].machine))
			return slice_of(names[i].arch);
	return machine;
}

struct slice host_user(const struct host_facts *f, uint32_t uid)
{
	struct slice text = f->passwd, line;
	char wanted[16];
	size_t n = (size_t)snprintf(wanted, sizeof wanted, "%u", uid);

	while (next_line(&text, &line)) {
		struct slice name = before_first(line, ':'), rest = line, number;

		for (int field = 0; field < 2; field++) { /* name:password:uid: */
			struct slice head = before_first(rest, ':');

			rest.p += head.n + (head.n < rest.n);
			rest.n -= head.n + (head.n < rest.n);
		}
		number = before_first(rest, ':');
		if (name.n && number.n == n && memcmp(number.p, wanted, n) == 0)
			return name;
	}
	return none;
}

static struct slice machine_id(struct arena *arena, const char *root)
{
	static const char *const paths[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct slice id = before_first(read_file(arena, root, paths[i]), '\n');

		if (is_hex(id, MACHINE_ID_DIGITS))
			return id;
	}
	return none;
}

static void read_os(struct host_facts *f, struct arena *arena, const char *root)
{
	struct slice text = read_file(arena, root, "/etc/os-release");

	if (!text.n)
		text = read_file(arena, root, "/usr/lib/os-release");
	text = utf8_repair(arena, text);
	f->os_name = host_os_release(arena, text, "NAME");
	f->os_version = host_os_release(arena, text, "VERSION_ID");
	f->os_description = host_os_release(arena, text, "PRETTY_NAME");
	f->os_build_id = host_os_release(arena, text, "BUILD_ID");
	if (!f->os_build_id.n)
		f->os_build_id = before_first(read_file(arena, root, "/proc/sys/kernel/osrelease"), '\n');
	f->os_build_id = utf8_repair(arena, f->os_build_id);
}

void host_facts_read(struct host_facts *f, struct arena *arena, const char *root)
{
	struct utsname u;

	memset(f, 0, sizeof *f);
	if (uname(&u) == 0) {
		f->name = utf8_repair(arena, arena_copy(arena, slice_of(u.nodename)));
		f->arch = arena_copy(arena, host_arch(slice_of(u.machine)));
	}
	read_os(f, arena, root);
	f->container_id = host_container_from_cgroup(read_file(arena, root, "/proc/self/cgroup"));
	if (!f->container_id.n)
		f->container_id =
			host_container_from_mountinfo(read_file(arena, root, "/proc/self/mountinfo"));
	if (!f->container_id.n) /* a container's machine-id is its image's, the same in all of them */
		f->id = machine_id(arena, root);
	f->passwd = utf8_repair(arena, read_file(arena, root, "/etc/passwd"));
}
