/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any registry entry and any OTEL_RESOURCE_ATTRIBUTES make a resource that
 * encoders can rely on; any /proc and os-release text is read without harm.
 *
 * FUZZ_SOURCES: exporters/span/resource.c exporters/span/resource_parse.c exporters/span/host.c
 * FUZZ_SOURCES: exporters/span/interpreter.c exporters/span/attribute_set.c exporters/span/options.c
 * FUZZ_SOURCES: exporters/span/redact.c exporters/span/text.c exporters/base/arena.c exporters/base/buf.c
 * FUZZ_SOURCES: exporters/base/number.c exporters/base/utf8.c
 */
#include <stdlib.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/span/resource.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check(const struct attributes *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct value *v = &a->items[i].value;

		CHECK(a->items[i].key.n && utf8_valid(a->items[i].key));
		CHECK(v->type == VALUE_INT || (v->type == VALUE_STRING && utf8_valid(v->string)));
		for (size_t j = 0; j < i; j++)
			CHECK(!slice_equal(a->items[i].key, a->items[j].key));
	}
}

/* On the heap in its exact size: the sanitizer guards the end. */
static struct slice guarded(const uint8_t *p, size_t n)
{
	char *copy = malloc(n);

	memcpy(copy, p, n);
	return (struct slice){ copy, n };
}

static void make(const uint8_t *data, size_t size, struct slice text, struct arena *arena)
{
	struct host_facts host = { .passwd = text, .container_id = host_container_from_cgroup(text) };
	struct resource_options options = { .host = &host };
	struct process_facts process = { 0 };
	struct resource resource;

	memcpy(&process, data, size < sizeof process ? size : sizeof process);
	resource_parse(arena, text, &options.configured);
	check(&options.configured);
	host.os_name = utf8_repair(arena, host_os_release(arena, text, "NAME"));
	host_container_from_mountinfo(text);
	if (!utf8_valid(text))
		host.passwd = (struct slice){ "", 0 }; /* host_facts_read() repairs it */
	if (resource_make(&options, &process, arena, &resource))
		return;
	check(&resource.attributes);
	CHECK(resource.service_name.n && utf8_valid(resource.service_name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head = size > 1 ? (size_t)data[0] << 2 : 0;
	struct arena arena;
	struct slice text;

	if (size == 0)
		return 0;
	head = head < size - 1 ? head : size - 1;
	text = guarded(data + 1 + head, size - 1 - head);
	arena_init(&arena);
	make(data + 1, head, text, &arena);
	arena_release(&arena);
	free((void *)text.p);
	return 0;
}
