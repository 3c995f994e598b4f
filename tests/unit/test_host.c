/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/host.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct arena arena;
static char root[64];
static void set_up(void)
{
	arena_init(&arena);
	snprintf(root, sizeof root, "/tmp/btrace-test-XXXXXX");
	cr_assert(mkdtemp(root));
}

static void put_file(const char *path, const char *text)
{
	char command[512], full[512];
	FILE *f;

	snprintf(command, sizeof command, "mkdir -p \"$(dirname %s%s)\"", root, path);
	cr_assert_eq(system(command), 0);
	snprintf(full, sizeof full, "%s%s", root, path);
	f = fopen(full, "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", root);
	cr_assert_eq(system(command), 0);
	arena_release(&arena);
}
TestSuite(host, .init = set_up, .fini = tear_down);

Test(host, container_id_of_cgroup_lines)
{
	static const char *const rows[][2] = {
		{ "13:pids:/docker/" ID "\n", ID },
		{ "14:x:/\n13:pids:/docker/" ID, ID },
		{ "1:name=systemd:/system.slice/docker-" ID ".scope\n", ID },
		{ "0::/kubepods.slice/kubepods-besteffort.slice/crio-" ID ".scope", ID },
		{ "0::/kubepods-besteffort-pod1.slice:cri-containerd:" ID, ID },
		{ "0::/system.slice/cri-containerd-" ID ".scope", ID },
		{ "0::/\n", "" },
		{ "0::/user.slice/user-1000.slice/session-3.scope\n", "" },
		{ "13:pids:/docker/" ID "0\n", "" },
		{ "13:pids:/docker/0123456789abcdef\n", "" },
		{ "13:pids:/docker/G123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", "" },
		{ "", "" },
		{ "\n\n", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(slice_is(host_container_from_cgroup(slice_of(rows[i][0])), rows[i][1]), "%s",
			  rows[i][0]);
}

Test(host, container_id_of_mountinfo_lines)
{
	static const char *const rows[][2] = {
		{ "1 2 8:1 / / rw - ext4 /dev/sda rw\n"
		  "5 4 8:1 /var/lib/docker/containers/" ID "/hostname /etc/hostname rw - ext4 /dev/sda rw\n",
		  ID },
		{ "5 4 0:1 /containers/overlay-containers/" ID
		  "/userdata/hostname /etc/hostname rw - tmpfs t rw",
		  ID },
		{ "5 4 8:1 /var/lib/docker/containers/" ID "/resolv.conf /etc/resolv.conf rw - ext4 d rw\n",
		  "" },
		{ "5 4 8:1 /var/lib/docker/containers/short/hostname /etc/hostname rw\n", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(slice_is(host_container_from_mountinfo(slice_of(rows[i][0])), rows[i][1]), "%zu",
			  i);
}

Test(host, os_release_values_lose_their_quotes)
{
	struct slice text =
		SLICE("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME='Debian'\nVERSION_ID=12 \n"
		      "X=\"a \\\"b\\\" \\$c\"\nEMPTY=\n#ID=no\nNAME2=y\nQ=\"\n");

	cr_expect(slice_is(host_os_release(&arena, text, "PRETTY_NAME"), "Debian GNU/Linux 12 (bookworm)"));
	cr_expect(slice_is(host_os_release(&arena, text, "NAME"), "Debian"));
	cr_expect(slice_is(host_os_release(&arena, text, "VERSION_ID"), "12"));
	cr_expect(slice_is(host_os_release(&arena, text, "X"), "a \"b\" $c"));
	cr_expect(slice_is(host_os_release(&arena, text, "EMPTY"), ""));
	cr_expect(slice_is(host_os_release(&arena, text, "ID"), ""));
	cr_expect(slice_is(host_os_release(&arena, text, "Q"), "\""));
}

Test(host, architectures_have_the_names_of_the_conventions)
{
	cr_expect(slice_is(host_arch(SLICE("x86_64")), "amd64"));
	cr_expect(slice_is(host_arch(SLICE("aarch64")), "arm64"));
	cr_expect(slice_is(host_arch(SLICE("i686")), "x86"));
	cr_expect(slice_is(host_arch(SLICE("s390x")), "s390x"));
	cr_expect(slice_is(host_arch(SLICE("riscv64")), "riscv64"));
}

Test(host, users_are_found_by_number)
{
	struct host_facts f = { .passwd = SLICE("root:x:0:0:root:/root:/bin/bash\n"
						"www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
						"bad\n:x:7:7\nlast:x:1000") };

	cr_expect(slice_is(host_user(&f, 0), "root"));
	cr_expect(slice_is(host_user(&f, 33), "www-data"));
	cr_expect(slice_is(host_user(&f, 1000), "last"));
	cr_expect(slice_is(host_user(&f, 3), ""));
	cr_expect(slice_is(host_user(&f, 7), ""));
	cr_expect(slice_is(host_user(&f, 100), ""));
}

Test(host, facts_come_from_files_below_the_root)
{
	struct host_facts f;
	struct utsname u;

	put_file("/etc/os-release", "NAME=Debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian \xff 12\"\n");
	put_file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	put_file("/proc/sys/kernel/osrelease", "6.1.0-17-amd64\n");
	put_file("/proc/self/cgroup", "0::/\n");
	put_file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	host_facts_read(&f, &arena, root);
	cr_assert_eq(uname(&u), 0);
	cr_expect(slice_is(f.name, u.nodename));
	cr_expect(f.arch.n);
	cr_expect(slice_is(f.id, "0123456789abcdef0123456789abcdef"));
	cr_expect(slice_is(f.os_name, "Debian"));
	cr_expect(slice_is(f.os_version, "12"));
	cr_expect(slice_is(f.os_description, "Debian \xef\xbf\xbd 12"));
	cr_expect(slice_is(f.os_build_id, "6.1.0-17-amd64"));
	cr_expect_eq(f.container_id.n, 0);
	cr_expect(slice_is(host_user(&f, 0), "root"));
}

Test(host, in_a_container_the_machine_id_is_not_told)
{
	struct host_facts f;

	put_file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	put_file("/proc/self/cgroup", "0::/docker/" ID "\n");
	host_facts_read(&f, &arena, root);
	cr_expect(slice_is(f.container_id, ID));
	cr_expect_eq(f.id.n, 0);
}

Test(host, missing_files_are_no_error)
{
	struct host_facts f;

	host_facts_read(&f, &arena, root);
	cr_expect(f.name.n);
	cr_expect_eq(f.id.n + f.os_name.n + f.os_build_id.n + f.container_id.n + f.passwd.n, 0);
	cr_expect_not(arena.failed);
}

Test(host, machine_id_that_is_none_is_left_out)
{
	struct host_facts f;

	put_file("/etc/machine-id", "uninitialized\n");
	put_file("/var/lib/dbus/machine-id", "fedcba9876543210fedcba9876543210\n");
	host_facts_read(&f, &arena, root);
	cr_expect(slice_is(f.id, "fedcba9876543210fedcba9876543210"));
}
