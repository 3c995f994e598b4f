/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/recent.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct recent recent;

static struct slice find(const char *path)
{
	static char out[RECENT_BYTES];

	return recent_find(&recent, slice_of(path), out, sizeof out);
}

Test(recent, what_was_kept_is_found)
{
	cr_expect_eq(find("/a").n, 0);
	recent_keep(&recent, SLICE("/users/42"), SLICE("/users/{id}"));
	recent_keep(&recent, SLICE("/"), SLICE("/"));
	cr_expect(slice_is(find("/users/42"), "/users/{id}"));
	cr_expect(slice_is(find("/"), "/"));
	cr_expect_eq(find("/users/43").n, 0);
	cr_expect_eq(find("/users/4").n, 0);
	cr_expect_eq(find("").n, 0);
}

Test(recent, a_new_path_takes_the_place_of_an_old_one_and_of_no_other)
{
	char path[32], route[32];

	for (unsigned i = 0; i < 20 * RECENT_PATHS; i++) {
		snprintf(path, sizeof path, "/path/number/%u", i);
		snprintf(route, sizeof route, "/route/%u", i);
		recent_keep(&recent, slice_of(path), slice_of(route));
		cr_expect(slice_is(find(path), route), "%s", path);
	}
	for (unsigned i = 0; i < 20 * RECENT_PATHS; i++) {
		snprintf(path, sizeof path, "/path/number/%u", i);
		snprintf(route, sizeof route, "/route/%u", i);
		cr_expect(find(path).n == 0 || slice_is(find(path), route), "%s", path);
	}
}

Test(recent, what_is_too_long_is_not_kept)
{
	char longest[RECENT_BYTES + 2] = "", out[RECENT_BYTES];

	memset(longest, 'x', RECENT_BYTES + 1);
	recent_keep(&recent, slice_of(longest), SLICE("/r"));
	cr_expect_eq(find(longest).n, 0);
	recent_keep(&recent, SLICE("/p"), slice_of(longest));
	cr_expect_eq(find("/p").n, 0);
	longest[RECENT_BYTES] = 0;
	recent_keep(&recent, slice_of(longest), slice_of(longest));
	cr_expect(slice_is(find(longest), longest));
	cr_expect_eq(recent_find(&recent, slice_of(longest), out, RECENT_BYTES - 1).n, 0, "no room for it");
}
