/* SPDX-License-Identifier: Apache-2.0 */
/* Files that somebody made to do harm: an error in bounded time and memory. */
#define _GNU_SOURCE
#include "tests/unit/config_helper.h"
#include <sys/stat.h>

Test(config_hostile, alias_bomb)
{
	char yaml[4096];
	size_t n = (size_t)snprintf(yaml, sizeof(yaml), "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	struct loaded *l;

	for (int i = 1; i < 20; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n,
				      "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
				      i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	snprintf(yaml + n, sizeof(yaml) - n, "tracing: {excluded_urls: *a19}\n");
	l = load(yaml, NULL);
	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "too large when its aliases are written out"), "%s", l->text);
	cr_expect_lt(l->config.arena.total, 64u << 20);
	unload(l);
}

Test(config_hostile, merge_bomb)
{
	static char yaml[65536];
	size_t n = (size_t)snprintf(yaml, sizeof(yaml), "m0: &m0 {");
	struct loaded *l;

	for (int i = 0; i < 500; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "k%d: 1, ", i);
	n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "}\nm1: &m1 {<<: *m0, ");
	for (int i = 0; i < 500; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "l%d: 1, ", i);
	snprintf(yaml + n, sizeof(yaml) - n, "}\ntracing: {<<: [*m0, *m1]}\n");
	l = load(yaml, NULL);
	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "too much to merge"), "%s", l->text);
	unload(l);
}

Test(config_hostile, deep_nesting)
{
	struct loaded *l = load_repeated("a: ", "[", 100000, "");

	cr_expect_eq(l->rc, -EINVAL);
	unload(l);
	l = load_repeated("a: ", "{a: ", 5000, "");
	cr_expect_eq(l->rc, -EINVAL);
	unload(l);
	l = load_repeated("", "- ", 50000, "x\n");
	cr_expect_eq(l->rc, -EINVAL);
	cr_expect(strstr(l->text, "nested too deeply"), "%s", l->text);
	unload(l);
}

Test(config_hostile, huge_files)
{
	struct loaded *l =
		load_repeated("tracing:\n", "  # a comment of some length which means nothing\n", 220000, "");

	cr_expect_eq(l->rc, -EFBIG);
	cr_expect(strstr(l->text, "t.yml: error: larger than 1024 KiB"), "%s", l->text);
	unload(l);
	l = load_repeated("a:\n", "- x\n", 150000, "");
	cr_expect_eq(l->rc, -EINVAL);
	unload(l);
	l = load_repeated("tracing:\n", "  sample_rat: 1\n", 50000, "");
	cr_expect_eq(l->rc, -EINVAL, "duplicate keys, looked for in bounded time");
	unload(l);
	l = load_repeated("tracing:\n", "  sample_rat: 1\n", 3000, "");
	cr_expect_str_eq(l->text, "t.yml:2:3: error: more than 2000 keys in one mapping\n");
	unload(l);
	l = load_repeated("tracing:\n  excluded_urls: [", "abcdefgh, ", 40000, "]\n");
	cr_expect(l->rc == 0 || l->rc == -EINVAL, "the same pattern many times: %d %s", l->rc, l->text);
	unload(l);
	l = load_repeated("tracing:\n  resource_attributes: {", "a: b, ", 30000, "}\n");
	cr_expect_eq(l->rc, 0, "%s", l->text);
	unload(l);
}

/* Nobody may make the exporter wait by naming a FIFO without a writer. */
Test(config_hostile, fifo_does_not_block, .timeout = 10)
{
	char path[] = "/tmp/btrace-test-fifo.XXXXXX";
	struct loaded *l;

	cr_assert_not_null(mkdtemp(path));
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	l = load_path(path);
	cr_expect_not(l->config.on);
	unload(l);
	unlink(path);
}
