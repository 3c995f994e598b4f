/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/address.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

static void expect_path(const char *bytes, size_t n, const char *wanted)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char out[108];
	uint8_t got;

	memcpy(un.sun_path, bytes, n);
	got = address_path((struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n),
			   out);
	cr_assert_eq(got, strlen(wanted));
	cr_expect_eq(memcmp(out, wanted, got), 0, "%.*s", got, out);
}

Test(address, paths_of_unix_sockets)
{
	char longest[109];

	memset(longest, 'x', 108);
	longest[108] = 0;
	expect_path("/run/a.sock\0", 12, "/run/a.sock");
	expect_path("/run/a.sock\0rest", 16, "/run/a.sock");
	expect_path("/run/a.sock", 11, "/run/a.sock");
	expect_path("\0abstract", 9, "@abstract");
	expect_path("", 0, "");
	expect_path(longest, 108, longest);
}

Test(address, other_sockets_have_no_path)
{
	struct sockaddr_storage other = { .ss_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char out[108];

	cr_expect_eq(address_path((struct sockaddr *)&other, sizeof other, out), 0);
	cr_expect_eq(address_path((struct sockaddr *)&un, sizeof(sa_family_t), out), 0);
	cr_expect_eq(address_path(NULL, 0, out), 0);
}
