/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/session/live.h"

static struct live *live;
static struct live_index index_;
static struct resource resource = { .service_name = { "shop", 4 } };

static void begin(void)
{
	live = calloc(1, sizeof(*live));
	live_index_init(&index_, live);
}

static void end(void) { free(live); }

TestSuite(live, .init = begin, .fini = end);

static void count(const char *name, uint64_t ns, enum model_status status)
{
	struct span span = { .kind = MODEL_KIND_SERVER,
			     .name = slice_of(name),
			     .resource = &resource,
			     .start_unix_ns = 1000,
			     .end_unix_ns = 1000 + ns,
			     .status = status };

	live_count(live, &index_, &span);
}

Test(live, the_middle_of_a_bucket_is_near_every_duration_in_it)
{
	for (uint64_t ns = 1100; ns < UINT64_C(130000000000); ns += ns / 37 + 1) {
		double off = ((double)live_bucket_ns(live_bucket(ns)) - (double)ns) / (double)ns;

		cr_assert(off < 0.032 && off > -0.032, "%llu ns is %f off", (unsigned long long)ns, off);
	}
}

Test(live, buckets_are_in_order_and_within_bounds)
{
	unsigned last = 0;

	for (uint64_t ns = 1; ns && ns < UINT64_C(1) << 60; ns += ns / 50 + 1) {
		unsigned bucket = live_bucket(ns);

		cr_assert(bucket >= last && bucket < LIVE_BUCKETS);
		last = bucket;
	}
	cr_expect_eq(live_bucket(UINT64_MAX), LIVE_BUCKETS - 1);
	cr_expect_eq(live_bucket(0), 0);
}

Test(live, requests_and_errors_are_counted_per_service_and_name)
{
	static struct resource other = { .service_name = { "till", 4 } };

	count("GET /a", 5000, MODEL_STATUS_UNSET);
	count("GET /a", 5000, MODEL_STATUS_ERROR);
	count("GET /b", 5000, MODEL_STATUS_UNSET);
	live_count(live, &index_,
		   &(struct span){ .kind = MODEL_KIND_SERVER, .name = SLICE("GET /a"), .resource = &other });
	live_count(live, &index_,
		   &(struct span){ .kind = MODEL_KIND_CLIENT, .name = SLICE("GET"), .resource = &other });
	cr_assert_eq(live->n, 4);
	cr_expect_str_eq(live->route[1].name, "GET /a");
	cr_expect_str_eq(live->route[1].service, "shop");
	cr_expect(live->route[1].requests == 2 && live->route[1].errors == 1);
	cr_expect_eq(live->route[1].bucket[live_bucket(5000)], 2);
	cr_expect_str_eq(live->route[3].service, "till");
}

Test(live, a_new_worker_goes_on_where_the_old_one_was)
{
	count("GET /a", 5000, MODEL_STATUS_UNSET);
	live_index_init(&index_, live);
	count("GET /a", 5000, MODEL_STATUS_UNSET);
	cr_expect(live->n == 2 && live->route[1].requests == 2);
}

Test(live, what_finds_no_room_is_counted_together)
{
	char name[32];

	for (unsigned i = 0; i < LIVE_ROUTES + 10; i++) {
		snprintf(name, sizeof(name), "GET /%u", i);
		count(name, 5000, MODEL_STATUS_UNSET);
	}
	cr_expect_eq(live->n, LIVE_ROUTES);
	cr_expect_eq(live->route[0].requests, 11);
}

Test(live, long_names_are_cut_between_characters)
{
	char name[300];

	memset(name, 'x', sizeof(name));
	memcpy(name + 126, "\xc3\xa4", 2);
	name[299] = '\0';
	count(name, 5000, MODEL_STATUS_UNSET);
	count(name, 5000, MODEL_STATUS_UNSET);
	cr_expect_eq(strlen(live->route[1].name), 126);
	cr_expect_eq(live->route[1].requests, 2);
}
