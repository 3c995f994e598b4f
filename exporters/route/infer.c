/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/infer.h"

#include <errno.h>
#include <stdlib.h>

#include "exporters/route/path.h"
#include "exporters/route/route.h"
#include "exporters/route/shape.h"
#include "exporters/route/words.h"

#define NODES_PER_ROUTE 6u
#define TEXT_PER_NODE   16u
#define NO_NODE         UINT32_MAX
#define STEPS_MAX       256u

/* A route in the making. */
struct infer_walk {
	char *out;
	size_t size, n;
	uint32_t steps;
};

int infer_init(struct infer *in, uint32_t max_routes, bool learning)
{
	*in = (struct infer){ .learning = learning, .max_routes = max_routes };
	in->size_nodes = max_routes * NODES_PER_ROUTE + 64;
	in->size_texts = in->size_nodes * TEXT_PER_NODE;
	for (in->table_size = 64; in->table_size < 2 * in->size_nodes;)
		in->table_size *= 2;
	in->nodes = calloc(in->size_nodes, sizeof(*in->nodes));
	in->table = calloc(in->table_size, sizeof(*in->table));
	in->texts = malloc(in->size_texts);
	in->tallies = calloc(INFER_TALLIES, sizeof(*in->tallies));
	if (!in->nodes || !in->table || !in->texts || !in->tallies) {
		infer_release(in);
		return -ENOMEM;
	}
	in->n_nodes = 1;
	in->nodes[0].place = ROUTE_AT_ROOT;
	return 0;
}

void infer_release(struct infer *in)
{
	free(in->nodes);
	free(in->table);
	free(in->texts);
	free(in->tallies);
	*in = (struct infer){ 0 };
}

static uint32_t find(const struct infer *in, uint32_t parent, struct slice text, uint32_t *place)
{
	uint32_t hash = route_hash(parent, text);

	for (*place = hash & (in->table_size - 1); in->table[*place];
	     *place = (*place + 1) & (in->table_size - 1)) {
		uint32_t index = in->table[*place];
		const struct infer_node *node = &in->nodes[index];

		if (node->hash == hash && node->parent == parent &&
		    slice_equal(text, (struct slice){ in->texts + node->text, node->n }))
			return index;
	}
	return NO_NODE;
}

static uint32_t child(struct infer *in, uint32_t parent, struct slice text, enum route_place behind,
		      bool teach)
{
	uint32_t place, index = find(in, parent, text, &place);

	if (index != NO_NODE || !teach || in->routes >= in->max_routes)
		return index;
	if (in->n_nodes == in->size_nodes || text.n > in->size_texts - in->n_texts)
		return NO_NODE;
	index = in->n_nodes++;
	in->nodes[index] = (struct infer_node){
		.parent = parent,
		.hash = route_hash(parent, text),
		.text = in->n_texts,
		.n = (uint8_t)text.n,
		.place = (uint8_t)behind,
	};
	memcpy(in->texts + in->n_texts, text.p, text.n);
	in->n_texts += (uint32_t)text.n;
	in->table[place] = index;
	return index;
}

static struct infer_tally *tally_of(struct infer *in, struct infer_node *node, bool teach)
{
	if (!node->tally && teach && in->n_tallies < INFER_TALLIES)
		node->tally = (uint16_t)++in->n_tallies;
	return node->tally ? &in->tallies[node->tally - 1] : NULL;
}

static uint32_t tally_find(const struct infer_tally *t, uint32_t hash)
{
	uint32_t i = 0;

	while (i < t->n && t->hashes[i] != hash)
		i++;
	return i;
}

static bool tally_is_word(const struct infer_tally *t, uint32_t i) { return i < t->n && (t->words >> i & 1); }

static uint32_t tally_score(const struct infer_tally *t)
{
	uint32_t open = (1u << t->n) - 1, marked;

	open &= ~(uint32_t)t->words;
	marked = open & t->marked;
	return (uint32_t)(__builtin_popcount(open) + __builtin_popcount(marked));
}

/* False: there is no room, which says enough. */
static bool tally_note(struct infer_tally *t, uint32_t hash, bool marked)
{
	if (tally_find(t, hash) < t->n)
		return true;
	if (t->n == INFER_TALLY_NAMES)
		return false;
	t->marked |= (uint16_t)((uint32_t)marked << t->n);
	t->hashes[t->n++] = hash;
	return true;
}

/* Counts a request for a name; true: the names here are ids. */
static bool tally_add(struct infer_tally *t, uint32_t hash, bool marked, uint32_t enough)
{
	uint32_t score;

	if (!tally_note(t, hash, marked))
		return true;
	t->requests++;
	score = tally_score(t);
	if (score >= enough && t->requests < score * INFER_ID_REQUESTS)
		return true;
	if (t->requests >= score * INFER_WORD_REQUESTS) {
		t->words = (uint16_t)((1u << t->n) - 1);
		t->requests = 0;
	}
	return false;
}

enum verdict { IS_WORD, IS_ID, IS_OPEN };

static enum verdict ask_tally(struct infer *in, struct infer_node *node, const struct route_shape *shape,
			      bool teach)
{
	uint32_t hash = route_hash(0, shape->keep);
	bool word = node->place == ROUTE_BEHIND_WORD || node->place == ROUTE_BEHIND_NOUN;
	uint32_t enough = word ? INFER_ID_SCORE_BEHIND_WORD : INFER_ID_SCORE;
	struct infer_tally *t = tally_of(in, node, teach);

	if (!t)
		return IS_OPEN;
	if (tally_is_word(t, tally_find(t, hash)))
		return IS_WORD;
	if (!teach)
		return IS_OPEN;
	if (tally_add(t, hash, shape->marked, enough)) {
		node->strict = true;
		return IS_ID;
	}
	return tally_is_word(t, tally_find(t, hash)) ? IS_WORD : IS_OPEN;
}

/* Names behind a plural are ids at once, but how many there are says how much to trust words there. */
static void count_names(struct infer *in, struct infer_node *node, const struct route_shape *shape,
			bool teach)
{
	struct infer_tally *t = teach && !node->strict ? tally_of(in, node, true) : NULL;

	if (t && (!tally_note(t, route_hash(0, shape->keep), false) || tally_score(t) >= INFER_PLURAL_SCORE))
		node->strict = true;
}

/* SayHello, as the last segment: a method of gRPC. */
static bool is_method(struct slice segment, struct slice rest)
{
	return segment.p[0] >= 'A' && segment.p[0] <= 'Z' && !route_path_more(rest);
}

/* helloworld.Greeter */
static bool is_service(struct slice name)
{
	bool upper = false;

	for (size_t i = 0; i < name.n; i++)
		upper |= name.p[i] >= 'A' && name.p[i] <= 'Z';
	return upper && memchr(name.p, '.', name.n);
}

/* What follows a name says something of it: behind "usuarios" comes an id. */
static bool is_before_id(struct slice rest)
{
	struct route_shape shape;
	struct slice segment;

	if (!route_path_next(&rest, &segment))
		return true; /* nothing: a page, or a collection asked for as a whole */
	if (route_is_version(segment, ROUTE_AT_ROOT, route_path_more(rest)) || is_method(segment, rest))
		return true; /* a service, and its version or method */
	route_shape(segment, ROUTE_BEHIND_WORD, route_path_more(rest), &shape);
	return shape.kind == ROUTE_ID;
}

static enum verdict judge_name(struct infer *in, struct infer_node *node, const struct route_shape *shape,
			       struct slice rest, bool teach)
{
	if (node->place == ROUTE_BEHIND_PLURAL) {
		count_names(in, node, shape, teach);
		return IS_ID;
	}
	if (node->place == ROUTE_AT_ROOT && is_before_id(rest))
		return node->names == INFER_ROOT_NAMES ? IS_ID : IS_WORD;
	if (node->place != ROUTE_AT_ROOT && shape->digits)
		return IS_ID;
	return ask_tally(in, node, shape, teach);
}

/* Words that people also give as names are words in some places only. */
static enum verdict judge_word(struct infer *in, struct infer_node *node, const struct route_shape *shape,
			       struct slice rest, bool teach)
{
	uint32_t words = shape->words, doing = ROUTE_RESERVED | ROUTE_ACTION;

	if (node->place == ROUTE_AT_ROOT)
		return IS_WORD;
	if (words & ROUTE_VALUE)
		return judge_name(in, node, shape, rest, teach);
	if (node->place != ROUTE_BEHIND_PLURAL || (words & doing))
		return IS_WORD;
	if ((words & ROUTE_DASHED) && !(words & ROUTE_PLURAL))
		return judge_name(in, node, shape, rest, teach);
	return ask_tally(in, node, shape, teach);
}

/* Of a word where names are ids. */
static bool stays_word(const struct infer *in, const struct infer_node *node, const struct route_shape *shape,
		       struct slice rest)
{
	const struct infer_tally *t = node->tally ? &in->tallies[node->tally - 1] : NULL;
	struct slice next;

	if (shape->words & ROUTE_RESERVED)
		return true;
	if (t && tally_is_word(t, tally_find(t, route_hash(0, shape->keep))))
		return true;
	if (node->place != ROUTE_AT_ROOT || !shape->words)
		return false;
	return !route_path_next(&rest, &next) || next.p[0] != '_'; /* /movies/_search: as its neighbours */
}

static enum verdict judge(struct infer *in, struct infer_node *node, const struct route_shape *shape,
			  struct slice rest, bool teach)
{
	if (shape->kind == ROUTE_ID)
		return IS_ID;
	if (!in->learning)
		return IS_WORD;
	if (node->strict)
		return stays_word(in, node, shape, rest) ? IS_WORD : IS_ID;
	return shape->kind == ROUTE_NAME ? judge_name(in, node, shape, rest, teach)
					 : judge_word(in, node, shape, rest, teach);
}

static struct slice text_of(const struct infer *in, uint32_t index)
{
	return (struct slice){ in->texts + in->nodes[index].text, in->nodes[index].n };
}

/* The child for a segment as it is judged today; NO_NODE: no route (yet). */
static uint32_t step(struct infer *in, uint32_t at, struct slice segment, struct slice rest, bool teach)
{
	struct route_shape shape;
	enum verdict verdict;
	uint32_t next, before = in->n_nodes;

	route_shape(segment, in->nodes[at].place, route_path_more(rest), &shape);
	verdict = judge(in, &in->nodes[at], &shape, rest, teach);
	if (verdict == IS_OPEN)
		return NO_NODE;
	if (verdict == IS_ID)
		return child(in, at, shape.id, ROUTE_BEHIND_ID, teach);
	if (shape.kind == ROUTE_NAME)
		shape.next = is_service(shape.keep) ? ROUTE_AT_ROOT : ROUTE_BEHIND_WORD;
	next = child(in, at, shape.keep, shape.next, teach);
	if (shape.kind == ROUTE_NAME && next == before && in->nodes[at].names < INFER_ROOT_NAMES)
		in->nodes[at].names++;
	return next;
}

static bool add(struct infer_walk *w, struct slice text)
{
	if (text.n + 1 > w->size - w->n)
		return false;
	w->out[w->n++] = '/';
	if (text.n)
		memcpy(w->out + w->n, text.p, text.n);
	w->n += text.n;
	return true;
}

/*
 * Is there a route that was given out? Words first: a place where names are ids
 * today may have kept some before, and nothing is added below those any more, so
 * that the first one found is the one that this path always had. Its depth is
 * that of the path, its steps are counted.
 */
static bool find_given(struct infer *in, struct infer_walk *w, uint32_t at, struct slice rest, uint32_t depth)
{
	struct slice segment;
	size_t n = w->n;
	uint32_t place, word, next;

	if (++w->steps > STEPS_MAX || depth > ROUTE_SEGMENTS_MAX)
		return false;
	if (!route_path_next(&rest, &segment))
		return in->nodes[at].given;
	word = find(in, at, segment, &place);
	if (word != NO_NODE && add(w, text_of(in, word)) && find_given(in, w, word, rest, depth + 1))
		return true;
	w->n = n;
	next = step(in, at, segment, rest, false);
	return next != NO_NODE && next != word && add(w, text_of(in, next)) &&
	       find_given(in, w, next, rest, depth + 1);
}

/* The node at the end of the path as it is named today, after learning from it; NO_NODE: none (yet). */
static uint32_t walk(struct infer *in, struct infer_walk *w, struct slice path)
{
	uint32_t at = 0, place, next, depth = 0;
	struct slice segment;

	while (route_path_next(&path, &segment)) {
		next = in->nodes[at].strict ? NO_NODE : find(in, at, segment, &place);
		if (next == NO_NODE)
			next = step(in, at, segment, path, true);
		if (next == NO_NODE || ++depth > ROUTE_SEGMENTS_MAX || !add(w, text_of(in, next)))
			return NO_NODE;
		at = next;
	}
	return at;
}

static struct slice finish(struct infer_walk *w)
{
	if (w->n == 0 && !add(w, (struct slice){ NULL, 0 }))
		return (struct slice){ NULL, 0 };
	return (struct slice){ w->out, w->n };
}

struct slice infer_route(struct infer *in, struct slice path, bool teach, char *out, size_t size)
{
	struct infer_walk w = { .out = out, .size = size };
	static const struct slice none;
	uint32_t at;

	if (find_given(in, &w, 0, path, 0))
		return finish(&w);
	if (!teach || in->routes >= in->max_routes)
		return none;
	w.n = 0;
	at = walk(in, &w, path);
	if (at == NO_NODE)
		return none;
	in->nodes[at].given = true;
	in->routes++;
	return finish(&w);
}
