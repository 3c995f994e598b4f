/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/resource.h"

#include <errno.h>
#include <string.h>

#include "exporters/base/number.h"
#include "exporters/base/utf8.h"
#include "exporters/base/version.h"
#include "exporters/span/attribute_set.h"
#include "exporters/span/interpreter.h"
#include "exporters/span/options.h"

void process_facts_copy(struct process_facts *out, const struct table_process *entry, uint16_t index)
{
	memset(out, 0, sizeof *out);
	memcpy(out->executable, entry->executable, sizeof out->executable);
	memcpy(out->command, entry->command, sizeof out->command);
	memcpy(out->service, entry->service, sizeof out->service);
	out->pid = atomic_load_explicit(&entry->pid, memory_order_relaxed);
	out->uid = entry->uid;
	out->registered_boot_ns = entry->registered_boot_ns;
	out->registered_mono_ns = entry->registered_mono_ns;
	out->index = index;
}

/* Text of a fixed field: up to its NUL, repaired, in the arena. */
static struct slice field(struct arena *arena, const char *p, size_t size)
{
	struct slice s = { p, strnlen(p, size) };

	return utf8_repair(arena, arena_copy(arena, s));
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u; /* the finaliser of SplitMix64: one to one */
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void resource_instance_id(const uint8_t seed[32], const struct process_facts *process, char out[36])
{
	static const uint8_t groups[5] = { 4, 2, 2, 2, 6 };
	uint64_t s[4], half[2];
	uint8_t id[16];
	size_t from = 0, n = 0;

	memcpy(s, seed, sizeof s);
	/* Each half is one to one in what tells two processes of a table apart. */
	half[0] = mix(s[0] ^ mix(process->registered_mono_ns ^ mix(process->registered_boot_ns ^ s[2])));
	half[1] = mix(s[1] ^ mix(((uint64_t)process->pid << 16 | process->index) ^ s[3]));
	memcpy(id, half, sizeof id);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* RFC 9562: version 4, variant 10 */
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof groups; i++) {
		if (i)
			out[n++] = '-';
		n += number_hex(out + n, id + from, groups[i]);
		from += groups[i];
	}
}

static void put(struct attribute_set *set, const char *key, struct slice value)
{
	if (value.n)
		attribute_set_text(set, slice_of(key), value);
}

static void put_host(struct attribute_set *set, const struct host_facts *h)
{
	put(set, "host.name", h->name);
	put(set, "host.arch", h->arch);
	put(set, "host.id", h->id);
	put(set, "os.type", SLICE("linux"));
	put(set, "os.name", h->os_name);
	put(set, "os.version", h->os_version);
	put(set, "os.description", h->os_description);
	put(set, "os.build_id", h->os_build_id);
	put(set, "container.id", h->container_id);
}

/* What /proc/self/exe says of a program that was replaced while it ran. */
static struct slice without_deleted(struct slice path)
{
	static const char mark[] = " (deleted)";
	size_t n = sizeof mark - 1;

	if (path.n > n && memcmp(path.p + path.n - n, mark, n) == 0)
		path.n -= n;
	return path;
}

/* Puts process.* and returns the program's name. */
static struct slice put_process(struct attribute_set *set, const struct process_facts *p,
				const struct host_facts *host)
{
	struct arena *arena = set->arena;
	struct slice executable = without_deleted(field(arena, p->executable, sizeof p->executable));
	struct slice name = interpreter_base(executable), command = { p->command, sizeof p->command };
	bool cut = p->command[sizeof p->command - 2] != 0; /* with or without a NUL forced behind it */

	while (command.n && command.p[command.n - 1] == 0)
		command.n--;
	command.n += !cut; /* the last argument's NUL */
	attribute_set_int(set, SLICE("process.pid"), p->pid);
	put(set, "process.executable.name", name);
	if (executable.n && executable.p[0] == '/') /* else it is the end of a longer path */
		put(set, "process.executable.path", executable);
	put(set, "process.command", field(arena, p->command, sizeof p->command));
	put(set, "process.owner", host_user(host, p->uid));
	return utf8_repair(arena, arena_copy(arena, interpreter_program(name, command, cut)));
}

static struct slice service_name(const struct resource_options *o, struct slice own, struct slice program)
{
	struct slice name = program.n ? program : SLICE("unknown_service");

	for (size_t i = 0; i < o->configured.n; i++) {
		const struct attribute *a = &o->configured.items[i];

		if (slice_is(a->key, "service.name") && a->value.type == VALUE_STRING && a->value.string.n)
			name = a->value.string;
	}
	return own.n ? own : name;
}

int resource_make(const struct resource_options *o, const struct process_facts *process, struct arena *arena,
		  struct resource *out)
{
	struct attribute_set set;
	struct slice program, instance = { arena_take(arena, 36), 36 };

	if (!instance.p)
		return -ENOMEM;
	attribute_set_begin(&set, arena, ATTRIBUTES_NO_LIMIT, ATTRIBUTES_NO_LIMIT);
	*out = (struct resource){ .schema_url = span_scope.schema_url };
	attribute_set_text(&set, SLICE("service.name"), SLICE("")); /* the first; set below */
	resource_instance_id(o->seed, process, (char *)instance.p);
	put(&set, "service.instance.id", instance);
	put(&set, "telemetry.sdk.name", SLICE("btrace"));
	put(&set, "telemetry.sdk.language", SLICE("c"));
	put(&set, "telemetry.sdk.version", SLICE(BTRACE_VERSION));
	program = put_process(&set, process, o->host);
	put_host(&set, o->host);
	for (size_t i = 0; i < o->configured.n; i++)
		attribute_set_put(&set, o->configured.items[i].key, o->configured.items[i].value);
	out->service_name = service_name(o, field(arena, process->service, sizeof process->service), program);
	attribute_set_put(&set, SLICE("service.name"),
			  (struct value){ .type = VALUE_STRING, .string = out->service_name });
	out->attributes = attribute_set_end(&set);
	out->dropped_attributes = set.dropped;
	return arena->failed ? -ENOMEM : 0;
}
