/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "exporters/base/utf8.h"
#include "exporters/config/node.h"

/* What a config of people never reaches; a bomb or a wrong file does. */
enum { DEPTH_MAX = 64, ANCHORS_MAX = 1000, WEIGHT_MAX = 100000, MERGED_MAX = 1000 };

struct frame {
	struct node *node;
	const struct node *key; /* of a mapping, when its value comes next */
};

struct anchor {
	const char *name;
	struct node *node;
};

struct reader {
	struct arena *arena;
	struct config_report *report;
	struct config_mark first;
	struct frame stack[DEPTH_MAX];
	size_t depth;
	struct anchor *anchors;
	size_t n_anchors;
	size_t weight;
	struct node *root;
	bool documents; /* seen one */
};

static struct config_mark mark_at(const struct reader *r, size_t line, size_t column)
{
	struct config_mark mark = r->first;

	mark.column = (uint32_t)(column + (line ? 1 : mark.column));
	mark.line += (uint32_t)line;
	return mark;
}

static int refuse(struct reader *r, struct config_mark at, const char *why)
{
	report_error(r->report, at, "%s", why);
	return -EINVAL;
}

/* Puts a complete or just begun node where it belongs. */
static int attach(struct reader *r, struct node *node, size_t weight)
{
	struct frame *top = r->depth ? &r->stack[r->depth - 1] : NULL;

	r->weight += weight;
	if (r->weight > WEIGHT_MAX)
		return refuse(r, node->mark, "the document is too large when its aliases are written out");
	if (!top) {
		r->root = node;
		return 0;
	}
	if (top->node->type == NODE_MAP && !top->key) {
		if (node->type != NODE_SCALAR && node->type != NODE_NULL)
			return refuse(r, node->mark, "a key must be a simple text");
		top->key = node;
		return 0;
	}
	if (!node_append(r->arena, top->node, top->key, node))
		return -ENOMEM;
	top->key = NULL;
	return 0;
}

static int add_anchor(struct reader *r, const yaml_char_t *name, struct node *node)
{
	struct slice copy;

	if (!name)
		return 0;
	if (!r->anchors)
		r->anchors = arena_take(r->arena, ANCHORS_MAX * sizeof(*r->anchors));
	if (!r->anchors)
		return -ENOMEM;
	if (r->n_anchors == ANCHORS_MAX)
		return refuse(r, node->mark, "too many anchors");
	copy = arena_printf(r->arena, "%s", (const char *)name);
	r->anchors[r->n_anchors++] = (struct anchor){ copy.p, node };
	return 0;
}

static int on_alias(struct reader *r, const yaml_event_t *event, struct config_mark mark)
{
	for (size_t i = r->n_anchors; i-- > 0;) {
		struct node *node = r->anchors[i].node;

		if (strcmp(r->anchors[i].name, (const char *)event->data.alias.anchor) != 0)
			continue;
		for (size_t d = 0; d < r->depth; d++)
			if (r->stack[d].node == node)
				return refuse(r, mark, "an alias that contains itself");
		return attach(r, node, node->weight);
	}
	return refuse(r, mark, "an alias to an anchor that is not there");
}

static int on_scalar(struct reader *r, const yaml_event_t *event, struct config_mark mark)
{
	struct slice text = { (const char *)event->data.scalar.value, event->data.scalar.length };
	bool quoted =
		event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || !event->data.scalar.plain_implicit;
	struct node *node;
	int rc;

	if (memchr(text.p, '\0', text.n))
		return refuse(r, mark, "a text with a NUL character in it");
	node = node_scalar(r->arena, text, quoted, mark);
	if (!node)
		return -ENOMEM;
	rc = add_anchor(r, event->data.scalar.anchor, node);
	return rc ? rc : attach(r, node, 1);
}

static int on_begin(struct reader *r, enum node_type type, const yaml_char_t *anchor, struct config_mark mark)
{
	struct node *node = node_new(r->arena, type, mark);
	int rc;

	if (!node)
		return -ENOMEM;
	if (r->depth == DEPTH_MAX)
		return refuse(r, mark, "nested too deeply");
	rc = add_anchor(r, anchor, node);
	if (!rc && r->depth && r->stack[r->depth - 1].node->type == NODE_MAP && !r->stack[r->depth - 1].key)
		rc = refuse(r, mark, "a key must be a simple text");
	if (!rc)
		r->stack[r->depth++] = (struct frame){ node, NULL };
	return rc;
}

/* `<<: *other`: the entries of another mapping, where we have none of that name. */
static int merge_one(struct reader *r, struct node *into, const struct node *from)
{
	if (from->type != NODE_MAP || from->n + into->n > MERGED_MAX)
		return refuse(r, from->mark,
			      from->type == NODE_MAP ? "too much to merge with <<" : "<< wants a mapping");
	for (const struct node_entry *entry = from->first; entry; entry = entry->next)
		if (!node_find(into, entry->key->text) &&
		    !node_append(r->arena, into, entry->key, entry->value))
			return -ENOMEM;
	return 0;
}

static int merge(struct reader *r, struct node *map)
{
	const struct node_entry *sign = node_find(map, "<<");
	int rc = 0;

	if (!sign || sign->key->quoted)
		return 0;
	if (sign->value->type != NODE_LIST)
		return merge_one(r, map, sign->value);
	for (const struct node_entry *item = sign->value->first; item && !rc; item = item->next)
		rc = merge_one(r, map, item->value);
	return rc;
}

static int on_end(struct reader *r)
{
	struct node *node = r->stack[--r->depth].node;
	int rc = node->type == NODE_MAP ? merge(r, node) : 0;

	return rc ? rc : attach(r, node, 1);
}

static int on_event(struct reader *r, const yaml_event_t *event)
{
	struct config_mark mark = mark_at(r, event->start_mark.line, event->start_mark.column);

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->documents)
			return refuse(r, mark, "a second document; one file is one document");
		r->documents = true;
		return 0;
	case YAML_ALIAS_EVENT: return on_alias(r, event, mark);
	case YAML_SCALAR_EVENT: return on_scalar(r, event, mark);
	case YAML_SEQUENCE_START_EVENT:
		return on_begin(r, NODE_LIST, event->data.sequence_start.anchor, mark);
	case YAML_MAPPING_START_EVENT: return on_begin(r, NODE_MAP, event->data.mapping_start.anchor, mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_end(r);
	default: return 0;
	}
}

/* Line and column of a byte, both from 0. */
static void locate(struct slice text, size_t offset, size_t *line, size_t *column)
{
	*line = *column = 0;
	for (size_t i = 0; i < offset && i < text.n; i++) {
		if (text.p[i] == '\n') {
			++*line;
			*column = 0;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

/* The bytes which YAML does not allow, told with their place (libyaml knows only their offset). */
static int check_bytes(struct reader *r, struct slice text)
{
	size_t line, column, i = 0;

	while (i < text.n) {
		unsigned char c = (unsigned char)text.p[i];
		int n = utf8_next(text.p + i, text.n - i);
		bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;

		if (n > 0 && !control) {
			i += (size_t)n;
			continue;
		}
		locate(text, i, &line, &column);
		report_error(r->report, mark_at(r, line, column),
			     n < 0 ? "not UTF-8: byte 0x%02x" : "control character 0x%02x", c);
		return -EINVAL;
	}
	return 0;
}

/* The byte at a line and column, both from 0; the end of the text if there is no such place. */
static size_t offset_of(struct slice text, size_t line, size_t column)
{
	size_t i = 0;

	for (; line && i < text.n; i++)
		line -= text.p[i] == '\n';
	for (; column && i < text.n; i++)
		column -= ((unsigned char)text.p[i] & 0xc0) != 0x80;
	while (i < text.n && ((unsigned char)text.p[i] & 0xc0) == 0x80)
		i++;
	return line || column ? text.n : i;
}

/* "[section]" in the first line. */
static bool looks_like_ini(struct slice text)
{
	const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;

	return end && text.p[0] == '[' && end > text.p && end[-1] == ']';
}

static int on_yaml_error(struct reader *r, const yaml_parser_t *parser, struct slice text)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	const char *hint = "";
	size_t offset, line, column;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	offset = parser->error == YAML_READER_ERROR
			 ? parser->problem_offset
			 : offset_of(text, parser->problem_mark.line, parser->problem_mark.column);
	locate(text, offset, &line,
	       &column); /* libyaml sees a further line at the end of a text without a newline */
	if (offset < text.n && text.p[offset] == '\t')
		hint = " (a tab; YAML wants spaces for indentation)";
	else if (looks_like_ini(text))
		hint = " (this looks like an INI file, as BentoML before 0.12 had it; only YAML is read)";
	report_error(r->report, mark_at(r, line, column), "not YAML: %s%s", problem, hint);
	return -EINVAL;
}

static int read_events(struct reader *r, yaml_parser_t *parser, struct slice text)
{
	yaml_event_t event;
	bool over = false;
	int rc = 0;

	while (!rc && !over) {
		if (!yaml_parser_parse(parser, &event))
			return on_yaml_error(r, parser, text);
		over = event.type == YAML_STREAM_END_EVENT;
		rc = on_event(r, &event);
		yaml_event_delete(&event);
	}
	return rc;
}

int yaml_read(struct arena *arena, struct slice text, struct config_mark first, struct node **root,
	      struct config_report *report)
{
	struct reader r = { .arena = arena, .report = report, .first = first };
	yaml_parser_t parser;
	int rc;

	*root = NULL;
	if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3)) /* a byte order mark takes no column */
		text = (struct slice){ text.p + 3, text.n - 3 };
	rc = check_bytes(&r, text);
	if (rc)
		return rc;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	rc = read_events(&r, &parser, text);
	yaml_parser_delete(&parser);
	if (!rc)
		*root = r.root;
	return rc;
}
