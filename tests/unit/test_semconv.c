/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every attribute that leaves is held against tests/semconv/attributes.txt:
 * name, type, kind of span, set of names, and what is required. And the other
 * way round: every row of the table is seen at least once, so that a rule which
 * never applies is noticed.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "exporters/span/resource.h"
#include "tests/lib/record_random.h"

#define TABLE_FILE    "tests/semconv/attributes.txt"
#define ROWS_MAX      160
#define RUNS          40000
#define KIND_RESOURCE 0 /* MODEL_KIND_UNSPECIFIED */

enum set { SET_STABLE = 1, SET_LEGACY = 2, SET_BOTH = 3, SET_OWN = 7 };

struct row {
	char name[64], type[16];
	unsigned int kinds; /* bits by enum model_kind */
	enum set set;
	bool required, prefix;
	int seen; /* bits by kind */
};

static struct row rows[ROWS_MAX];
static size_t n_rows;

static int kind_of(struct slice word)
{
	static const struct {
		const char *name;
		int kind;
	} kinds[] = { { "server", MODEL_KIND_SERVER },
		      { "client", MODEL_KIND_CLIENT },
		      { "internal", MODEL_KIND_INTERNAL },
		      { "resource", KIND_RESOURCE } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(word, kinds[i].name))
			return kinds[i].kind;
	cr_assert_fail("unknown kind %.*s", (int)word.n, word.p);
	return -1;
}

static unsigned int kinds_of(struct slice text)
{
	unsigned int kinds = 0;

	while (text.n) {
		const char *comma = memchr(text.p, ',', text.n);
		size_t n = comma ? (size_t)(comma - text.p) : text.n;

		kinds |= 1u << kind_of((struct slice){ text.p, n });
		text = (struct slice){ text.p + n + (comma != NULL), text.n - n - (comma != NULL) };
	}
	return kinds;
}

static enum set set_of(struct slice text)
{
	if (slice_is(text, "stable"))
		return SET_STABLE;
	if (slice_is(text, "legacy"))
		return SET_LEGACY;
	if (slice_is(text, "both"))
		return SET_BOTH;
	cr_assert(slice_is(text, "own") || slice_is(text, "resource"), "unknown set %.*s", (int)text.n,
		  text.p);
	return SET_OWN;
}

/* The next word of a line; the line moves behind it. */
static struct slice next_word(const char **line)
{
	struct slice word = { *line + strspn(*line, " \t\n"), 0 };

	word.n = strcspn(word.p, " \t\n");
	*line = word.p + word.n;
	return word;
}

static void read_row(const char *line, struct row *r)
{
	struct slice words[5];
	char *key;

	for (size_t i = 0; i < 5; i++) {
		words[i] = next_word(&line);
		cr_assert(words[i].n && words[i].n < sizeof r->name, "%s", line);
	}
	snprintf(r->name, sizeof r->name, "%.*s", (int)words[0].n, words[0].p);
	snprintf(r->type, sizeof r->type, "%.*s", (int)words[1].n, words[1].p);
	r->kinds = kinds_of(words[2]);
	r->set = set_of(words[3]);
	r->required = slice_is(words[4], "required");
	key = strstr(r->name, "<key>");
	r->prefix = key != NULL;
	if (key)
		*key = 0;
}

static void read_table(void)
{
	char line[256];
	FILE *f = fopen(TABLE_FILE, "r");

	cr_assert(f, "%s: run from the top of the tree", TABLE_FILE);
	while (fgets(line, sizeof line, f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		cr_assert_lt(n_rows, ROWS_MAX);
		read_row(line, &rows[n_rows++]);
	}
	fclose(f);
}

static const char *type_name(const struct value *v)
{
	static const char *const names[] = { "string", "bool", "int", "double" };

	if (v->type != VALUE_ARRAY)
		return names[v->type];
	return v->array.n && v->array.items[0].type == VALUE_STRING ? "string[]" : "?[]";
}

static bool name_fits(const struct row *r, struct slice key)
{
	size_t n = strlen(r->name);

	if (r->prefix)
		return key.n > n && memcmp(key.p, r->name, n) == 0;
	return key.n == n && memcmp(key.p, r->name, n) == 0;
}

/* Old header names have underscores only; new ones have none but the header's own, which no known header has.
 */
static bool sets_fit(const struct row *r, unsigned int conventions, struct slice key)
{
	if (r->prefix && r->set == SET_LEGACY && memchr(key.p, '-', key.n))
		return false;
	return r->set == SET_OWN || r->set & conventions;
}

static void check_one(const struct attribute *a, int kind, unsigned int conventions)
{
	bool found = false;

	for (size_t i = 0; i < n_rows; i++) {
		struct row *r = &rows[i];

		if (!(r->kinds & 1u << kind) || !name_fits(r, a->key) || !sets_fit(r, conventions, a->key))
			continue;
		found = true;
		r->seen |= 1 << kind;
		cr_assert_str_eq(type_name(&a->value), r->type, "%s", r->name);
	}
	cr_assert(found, "%.*s is not in the table for kind %d, names %u", (int)a->key.n, a->key.p, kind,
		  conventions);
}

static bool has(const struct attributes *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (slice_is(a->items[i].key, name))
			return true;
	return false;
}

static void check_all(const struct attributes *a, int kind, unsigned int conventions)
{
	for (size_t i = 0; i < a->n; i++)
		check_one(&a->items[i], kind, conventions);
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].required && rows[i].kinds & 1u << kind &&
		    (rows[i].set == SET_OWN || rows[i].set & conventions))
			cr_assert(has(a, rows[i].name), "%s is required, names %u", rows[i].name,
				  conventions);
}

/* What the conventions tie together. */
static void check_conditions(const struct span *s, const struct span_record *r)
{
	const struct attributes *a = &s->attributes;

	cr_assert_eq(has(a, "error.type"), s->status == MODEL_STATUS_ERROR);
	cr_assert_eq(has(a, "http.response.status_code") || has(a, "http.status_code"), r->status != 0);
	cr_assert(!has(a, "server.port") || has(a, "server.address"));
	cr_assert(!has(a, "client.port") || has(a, "client.address"));
	cr_assert(!has(a, "network.peer.port") || has(a, "network.peer.address"));
	cr_assert(!has(a, "network.local.port") || has(a, "network.local.address"));
}

/* Keys that a program gives itself are its own matter. */
static void without_own_keys(struct span_slot *slot)
{
	static const uint16_t ignored = TAG_IGNORED;
	size_t pos = 0, before = 0, n;
	enum span_tag tag;
	const uint8_t *value;

	for (; span_next_string(slot, &pos, &tag, &value, &n); before = pos)
		if (tag == TAG_ATTRIBUTE)
			memcpy(slot->tail + before, &ignored, sizeof ignored);
}

static void run(struct bytes *in, const struct resource *resource)
{
	struct span span, children[SPAN_CHILDREN_MAX];
	struct span_options options;
	struct span_slot slot;
	struct arena arena;
	size_t n;

	arena_init(&arena);
	options_random(in, &options);
	options.attribute_limit = UINT32_MAX;
	record_random(in, &slot);
	without_own_keys(&slot);
	cr_assert_eq(span_from_record(&slot, &options, resource, 1700000000000000000ll, &arena, &span), 0);
	cr_assert_null(model_broken(&span), "%s", model_broken(&span));
	check_all(&span.attributes, (int)span.kind, options.conventions);
	if (span.kind != MODEL_KIND_INTERNAL)
		check_conditions(&span, &slot.head);
	n = span_children(&slot, &options, &span, 1700000000000000000ll, &arena, children);
	for (size_t i = 0; i < n; i++) {
		cr_assert_null(model_broken(&children[i]), "%s", model_broken(&children[i]));
		check_all(&children[i].attributes, MODEL_KIND_INTERNAL, options.conventions);
	}
	arena_release(&arena);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void check_resource(struct arena *arena, struct resource *out)
{
	struct host_facts host = { SLICE("web-1"),  SLICE("amd64"),     SLICE("id"),
				   SLICE("Debian"), SLICE("12"),        SLICE("Debian 12"),
				   SLICE("6.1"),    SLICE("container"), SLICE("root:x:0:0:") };
	struct resource_options options = { .host = &host };
	struct process_facts process = { .executable = "/usr/sbin/nginx", .command = "nginx", .pid = 7 };

	cr_assert_eq(resource_make(&options, &process, arena, out), 0);
	check_all(&out->attributes, KIND_RESOURCE, SET_BOTH);
}

Test(semconv, nothing_leaves_that_the_table_does_not_know_and_all_of_it_does)
{
	static uint8_t data[1600];
	uint64_t state = 88172645463325252u;
	struct resource resource;
	struct arena arena;

	read_table();
	arena_init(&arena);
	check_resource(&arena, &resource);
	for (int i = 0; i < RUNS; i++) {
		for (size_t j = 0; j < sizeof data; j += 8) {
			uint64_t x = next_random(&state);

			memcpy(data + j, &x, 8);
		}
		run(&(struct bytes){ data, sizeof data }, &resource);
	}
	for (size_t i = 0; i < n_rows; i++)
		cr_expect_eq((unsigned int)rows[i].seen, rows[i].kinds,
			     "%s: emitted for kinds 0x%x, the table says 0x%x", rows[i].name,
			     (unsigned int)rows[i].seen, rows[i].kinds);
	arena_release(&arena);
}
