/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "exporters/config/node.h"
#include "exporters/ctl/expect.h"
#include "exporters/ctl/units.h"

#define MAX_FILE ((size_t)16 << 20)

/* What the requests of a block have in common; blocks within it add to that. */
struct block {
	struct slice service, method, route;
};

struct loader {
	struct expectation *e;
	struct config_report *report;
	bool no_memory;
};

static struct slice keep(struct loader *l, const char *text)
{
	struct slice copy = arena_copy(&l->e->arena, slice_of(text));

	l->no_memory |= l->e->arena.failed;
	return copy;
}

static void complain(struct loader *l, const struct node *node, const char *what)
{
	char quoted[REPORT_QUOTE_MAX];

	report_error(l->report, node->mark, "%s, not %s", what,
		     node->type == NODE_MAP    ? "a mapping"
		     : node->type == NODE_LIST ? "a list"
					       : report_quote(quoted, node->text));
}

static bool read_range(struct loader *l, const struct node *value, bool durations, struct expect_range *range)
{
	if (value->type == NODE_SCALAR && expect_range_parse(slice_of(value->text), durations, range))
		return true;
	complain(l, value,
		 durations ? "a duration is wanted, such as 200ms, \"<= 1.5s\" or 10ms..1s"
			   : "a number is wanted, such as 3, \">= 3\" or 3..5");
	return false;
}

static void add_check(struct loader *l, struct expect_check check, const struct node *value)
{
	check.mark = value->mark;
	if (read_range(l, value, expect_is_duration(check.measure), &check.range) &&
	    expectation_add(l->e, &check))
		l->no_memory = true;
}

static struct expect_check check_of(const struct block *block, enum expect_measure measure)
{
	return (struct expect_check){
		.measure = measure, .service = block->service, .method = block->method, .route = block->route
	};
}

/* A key that every block has: a measure of requests or a status. False: it is none of these. */
static bool read_measure(struct loader *l, const struct block *block, const char *key,
			 const struct node *value)
{
	struct expect_check check;

	for (enum expect_measure m = EXPECT_REQUESTS; m <= EXPECT_MAX; m++) {
		if (strcmp(key, expect_measure_names[m]) != 0)
			continue;
		add_check(l, check_of(block, m), value);
		return true;
	}
	if (strcmp(key, "none") != 0 && (!strcmp(key, "error") || !status_list_valid(slice_of(key))))
		return false;
	check = check_of(block, EXPECT_REQUESTS);
	check.status = keep(l, key);
	add_check(l, check, value);
	return true;
}

static void unknown_key(struct loader *l, const struct node *key, const char *allowed)
{
	char quoted[REPORT_QUOTE_MAX];

	report_error(l->report, key->mark,
		     "there is no key %s here; allowed are a status (200, 5xx, none), %s",
		     report_quote(quoted, key->text), allowed);
}

/* "GET /menu", "* /menu" or "/menu". */
static void read_route(struct loader *l, const struct block *outer, const struct node *key,
		       const struct node *value)
{
	struct block block = *outer;
	struct slice text = expect_trim(keep(l, key->text));
	const char *space = text.p[0] == '/' ? NULL : memchr(text.p, ' ', text.n);

	if (space) {
		block.method = (struct slice){ text.p, (size_t)(space - text.p) };
		text = expect_trim((struct slice){ space, text.n - block.method.n });
	}
	block.route = text;
	if (value->type == NODE_SCALAR) {
		add_check(l, check_of(&block, EXPECT_REQUESTS), value);
		return;
	}
	if (value->type != NODE_MAP) {
		complain(l, value, "a count or a mapping of checks is wanted");
		return;
	}
	for (const struct node_entry *entry = value->first; entry; entry = entry->next)
		if (!read_measure(l, &block, entry->key->text, entry->value))
			unknown_key(l, entry->key, "requests, errors, p50, p90, p95, p99, max");
}

static bool wants_map(struct loader *l, const struct node *value)
{
	if (value->type == NODE_MAP)
		return true;
	if (value->type != NODE_NULL)
		complain(l, value, "a mapping is wanted");
	return false;
}

static void read_routes(struct loader *l, const struct block *block, const struct node *value)
{
	if (!wants_map(l, value))
		return;
	for (const struct node_entry *entry = value->first; entry; entry = entry->next)
		read_route(l, block, entry->key, entry->value);
}

static void read_services(struct loader *l, const struct node *value)
{
	if (!wants_map(l, value))
		return;
	for (const struct node_entry *entry = value->first; entry; entry = entry->next) {
		struct block block = { .service = keep(l, entry->key->text) };

		if (!wants_map(l, entry->value))
			continue;
		for (const struct node_entry *inner = entry->value->first; inner; inner = inner->next) {
			if (!strcmp(inner->key->text, "routes"))
				read_routes(l, &block, inner->value);
			else if (!read_measure(l, &block, inner->key->text, inner->value))
				unknown_key(l, inner->key,
					    "routes, requests, errors, p50, p90, p95, p99, max");
		}
	}
}

static void read_shape(struct loader *l, const struct node *value)
{
	const struct node_entry *tree = node_find(value, "tree"), *count = node_find(value, "count");
	struct expect_shape shape = { .range = { 1, UINT64_MAX }, .mark = value->mark };
	const char *error;

	for (const struct node_entry *entry = value->first; value->type == NODE_MAP && entry;
	     entry = entry->next)
		if (strcmp(entry->key->text, "tree") != 0 && strcmp(entry->key->text, "count") != 0)
			complain(l, entry->key, "a shape has a tree and a count");
	if (!tree || tree->value->type != NODE_SCALAR) {
		report_error(l->report, value->mark, "a shape wants a tree, the text of it behind `tree: |`");
		return;
	}
	if (count && !read_range(l, count->value, false, &shape.range))
		return;
	error = shape_parse(&shape.shape, &l->e->arena, keep(l, tree->value->text));
	if (error) {
		report_error(l->report, tree->value->mark, "%s", error);
		return;
	}
	if (expectation_add_shape(l->e, &shape))
		l->no_memory = true;
}

static void read_shapes(struct loader *l, const struct node *value)
{
	if (value->type != NODE_LIST && value->type != NODE_NULL) {
		complain(l, value, "a list of shapes is wanted");
		return;
	}
	for (const struct node_entry *entry = value->first; entry; entry = entry->next)
		read_shape(l, entry->value);
}

static void read_others(struct loader *l, const struct node *value, bool *only, struct config_mark *mark)
{
	bool forbid = !strcmp(value->text, "forbid");

	if (value->type != NODE_SCALAR || (!forbid && strcmp(value->text, "allow") != 0))
		complain(l, value, "allow or forbid is wanted");
	*only = forbid;
	*mark = value->mark;
}

static void read_top(struct loader *l, const struct node *key, const struct node *value)
{
	static const struct block all = { .service = { NULL, 0 } };

	for (enum expect_measure m = EXPECT_SPANS; m < EXPECT_MEASURES; m++) {
		if (!strcmp(key->text, expect_measure_names[m])) {
			add_check(l, check_of(&all, m), value);
			return;
		}
	}
	if (!strcmp(key->text, "version")) {
		if (strcmp(value->text, "1") != 0)
			complain(l, value, "this btracectl knows version 1");
	} else if (!strcmp(key->text, "routes")) {
		read_routes(l, &all, value);
	} else if (!strcmp(key->text, "services")) {
		read_services(l, value);
	} else if (!strcmp(key->text, "shapes")) {
		read_shapes(l, value);
	} else if (!strcmp(key->text, "other_routes")) {
		read_others(l, value, &l->e->only_routes, &l->e->only_routes_mark);
	} else if (!strcmp(key->text, "other_shapes")) {
		read_others(l, value, &l->e->only_shapes, &l->e->only_shapes_mark);
	} else if (!read_measure(l, &all, key->text, value)) {
		unknown_key(l, key,
			    "requests, errors, p50, p90, p95, p99, max, spans, traces, duplicates, routes, "
			    "services, "
			    "other_routes, shapes, other_shapes");
	}
}

int expectation_parse(struct expectation *e, struct slice text, const char *source,
		      struct config_report *report)
{
	struct loader l = { .e = e, .report = report };
	size_t errors = report->errors;
	struct node *root = NULL;
	int rc = yaml_read(&e->arena, text, (struct config_mark){ source, 1, 1 }, &root, report);

	if (rc)
		return rc;
	if (root && root->type != NODE_MAP)
		complain(&l, root, "an expectation is a mapping");
	else if (root)
		for (const struct node_entry *entry = root->first; entry; entry = entry->next)
			read_top(&l, entry->key, entry->value);
	return l.no_memory || e->arena.failed ? -ENOMEM : report->errors > errors ? -EINVAL : 0;
}

static int read_all(int fd, struct buf *text)
{
	ssize_t n;

	do {
		if (!buf_reserve(text, 65536))
			return -ENOMEM;
		n = read(fd, text->p + text->n, 65536);
		if (n > 0)
			text->n += (size_t)n;
		if (text->n > MAX_FILE)
			return -EFBIG;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

int expectation_load(struct expectation *e, const char *path, struct config_report *report)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? -errno : 0;
	struct buf text;

	buf_init(&text);
	if (!rc)
		rc = read_all(fd, &text);
	if (fd >= 0)
		close(fd);
	if (rc)
		report_error(report, (struct config_mark){ path, 0, 0 }, "%s", strerror(-rc));
	else
		rc = expectation_parse(e, (struct slice){ text.p, text.n }, path, report);
	buf_release(&text);
	return rc;
}
