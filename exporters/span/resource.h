/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_RESOURCE_H
#define BTRACE_RESOURCE_H

/*
 * The resource of one traced process (resource conventions): who sends these spans.
 * Made once a process, from its registry entry; the facts of the host are the
 * same for all.
 *
 * service.name, the first that is not empty: the process's own BTRACE_SERVICE or
 * OTEL_SERVICE_NAME (registry entry); service.name among the configured
 * attributes; the program (interpreter.h); "unknown_service".
 * Configured attributes win over what was found out; the entry's service wins
 * over all.
 */

#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/span/host.h"
#include "exporters/span/model.h"
#include "shim/abi/table.h"

/* A registry entry copied out of shared memory: plain bytes, text not terminated, nothing trusted. */
struct process_facts {
	char executable[sizeof(((struct table_process *)0)->executable)];
	char command[sizeof(((struct table_process *)0)->command)];
	char service[sizeof(((struct table_process *)0)->service)];
	uint32_t pid, uid;
	uint64_t registered_boot_ns, registered_mono_ns;
	uint16_t index;
};

void process_facts_copy(struct process_facts *out, const struct table_process *entry, uint16_t index);

struct resource_options {
	const struct host_facts *host;
	struct attributes configured; /* in rising precedence: a later one of the same key wins */
	uint8_t seed[32];             /* of the table: service.instance.id comes from it */
};

/* What *out points to lies in the arena, in the host facts, in the configured attributes. -ENOMEM or 0. */
int resource_make(const struct resource_options *options, const struct process_facts *process,
		  struct arena *arena, struct resource *out);

/*
 * OTEL_RESOURCE_ATTRIBUTES: key=value pairs by commas, both percent-encoded.
 * -EINVAL: one of them is not well-formed, then the specification wants the
 * whole variable ignored and told. -ENOMEM.
 */
int resource_parse(struct arena *arena, struct slice text, struct attributes *out);

/* A UUID (version 4 by its form) for a process of the table with this seed; 36 characters. */
void resource_instance_id(const uint8_t seed[32], const struct process_facts *process, char out[36]);

#endif
