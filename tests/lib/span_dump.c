/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/span_dump.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
	const struct attribute *x = a, *y = b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int order = memcmp(x->key.p, y->key.p, n);

	return order ? order : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

static void dump_text(struct buf *out, struct slice s)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned char)s.p[i]);
		else
			buf_add_byte(out, (unsigned char)s.p[i]);
	}
	buf_add_byte(out, '"');
}

static void dump_value(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_STRING: dump_text(out, v->string); break;
	case VALUE_BOOL: buf_add_text(out, v->boolean ? "true" : "false"); break;
	case VALUE_INT: buf_add_i64(out, v->integer); break;
	case VALUE_DOUBLE: buf_printf(out, "%.17g", v->real); break;
	case VALUE_ARRAY:
		buf_add_byte(out, '[');
		for (size_t i = 0; i < v->array.n; i++) {
			buf_add_text(out, i ? ", " : "");
			dump_value(out, &v->array.items[i]);
		}
		buf_add_byte(out, ']');
		break;
	}
}

static void dump_attributes(struct buf *out, const struct attributes *a)
{
	struct attribute *sorted = malloc((a->n + 1) * sizeof *sorted);

	if (!sorted)
		return;
	if (a->n)
		memcpy(sorted, a->items, a->n * sizeof *sorted);
	qsort(sorted, a->n, sizeof *sorted, by_key);
	for (size_t i = 0; i < a->n; i++) {
		buf_add_text(out, "  ");
		buf_add_slice(out, sorted[i].key);
		buf_add_text(out, " = ");
		dump_value(out, &sorted[i].value);
		buf_add_byte(out, '\n');
	}
	free(sorted);
}

static void dump_identity(struct buf *out, const struct span *s)
{
	static const uint8_t none[8];

	buf_add_text(out, " trace ");
	buf_add_hex(out, s->trace_id, 16);
	buf_add_text(out, " span ");
	buf_add_hex(out, s->span_id, 8);
	if (memcmp(s->parent_span_id, none, 8) != 0) {
		buf_add_text(out, " parent ");
		buf_add_hex(out, s->parent_span_id, 8);
	}
	buf_printf(out, " flags 0x%x\n", s->flags);
}

void span_dump(struct buf *out, const struct span *s)
{
	static const char *const kinds[] = { "UNSPECIFIED", "INTERNAL", "SERVER",
					     "CLIENT",      "PRODUCER", "CONSUMER" };
	static const char *const states[] = { "UNSET", "OK", "ERROR" };

	dump_text(out, s->name);
	buf_printf(out, " %s %s start %llu +%llu ns\n", kinds[s->kind], states[s->status],
		   (unsigned long long)s->start_unix_ns,
		   (unsigned long long)(s->end_unix_ns - s->start_unix_ns));
	dump_identity(out, s);
	buf_add_text(out, " scope ");
	dump_text(out, s->scope->name);
	buf_add_text(out, " schema ");
	dump_text(out, s->scope->schema_url);
	if (s->trace_state.n) {
		buf_add_text(out, " state ");
		dump_text(out, s->trace_state);
	}
	if (s->status_message.n) {
		buf_add_text(out, " message ");
		dump_text(out, s->status_message);
	}
	buf_printf(out, " dropped %u %u %u\n", s->dropped_attributes, s->dropped_events, s->dropped_links);
	dump_attributes(out, &s->attributes);
	for (size_t i = 0; i < s->n_events; i++) {
		buf_printf(out, "  event +%lld ns ",
			   (long long)(s->events[i].time_unix_ns - s->start_unix_ns));
		dump_text(out, s->events[i].name);
		buf_add_byte(out, '\n');
	}
	for (size_t i = 0; i < s->n_links; i++) {
		buf_add_text(out, "  link ");
		buf_add_hex(out, s->links[i].trace_id, 16);
		buf_add_byte(out, ' ');
		buf_add_hex(out, s->links[i].span_id, 8);
		buf_printf(out, " flags 0x%x\n", s->links[i].flags);
	}
}
