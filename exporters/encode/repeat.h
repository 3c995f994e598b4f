/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REPEAT_H
#define BTRACE_REPEAT_H

/*
 * What the attributes of a span share with those of the span before it, in one
 * payload: spans of one server have the same keys in the same order, and many of
 * the same values. An attribute that stands in the payload already is copied
 * from there; of a key that does it is known whether it is valid UTF-8. Keys are compared by
 * where they lie (all spans of a batch live at once, so that is enough), values
 * by what they say. For encodings of an attribute which do not depend on its
 * neighbours. Pure.
 *
 *	repeat_begin(&repeat);
 *	for each attribute: if (!repeat_attribute(&repeat, b, a)) {
 *		... write it; repeat_key() has its key ...
 *		repeat_written(&repeat, b, whether its key is valid);
 *	}
 *
 * All zero: nothing has been written yet. Attributes that are left out of the
 * payload may be passed over.
 */

#include "exporters/base/buf.h"
#include "exporters/base/utf8.h"
#include "exporters/span/model.h"

enum { REPEAT_MAX = 40 }; /* attributes; further ones are written each time */

struct repeat_place {
	const char *key;
	const struct attribute *attribute;
	size_t at, n; /* in the buffer */
	bool valid_key;
};

struct repeat {
	struct repeat_place places[2][REPEAT_MAX]; /* of the span at hand and of the one before, in turn */
	uint32_t turn;
	struct repeat_place *write, *write_end; /* of the span at hand */
	const struct repeat_place *next, *end;  /* of the one before: where to look first */
	/* the attribute at hand */
	const struct attribute *attribute;
	size_t start;
	bool valid_key; /* its key has been looked at before, and is valid */
};

static inline void repeat_begin(struct repeat *r)
{
	r->next = r->places[r->turn];
	r->end = r->write ? r->write : r->next;
	r->turn ^= 1;
	r->write = r->places[r->turn];
	r->write_end = r->write + REPEAT_MAX;
}

/* What was written since repeat_begin() has been moved: it cannot be copied from where it was. */
static inline void repeat_forget(struct repeat *r) { r->write = r->places[r->turn]; }

static inline bool repeat_same(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_STRING: return slice_equal(a->string, b->string);
	case VALUE_BOOL: return a->boolean == b->boolean;
	case VALUE_INT: return a->integer == b->integer;
	default: return false;
	}
}

static inline void repeat_written(struct repeat *r, const struct buf *b, bool valid_key)
{
	if (r->write < r->write_end)
		*r->write++ = (struct repeat_place){ r->attribute->key.p, r->attribute, r->start,
						     b->n - r->start, valid_key };
}

/* True: it has been copied. */
static inline bool repeat_attribute(struct repeat *r, struct buf *b, const struct attribute *attribute)
{
	const struct repeat_place *p = r->next, *end = r->end;
	struct slice key = attribute->key;

	r->attribute = attribute;
	r->start = b->n;
	r->valid_key = false;
	/* One that the span before had and this one has not is passed over. */
	if (end - p > 1 && p->key != key.p)
		p++;
	if (p >= end || p->key != key.p || p->attribute->key.n != key.n)
		return false;
	r->next = p + 1;
	r->valid_key = p->valid_key;
	if (!repeat_same(&p->attribute->value, &attribute->value))
		return false;
	buf_repeat(b, p->at, p->n);
	repeat_written(r, b, p->valid_key);
	return true;
}

/* The key of an attribute that was not copied. */
static inline struct utf8_text repeat_key(const struct repeat *r)
{
	struct slice key = r->attribute->key;

	return r->valid_key ? utf8_text_valid(key) : utf8_text_of(key);
}

#endif
