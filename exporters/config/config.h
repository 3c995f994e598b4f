/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_H
#define BTRACE_CONFIG_H

/*
 * The configuration: one YAML file in the form of BentoML's (any version) plus
 * the environment, read into one struct. config.def is the table of all options;
 * ARCHITECTURE.md has a paragraph on the way of a value.
 *
 * Where options may stand. `tracing`, `api_server.tracing`, `services.tracing`,
 * `services.<Name>.tracing` (Name = name of the service) of the file, of
 * BENTOML_CONFIG_OVERRIDES (JSON), of BENTOML_CONFIG_OPTIONS and BTRACE_CONFIG_OPTIONS
 * (dotted.key=value ...). Precedence, for each option separately, strongest first:
 *
 *	1. services.<Name>.tracing     (BentoML: the service's own block wins)
 *	2. the three general places:   BTRACE_CONFIG_OPTIONS > BENTOML_CONFIG_OPTIONS
 *	                               > BENTOML_CONFIG_OVERRIDES > file;
 *	                               within one of them services > api_server > top level
 *	3. OTEL_* of the environment   (for service name and resource: before 1.)
 *	4. the default
 *
 * Within one place an old name wins over the new one. `null` takes back what a
 * weaker place said. Mappings are merged key by key, all else is replaced.
 *
 * Nothing here prints, exits, or changes the process; not thread safe per struct.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/base/buf.h"
#include "exporters/encode/format.h"
#include "exporters/transport/transport.h"
#include "shim/abi/policy.h"

/* Where a value was written. */
struct config_mark {
	const char *source;    /* file name or environment variable; NULL = nowhere, a default */
	uint32_t line, column; /* from 1; 0 = the whole */
};

struct config_item {
	const char *text;
	struct config_mark mark;
};

struct config_list {
	const struct config_item *items;
	size_t n;
};

struct config_pair {
	const char *key, *value;
	struct config_mark mark;
};

struct config_map {
	const struct config_pair *pairs;
	size_t n;
};

/* The words of ENUM options, in the order of config.def. */
enum config_sampler {
	CONFIG_SAMPLER_PARENT_RATIO,
	CONFIG_SAMPLER_RATIO,
	CONFIG_SAMPLER_ON,
	CONFIG_SAMPLER_OFF,
	CONFIG_SAMPLER_PARENT_ON,
	CONFIG_SAMPLER_PARENT_OFF,
};
enum config_excluded_host { CONFIG_HOST_LISTEN, CONFIG_HOST_HEADER };
enum config_conventions { CONFIG_CONVENTIONS_STABLE, CONFIG_CONVENTIONS_LEGACY, CONFIG_CONVENTIONS_BOTH };
enum config_detail { CONFIG_DETAIL_NORMAL, CONFIG_DETAIL_MINIMAL, CONFIG_DETAIL_FULL };
enum config_trust { CONFIG_TRUST_ALWAYS, CONFIG_TRUST_PRIVATE, CONFIG_TRUST_NEVER };
enum config_inference { CONFIG_INFERENCE_OFF, CONFIG_INFERENCE_TYPED, CONFIG_INFERENCE_LEARNED };
enum config_jaeger { CONFIG_JAEGER_THRIFT, CONFIG_JAEGER_GRPC };
enum config_thrift { CONFIG_THRIFT_COMPACT, CONFIG_THRIFT_BINARY };
enum config_otlp { CONFIG_OTLP_GRPC, CONFIG_OTLP_HTTP, CONFIG_OTLP_HTTP_PROTOBUF, CONFIG_OTLP_HTTP_JSON };
enum config_compression { CONFIG_COMPRESSION_NONE, CONFIG_COMPRESSION_GZIP, CONFIG_COMPRESSION_DEFLATE };

/* What a type of config.def is in C. Unset: NULL, empty, NAN (rate), 0; config_is_set() tells. */
#define CONFIG_C_BOOL     bool
#define CONFIG_C_RATE     double
#define CONFIG_C_COUNT    uint64_t
#define CONFIG_C_INT      int64_t
#define CONFIG_C_DURATION uint64_t /* nanoseconds */
#define CONFIG_C_SIZE     uint64_t /* bytes */
#define CONFIG_C_STRING   const char *
#define CONFIG_C_PATH     const char * /* absolute */
#define CONFIG_C_URL      const char *
#define CONFIG_C_IP4      const char *
#define CONFIG_C_IP6      const char *
#define CONFIG_C_ENUM     int
#define CONFIG_C_ENUMS    struct config_list
#define CONFIG_C_LIST     struct config_list
#define CONFIG_C_PATTERNS struct config_list
#define CONFIG_C_MAP      struct config_map

enum config_option_id {
#define OPTION(field, type, ...) CONFIG_##field,
#include "exporters/config/config.def"
#undef OPTION
	CONFIG_OPTIONS
};

/* One receiver: a row of exporters/encode/formats.c, a transport, and how to reach it. */
struct config_exporter {
	const char *name;   /* zipkin, jaeger, otlp, file, console */
	const char *format; /* zipkin, jaeger-compact, jaeger-binary, jaeger-binary-batch, jaeger-pb, otlp-pb,
			     * otlp-json, console */
	const char *transport; /* http, grpc, udp, file, console */
	const char *what;      /* "jaeger thrift over UDP to localhost:6831" */
	struct endpoint endpoint;
	struct encode_options encode;
};

struct config_sampling { /* what goes into struct policy */
	enum policy_root root;
	enum policy_parent parent;
	double rate;
	uint64_t bound;
	uint32_t max_traces_per_second;
};

struct config {
	bool on;             /* false: nothing is collected */
	const char *why_off; /* then one clause, for people */
#define OPTION(field, type, ...) CONFIG_C_##type field;
#include "exporters/config/config.def"
#undef OPTION
	struct config_sampling sampling;
	const char *shared_service; /* service.name of processes that have none of their own in their
				     * environment; service_name is that of this environment. May be NULL */
	uint8_t propagator[8];      /* enum policy_propagator, as struct policy has them */
	struct slice
		exclusion; /* excluded_urls as one automaton, for struct policy; empty: nothing is excluded */
	const struct config_exporter *exporters;
	size_t n_exporters;
	struct config_mark marks[CONFIG_OPTIONS]; /* where each option was set */
	struct arena arena;                       /* holds all of the above */
};

/* What to read. All borrowed, for the call only. */
struct config_source {
	const char *path;      /* the file; NULL and fd < 0: the environment alone */
	int fd;                /* read instead of opening the path, from offset 0, if >= 0; not closed */
	const char *directory; /* for relative paths in the file; NULL: the directory of path */
	const char *const *environment; /* "NAME=value", NULL-terminated; NULL: empty */
	const char *service;            /* name of the service if nothing says another one; may be NULL */
};
#define CONFIG_SOURCE_INIT \
	{                  \
		.fd = -1   \
	}

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

struct config_message {
	enum config_severity severity;
	struct config_mark mark;
	const char *text; /* one line, no newline, printable */
};

struct config_report {
	struct config_message *messages; /* in the order of the file, errors and warnings mixed */
	size_t n, size;
	size_t errors, warnings; /* may be more than are kept */
	struct arena arena;
};
#define CONFIG_REPORT_INIT \
	{                  \
		0          \
	}
void config_report_release(struct config_report *report);
/* "btrace.yml:3:16: error: ..." */
void config_message_text(const struct config_message *message, struct buf *out);
/* One line for a terminal that is not ours: the first error (without one, the first warning) and how many
 * more there are. Nothing if there is nothing to say. No newline. */
void config_report_line(const struct config_report *report, struct buf *out);
/* All of them, a line each. */
void config_report_text(const struct config_report *report, struct buf *out);

/*
 * Reads everything. 0: *config is good (look at ->on); -EINVAL: errors, see the
 * report; -errno: the file could not be read (reported too); -ENOMEM. Whatever it
 * returns, *config is filled (on failure with on = false) and wants config_release.
 */
int config_load(struct config *config, const struct config_source *source, struct config_report *report);
void config_release(struct config *config);
/* Files and directories that are named but cannot be used by who asks: warnings. For btracectl; it makes
 * system calls. */
void config_check_files(const struct config *config, struct config_report *report);

static inline bool config_is_set(const struct config *config, enum config_option_id id)
{
	return config->marks[id].source != NULL;
}

/* One line: "jaeger thrift over UDP to localhost:6831, 80 % of new traces, 6 excluded patterns". */
void config_describe(const struct config *config, struct buf *out);

/* What is set, to which value, and where: a line each. Without secrets. */
void config_print_settings(const struct config *config, struct buf *out);

/* --- documents made from the table --- */
size_t config_print_explain(struct buf *out,
			    const char *only); /* only: part of a name, or NULL; their number */
void config_print_markdown(struct buf *out);
void config_print_example(struct buf *out);
void config_print_schema(struct buf *out);

#endif
