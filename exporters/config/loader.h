/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_LOADER_H
#define BTRACE_CONFIG_LOADER_H

/* What the files of exporters/config share while a config is being read. */

#include "exporters/config/config.h"
#include "exporters/config/node.h"
#include "exporters/config/option.h"
#include "exporters/config/report.h"

struct loader {
	struct config *config;
	struct arena *arena; /* the config's */
	struct config_report *report;
	const struct config_source *source;
	const char *directory;              /* absolute if known; for relative paths */
	const char *file;                   /* as shown in messages; NULL: none */
	bool alone;                         /* nothing but OTEL_* variables: OpenTelemetry\'s own defaults */
	size_t errors_before;               /* of the report, which may serve several configs */
	bool by_older_name[CONFIG_OPTIONS]; /* "zipkin.url" rather than "zipkin.endpoint" */
	bool from_environment[CONFIG_OPTIONS]; /* the present value came from there */
};

static inline bool loader_failed(const struct loader *l) { return l->report->errors > l->errors_before; }

/* --- environment.c --- */
/* The value of a variable; NULL if unset or empty. */
const char *environment_get(const char *const *environment, const char *name);
/* ${NAME} and ${NAME:-default} filled in. The text itself if there is none. NULL: no memory. *unset: the name
 * of a variable that was not there and had no default, or NULL. */
const char *environment_expand(struct loader *l, const char *text, const char **unset);
/* The option's variables, the first set one: applied. False: none was set (or it was bad, which is warned
 * of). */
bool environment_apply(struct loader *l, enum config_option_id id);

/* --- value.c --- */
struct value_rules {
	const char *key;  /* as written, for messages; NULL: the mark says it all (an environment variable) */
	const char *unit; /* of a bare duration; NULL = s */
	bool environment; /* OpenTelemetry's rules for values: bool, maps; errors are warnings */
};
/* Reads a node into the option's field; tells what is wrong. False: nothing was set. */
bool value_apply(struct loader *l, enum config_option_id id, const struct node *node,
		 const struct value_rules *rules);
/* The field to the default of the table. */
void value_default(struct loader *l, enum config_option_id id);
/* "'x' is not allowed: ..., did you mean ...?" as error, or as a warning under environment rules. */
void value_refuse(struct loader *l, enum config_option_id id, const char *text, struct config_mark at,
		  const struct value_rules *rules, const char *meant);

/* --- value_text.c: single values; false: not one. Pure. --- */
bool text_bool(const char *text, bool *out);
bool text_number(const char *text, double *out); /* decimal, finite */
bool text_integer(const char *text, int64_t *out);
bool text_duration(const char *text, const char *unit, uint64_t *ns);
bool text_size(const char *text, uint64_t *bytes);
bool text_url(const char *text, const char *schemes);
/* Decodes %XX in place. False: a bad escape, a control character, not UTF-8. */
bool text_percent_decode(char *text);

/* --- value_list.c --- */
bool list_apply(struct loader *l, enum config_option_id id, const struct node *node,
		const struct value_rules *rules);
bool map_apply(struct loader *l, enum config_option_id id, const struct node *node,
	       const struct value_rules *rules);
/* The text of a node with its variables filled in; NULL: not a scalar (told), or no memory. */
const char *node_text(struct loader *l, enum config_option_id id, const struct node *node,
		      const struct value_rules *rules);

/* --- places.c --- */
enum { SOURCES = 4 }; /* file, BENTOML_CONFIG_OVERRIDES, BENTOML_CONFIG_OPTIONS, BTRACE_CONFIG_OPTIONS */
/* Applies all tracing blocks of all documents (NULL: not there) in the order of precedence. */
void places_apply(struct loader *l, const struct node *const documents[SOURCES]);

/* --- resource.c --- */
/* service.name among resource_attributes, or NULL; only from this source if it is not NULL. */
const char *resource_service(const struct loader *l, const char *source);
/* Lets the environment win over the file, as OpenTelemetry has it for the resource. */
void resource_finish(struct loader *l);

/* --- sampling.c --- */
/* The variables OTEL_TRACES_SAMPLER and _ARG, the sampling rule, on or off. */
void sampling_finish(struct loader *l);
void propagators_finish(struct loader *l);
/* OTEL_SEMCONV_STABILITY_OPT_IN */
void conventions_finish(struct loader *l);

/* --- exclusion.c --- */
void exclusion_finish(struct loader *l);

/* --- exporters.c --- */
void exporters_finish(struct loader *l);

#endif
