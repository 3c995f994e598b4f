/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of a session (BTRACE_LEDGER, `btracectl run --ledger`) against its
 * trace file: the one check that no sampling of a backend can make.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "exporters/base/json_read.h"
#include "exporters/ctl/expect.h"

#define MAX_FILE ((size_t)1 << 20)

enum { REQUESTS, SAMPLED_OUT, EXCLUDED, UNBALANCED, NAMED };
static const char *const names[NAMED] = { "requests", "sampled_out", "excluded", "unbalanced" };

struct sums {
	int64_t named[NAMED];
	bool found[NAMED];
	int64_t dropped, undelivered;
	struct buf lost; /* "table_full: 3" a line */
};

/* One number of "dropped" or of an exporter; what was delivered or waits on disk is not lost. */
static bool read_loss(struct json_reader *json, struct slice prefix, struct sums *sums, int64_t *sum)
{
	char name[64];
	int64_t value;

	snprintf(name, sizeof(name), "%.*s", (int)json->text.n, json->text.p);
	if (json_next(json) != JSON_NUMBER || !json_to_i64(json->text, &value))
		return false;
	if (!value || slice_is(slice_of(name), "sent") || slice_is(slice_of(name), "spooled"))
		return true;
	*sum += value;
	buf_add_slice(&sums->lost, prefix);
	buf_printf(&sums->lost, "%s: %lld\n", name, (long long)value);
	return true;
}

static bool read_losses(struct json_reader *json, struct slice prefix, struct sums *sums, int64_t *sum)
{
	if (json_next(json) != JSON_OBJECT)
		return false;
	while (json_next(json) == JSON_KEY)
		if (!read_loss(json, prefix, sums, sum))
			return false;
	return !json->error;
}

static bool read_exporters(struct json_reader *json, struct sums *sums)
{
	if (json_next(json) != JSON_OBJECT)
		return false;
	while (json_next(json) == JSON_KEY) {
		char name[64];
		int n = snprintf(name, sizeof(name), "%.*s ", (int)json->text.n, json->text.p);

		if (!read_losses(
			    json,
			    (struct slice){ name, (size_t)n < sizeof(name) ? (size_t)n : sizeof(name) - 1 },
			    sums, &sums->undelivered))
			return false;
	}
	return !json->error;
}

static bool read_named(struct json_reader *json, struct sums *sums)
{
	for (int i = 0; i < NAMED; i++) {
		if (!slice_is(json->text, names[i]))
			continue;
		sums->found[i] = true;
		return json_next(json) == JSON_NUMBER && json_to_i64(json->text, &sums->named[i]);
	}
	return json_skip(json);
}

static bool read_ledger(struct json_reader *json, struct sums *sums)
{
	if (json_next(json) != JSON_OBJECT)
		return false;
	while (json_next(json) == JSON_KEY) {
		bool ok = slice_is(json->text, "dropped") ? read_losses(json, SLICE(""), sums, &sums->dropped)
			  : slice_is(json->text, "exporters") ? read_exporters(json, sums)
							      : read_named(json, sums);

		if (!ok)
			return false;
	}
	for (int i = 0; i < NAMED; i++)
		if (!sums->found[i])
			return false;
	return json_next(json) == JSON_END;
}

static int read_file(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0 && text->n < MAX_FILE && buf_reserve(text, 4096)) {
		n = read(fd, text->p + text->n, 4096);
		text->n += n > 0 ? (size_t)n : 0;
	}
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

static int add_finding(struct expect_result *r, const char *path, const char *name, int64_t wanted,
		       int64_t got, struct slice detail)
{
	char wanted_text[32], got_text[32];

	snprintf(wanted_text, sizeof(wanted_text), "%lld", (long long)wanted);
	snprintf(got_text, sizeof(got_text), "%lld", (long long)got);
	return expect_result_add(r, &(struct expect_finding){ .ok = wanted == got,
							      .name = slice_of(name),
							      .wanted = slice_of(wanted_text),
							      .got = slice_of(got_text),
							      .detail = wanted == got ? SLICE("") : detail,
							      .mark = { path, 0, 0 } });
}

static int judge(const char *path, const struct sums *sums, const struct trace_set *set,
		 struct expect_result *r)
{
	struct slice lost = { sums->lost.p, sums->lost.n };
	int64_t spans = 0;
	int rc;

	for (size_t i = 0; i < set->store->n; i++)
		spans += set->store->spans[i].kind == MODEL_KIND_SERVER;
	rc = add_finding(r, path, "ledger: unbalanced", 0, sums->named[UNBALANCED], SLICE(""));
	if (!rc)
		rc = add_finding(r, path, "ledger: dropped", 0, sums->dropped, lost);
	if (!rc)
		rc = add_finding(r, path, "ledger: not delivered", 0, sums->undelivered, lost);
	if (!rc)
		rc = add_finding(r, path, "spans of requests that were to be traced",
				 sums->named[REQUESTS] - sums->named[SAMPLED_OUT] - sums->named[EXCLUDED],
				 spans, lost);
	return rc;
}

int expect_ledger(const char *path, const struct trace_set *set, struct expect_result *r)
{
	struct sums sums = { .dropped = 0 };
	struct json_reader json;
	struct buf text;
	int rc;

	buf_init(&text);
	buf_init(&sums.lost);
	rc = read_file(path, &text);
	json_init(&json, (struct slice){ text.p, text.n });
	if (rc)
		fprintf(stderr, "btracectl: %s: %s\n", path, strerror(-rc));
	else if (read_ledger(&json, &sums))
		rc = judge(path, &sums, set, r);
	else
		rc = -EINVAL, fprintf(stderr, "btracectl: %s: not a ledger of btrace\n", path);
	json_release(&json);
	buf_release(&sums.lost);
	buf_release(&text);
	return rc;
}
