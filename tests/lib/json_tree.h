/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_JSON_TREE_H
#define BTRACE_TESTS_JSON_TREE_H

/* A strict little JSON reader for tests: a text to a tree in an arena; NULL if the text is not JSON. */

#include <stdbool.h>

#include "exporters/base/arena.h"
#include "exporters/base/slice.h"

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	struct slice key;  /* of a member */
	struct slice text; /* a string unescaped, a number as it was written */
	struct json *child, *next;
};

struct json *json_parse(struct arena *a, struct slice text);
const struct json *json_member(const struct json *object, const char *key); /* NULL if there is none */
struct slice json_text(const struct json *object, const char *key);         /* of a string or number member */
size_t json_count(const struct json *node);

#endif
