/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_OPTION_H
#define BTRACE_CONFIG_OPTION_H

/* The rows of config.def as data. */

#include "exporters/config/config.h"

enum option_type {
	OPTION_BOOL,
	OPTION_RATE,
	OPTION_COUNT,
	OPTION_INT,
	OPTION_DURATION,
	OPTION_SIZE,
	OPTION_STRING,
	OPTION_PATH,
	OPTION_URL,
	OPTION_IP4,
	OPTION_IP6,
	OPTION_ENUM,
	OPTION_ENUMS,
	OPTION_LIST,
	OPTION_PATTERNS,
	OPTION_MAP,
};

struct option {
	const char *path, *others, *def, *allowed, *environment, *reader, *example, *help;
	enum option_type type;
	size_t offset, size; /* of the field in struct config */
};

extern const struct option config_options[CONFIG_OPTIONS];

/* Does the dotted path name an option? Its id, or -1. *older: by one of its other names. */
int option_find(const char *path, bool *older);
/* Is there an option below this path ("jaeger", "jaeger.thrift")? */
bool option_prefix(const char *path);
/* The known key nearest to the last step of a path, in full, or NULL. */
const char *option_suggest(const char *path, char out[128]);

/* Walks separated words of a column: copies the next into out, false at the end. */
bool option_word(const char **at, char separator, char *out, size_t size);
/* The place of `word` among "a|b|c" (case does not count), or -1. */
int option_choice(const char *allowed, const char *word);
/* The word among "a|b|c" that was probably meant, or NULL. */
const char *option_meant(const char *allowed, const char *word, char out[64]);
/* The bounds of "least..most". */
void option_range(const struct option *option, int64_t *least, int64_t *most);
/* "a number from 0 to 1", "zipkin, jaeger, ...": what may stand there. */
void option_allowed_text(const struct option *option, struct buf *out);

/* A URL without user:password@ and without its query: what may be shown. */
void option_public_url(const char *url, struct buf *out);

#endif
