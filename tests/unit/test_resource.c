/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/resource.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "exporters/base/utf8.h"
#include "exporters/base/version.h"

static struct arena arena;
static struct host_facts host = {
	.name = { "web-1", 5 },
	.arch = { "amd64", 5 },
	.os_name = { "Debian GNU/Linux", 16 },
	.passwd = { "www-data:x:33:33::/:/x\n", 23 },
};
static struct resource_options options = { .host = &host, .seed = { 1, 2, 3, [31] = 9 } };
static struct process_facts process;

static void set_up(void)
{
	arena_init(&arena);
	memset(&process, 0, sizeof process);
	process.pid = 4242;
	process.uid = 33;
	process.registered_mono_ns = 77;
	snprintf(process.executable, sizeof process.executable, "/usr/sbin/nginx");
	memcpy(process.command, "nginx\0-g\0daemon off;", 21);
}
static void tear_down(void) { arena_release(&arena); }
TestSuite(resource, .init = set_up, .fini = tear_down);

static struct resource make(void)
{
	struct resource r;

	cr_assert_eq(resource_make(&options, &process, &arena, &r), 0);
	for (size_t i = 0; i < r.attributes.n; i++)
		for (size_t j = 0; j < i; j++)
			cr_assert_not(slice_equal(r.attributes.items[i].key, r.attributes.items[j].key),
				      "twice: %.*s", (int)r.attributes.items[i].key.n,
				      r.attributes.items[i].key.p);
	return r;
}

static const char *text(const struct resource *r, const char *key)
{
	static char out[256];

	for (size_t i = 0; i < r->attributes.n; i++) {
		const struct attribute *a = &r->attributes.items[i];

		if (!slice_is(a->key, key))
			continue;
		if (a->value.type == VALUE_INT)
			snprintf(out, sizeof out, "%lld", (long long)a->value.integer);
		else
			snprintf(out, sizeof out, "%.*s", (int)a->value.string.n, a->value.string.p);
		return out;
	}
	return "(none)";
}

static void configure(const struct attribute *items, size_t n)
{
	options.configured = (struct attributes){ items, n };
}

#define TEXT(k, v)                                                                    \
	{                                                                             \
		.key = SLICE(k), .value = {.type = VALUE_STRING, .string = SLICE(v) } \
	}

Test(resource, process_says_who_it_is)
{
	struct resource r = make();

	cr_expect_str_eq(text(&r, "service.name"), "nginx");
	cr_expect(slice_is(r.attributes.items[0].key, "service.name"));
	cr_expect(slice_is(r.service_name, "nginx"));
	cr_expect_str_eq(text(&r, "process.pid"), "4242");
	cr_expect_str_eq(text(&r, "process.executable.name"), "nginx");
	cr_expect_str_eq(text(&r, "process.executable.path"), "/usr/sbin/nginx");
	cr_expect_str_eq(text(&r, "process.command"), "nginx");
	cr_expect_str_eq(text(&r, "process.owner"), "www-data");
	cr_expect_str_eq(text(&r, "host.name"), "web-1");
	cr_expect_str_eq(text(&r, "host.arch"), "amd64");
	cr_expect_str_eq(text(&r, "host.id"), "(none)");
	cr_expect_str_eq(text(&r, "os.type"), "linux");
	cr_expect_str_eq(text(&r, "os.name"), "Debian GNU/Linux");
	cr_expect_str_eq(text(&r, "container.id"), "(none)");
	cr_expect_str_eq(text(&r, "telemetry.sdk.name"), "btrace");
	cr_expect_str_eq(text(&r, "telemetry.sdk.language"), "c");
	cr_expect_str_eq(text(&r, "telemetry.sdk.version"), BTRACE_VERSION);
	cr_expect(r.schema_url.n);
}

Test(resource, service_name_own_before_configured_before_program)
{
	static const struct attribute configured[] = { TEXT("service.name", "file"),
						       TEXT("service.name", "environment") };
	static const struct attribute empty[] = { TEXT("service.name", "") };
	struct resource r;

	configure(configured, 2);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "environment");
	memcpy(process.service, "own", 4);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "own");
	cr_expect(slice_is(r.service_name, "own"));
	process.service[0] = 0;
	configure(empty, 1);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "nginx");
}

Test(resource, configured_attributes_win_the_later_one_over_the_earlier)
{
	static const struct attribute configured[] = { TEXT("host.name", "a"),
						       TEXT("deployment.environment.name", "b"),
						       TEXT("host.name", "") };
	struct resource r;

	configure(configured, 3);
	r = make();
	cr_expect_str_eq(text(&r, "host.name"), "");
	cr_expect_str_eq(text(&r, "deployment.environment.name"), "b");
}

Test(resource, interpreters_are_called_by_their_script)
{
	struct resource r;

	snprintf(process.executable, sizeof process.executable, "/usr/bin/python3.11");
	memcpy(process.command, "python3\0/srv/shop.py\0", 22);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "shop");
	cr_expect_str_eq(text(&r, "process.executable.name"), "python3.11");
	cr_expect_str_eq(text(&r, "process.command"), "python3");
}

Test(resource, cut_command_is_not_taken_for_a_script)
{
	struct resource r;

	snprintf(process.executable, sizeof process.executable, "/usr/bin/python3.11");
	memset(process.command, 'a', sizeof process.command);
	memcpy(process.command, "python3", 8);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "python3.11", "no NUL at the end");
	process.command[sizeof process.command - 1] = 0;
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "python3.11", "a forced NUL at the end");
	process.command[sizeof process.command - 2] = 0;
	r = make();
	cr_expect_eq(strlen(text(&r, "service.name")), sizeof process.command - 10, "just fits");
}

Test(resource, odd_executables)
{
	struct resource r;

	snprintf(process.executable, sizeof process.executable, "/usr/sbin/nginx (deleted)");
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "nginx");
	cr_expect_str_eq(text(&r, "process.executable.path"), "/usr/sbin/nginx");
	snprintf(process.executable, sizeof process.executable, "ng/path/too/long/server");
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "server");
	cr_expect_str_eq(text(&r, "process.executable.path"), "(none)");
	memset(process.executable, 0, sizeof process.executable);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "nginx", "argv[0]");
	memset(process.command, 0, sizeof process.command);
	r = make();
	cr_expect_str_eq(text(&r, "service.name"), "unknown_service");
	cr_expect_str_eq(text(&r, "process.executable.name"), "(none)");
}

Test(resource, garbage_in_the_entry_is_repaired)
{
	struct resource r;

	memset(&process, 0xff, sizeof process);
	r = make();
	for (size_t i = 0; i < r.attributes.n; i++)
		if (r.attributes.items[i].value.type == VALUE_STRING)
			cr_expect(utf8_valid(r.attributes.items[i].value.string));
}

Test(resource, instance_ids_are_uuids_and_differ_in_every_fact)
{
	char id[8][37] = { { 0 } };
	uint8_t seed[32] = { 5 };

	resource_instance_id(options.seed, &process, id[0]);
	resource_instance_id(options.seed, &process, id[1]);
	cr_expect_str_eq(id[0], id[1], "the same process keeps its id");
	resource_instance_id(seed, &process, id[1]);
	process.pid++;
	resource_instance_id(options.seed, &process, id[2]);
	process.index++;
	resource_instance_id(options.seed, &process, id[3]);
	process.registered_mono_ns++;
	resource_instance_id(options.seed, &process, id[4]);
	process.registered_boot_ns++;
	resource_instance_id(options.seed, &process, id[5]);
	for (int i = 0; i < 6; i++) {
		cr_expect(id[i][8] == '-' && id[i][13] == '-' && id[i][18] == '-' && id[i][23] == '-', "%s",
			  id[i]);
		cr_expect_eq(id[i][14], '4', "%s", id[i]);
		cr_expect(strchr("89ab", id[i][19]), "%s", id[i]);
		cr_expect_eq(strspn(id[i], "0123456789abcdef-"), 36);
		for (int j = 0; j < i; j++)
			cr_expect_str_neq(id[i], id[j]);
	}
}

Test(resource, entry_is_copied_field_by_field)
{
	static struct table_process entry;
	struct process_facts out;

	memset(entry.executable, 'e', sizeof entry.executable);
	memset(entry.command, 'c', sizeof entry.command);
	memset(entry.service, 's', sizeof entry.service);
	entry.pid = 7;
	entry.uid = 8;
	entry.registered_boot_ns = 9;
	entry.registered_mono_ns = 10;
	process_facts_copy(&out, &entry, 11);
	cr_expect_eq(memcmp(out.executable, entry.executable, sizeof out.executable), 0);
	cr_expect_eq(memcmp(out.command, entry.command, sizeof out.command), 0);
	cr_expect_eq(memcmp(out.service, entry.service, sizeof out.service), 0);
	cr_expect(out.pid == 7 && out.uid == 8 && out.registered_boot_ns == 9 &&
		  out.registered_mono_ns == 10);
	cr_expect_eq(out.index, 11);
	process = out;
	make();
}

Test(resource, variable_is_parsed_or_ignored_as_a_whole)
{
	static const struct {
		const char *text;
		int rc;
		const char *told;
	} rows[] = {
		{ "a=1,b=2", 0, "a=1;b=2;" },
		{ " a = x y , b=\t2 ", 0, "a=x y;b=2;" },
		{ "a=1%2C2%3D3,b=%C3%A4", 0, "a=1,2=3;b=\xc3\xa4;" },
		{ "a%2Eb=c", 0, "a.b=c;" },
		{ "a=", 0, "a=;" },
		{ "a=1,a=2", 0, "a=2;" },
		{ "a=1,", 0, "a=1;" },
		{ ",,", 0, "" },
		{ "", 0, "" },
		{ "a=b=c", 0, "a=b=c;" },
		{ "a=%FF", 0, "a=\xef\xbf\xbd;" },
		{ "a=1,b", -EINVAL, "" },
		{ "=1", -EINVAL, "" },
		{ "a=1,b=%2", -EINVAL, "" },
		{ "a=%zz", -EINVAL, "" },
		{ "a=%", -EINVAL, "" },
		{ "%=1", -EINVAL, "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct attributes out;
		char told[256] = "";
		size_t n = 0;

		cr_expect_eq(resource_parse(&arena, slice_of(rows[i].text), &out), rows[i].rc, "%s",
			     rows[i].text);
		for (size_t j = 0; j < out.n; j++)
			n += (size_t)snprintf(told + n, sizeof told - n, "%.*s=%.*s;",
					      (int)out.items[j].key.n, out.items[j].key.p,
					      (int)out.items[j].value.string.n, out.items[j].value.string.p);
		cr_expect_str_eq(told, rows[i].told, "%s", rows[i].text);
	}
}
