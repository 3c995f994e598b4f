/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_NODE_H
#define BTRACE_CONFIG_NODE_H

/*
 * A YAML document as a tree. Lives in an arena; scalars are NUL-terminated and
 * have no NUL inside. Aliases are shared subtrees, so the tree is a graph
 * without cycles whose walk is bounded (config_yaml.c counts what it expands to).
 */

#include "exporters/base/arena.h"
#include "exporters/config/config.h"
#include "exporters/config/report.h"

enum node_type { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node_entry {
	const struct node *key; /* NULL in lists */
	struct node *value;     /* NULL: a hole in a list that was given by index */
	struct node_entry *next;
};

struct node {
	enum node_type type;
	bool quoted; /* a scalar in quotes or a block: a string whatever it looks like */
	struct config_mark mark;
	const char *text; /* scalars; else "" */
	struct node_entry *first, *last;
	size_t n;      /* entries */
	size_t weight; /* nodes when all aliases are written out */
};

/* NULL: out of memory (arena->failed stays set). */
struct node *node_new(struct arena *arena, enum node_type type, struct config_mark mark);
struct node *node_scalar(struct arena *arena, struct slice text, bool quoted, struct config_mark mark);
bool node_append(struct arena *arena, struct node *parent, const struct node *key, struct node *value);
/* The last entry of a mapping with this key; NULL: none, or not a mapping. */
const struct node_entry *node_find(const struct node *map, const char *key);

/*
 * Reads one document. 0; -EINVAL: told in the report; -ENOMEM. An empty document
 * gives *root = NULL. `source` names it in marks and must live as long as the arena.
 * `first`: where its first byte stands (line and column), for text out of a variable.
 */
int yaml_read(struct arena *arena, struct slice text, struct config_mark first, struct node **root,
	      struct config_report *report);

/* dotted.key[0]=value ...: the syntax of BENTOML_CONFIG_OPTIONS. Same returns. */
int dotted_read(struct arena *arena, const char *source, const char *text, struct node **root,
		struct config_report *report);

#endif
