/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of own spans, and what becomes of their numbers. */
#include "tests/unit/own_helper.h"

TestSuite(own_record, .init = begin);

Test(own_record, after_its_end_a_span_is_nothing)
{
	btrace_span a = btrace_begin("a"), b;
	struct btrace_context context;
	struct span_slot s;

	btrace_end(a);
	next();
	b = btrace_begin("b"); /* in the same place */
	cr_expect_neq(a, b);
	btrace_end(a);
	btrace_set_int(a, "n", 1);
	btrace_status(a, BTRACE_ERROR, "no");
	btrace_event(a, "e");
	cr_expect_eq(btrace_recording(a), 0);
	cr_expect_eq(btrace_context_of(a, &context), 0);
	cr_expect_eq(btrace_recording(b), 1);
	s = ended(b);
	cr_expect_eq(strings(&s, TAG_ATTRIBUTE) + strings(&s, TAG_EVENT), 0);
	cr_expect_eq(s.head.flags, SPAN_FLAG_SAMPLED);
	expect_balance(2, 0, 0);
}

Test(own_record, numbers_from_nowhere_do_nothing)
{
	static const btrace_span numbers[] = { 1,         2, 127, 128, 1u << 20, UINT64_MAX, UINT64_MAX >> 12,
					       1ull << 52 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		btrace_set_string(numbers[i], "k", "v");
		btrace_event(numbers[i], "e");
		btrace_status(numbers[i], BTRACE_OK, NULL);
		cr_expect_eq(btrace_recording(numbers[i]), 0);
		btrace_end(numbers[i]);
	}
	btrace_end(0);
	cr_expect_eq(btrace_begin(NULL), 0);
	expect_balance(0, 0, 0);
}

Test(own_record, attributes_of_a_key_are_replaced)
{
	btrace_span a = btrace_begin("a");
	struct span_slot s;

	cr_expect_lt(a, 1ull << 53);
	btrace_set_string(a, "s", "first");
	btrace_set_int(a, "n", -2);
	btrace_set_double(a, "d", 0.5);
	btrace_set_bool(a, "b", 7);
	for (int i = 0; i < 1000; i++)
		btrace_set_int(a, "n", i);
	btrace_set_string(a, "s", "the second");
	btrace_set_string(a, "", "no key");
	btrace_set_string(a, "no value", NULL);
	s = ended(a);
	cr_expect_eq(strings(&s, TAG_ATTRIBUTE), 4);
	cr_expect(SAYS(&s, TAG_ATTRIBUTE, 0, "\x03n\0\xe7\3\0\0\0\0\0\0"));
	cr_expect(SAYS(&s, TAG_ATTRIBUTE, 1,
		       "\x04"
		       "d\0\0\0\0\0\0\0\xe0?"));
	cr_expect(SAYS(&s, TAG_ATTRIBUTE, 2,
		       "\x02"
		       "b\0\1"));
	cr_expect(SAYS(&s, TAG_ATTRIBUTE, 3, "\x01s\0the second"));
	cr_expect_eq(s.head.dropped_attributes, 1); /* that without a key */
}

Test(own_record, attributes_of_an_event_are_given_until_the_next)
{
	btrace_span a = btrace_begin("a"), first = btrace_event(a, "first"), second;
	struct span_slot s;

	cr_expect_lt(first, 1ull << 53);
	btrace_set_int(first, "n", 1);
	btrace_set_int(a, "n", 2);
	second = btrace_event(a, "second");
	btrace_set_int(first, "late", 3);
	btrace_set_bool(second, "b", 0);
	s = ended(a);
	cr_expect_eq(strings(&s, TAG_EVENT), 2);
	cr_expect_eq(strings(&s, TAG_EVENT_ATTRIBUTE), 2);
	cr_expect_eq(strings(&s, TAG_ATTRIBUTE), 1);
	cr_expect_eq(s.head.dropped_attributes, 1);
}

Test(own_record, a_full_span_counts_what_it_drops_and_still_says_how_it_went)
{
	btrace_span a = btrace_begin("a");
	char key[8] = "k000", text[256];
	struct span_slot s;
	unsigned kept;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (int i = 0; i < 100; i++) {
		key[2] = (char)('0' + i / 10);
		key[3] = (char)('0' + i % 10);
		btrace_set_int(a, key, i);
	}
	for (int i = 0; i < 300; i++)
		btrace_set_int(btrace_event(a, "an event"), "n", i);
	btrace_status(a, BTRACE_ERROR, text);
	s = ended(a);
	kept = strings(&s, TAG_ATTRIBUTE) + strings(&s, TAG_EVENT_ATTRIBUTE);
	cr_expect_gt(strings(&s, TAG_ATTRIBUTE), 50);
	cr_expect_eq(strings(&s, TAG_EVENT) + s.head.dropped_events, 300);
	cr_expect_eq(strings(&s, TAG_ATTRIBUTE) + s.head.dropped_attributes,
		     100 + strings(&s, TAG_EVENT) - strings(&s, TAG_EVENT_ATTRIBUTE));
	cr_expect_gt(kept, 0);
	cr_expect(says(&s, TAG_STATUS_MESSAGE, 0, text, 255));
	cr_expect_leq(s.head.tail_bytes, SPAN_TAIL_BYTES);
}

Test(own_record, strings_are_cut_at_a_character)
{
	char name[300], value[2000];
	btrace_span a;
	struct span_slot s;
	size_t n;

	memset(name, 'n', sizeof(name));
	memcpy(name + 255, "\xc3\xa4", 3);
	memset(value, 'v', sizeof(value));
	memcpy(value + 1022, "\xe6\x9d\xb1", 4);
	a = btrace_begin(name);
	btrace_set_string(a, "v", value);
	s = ended(a);
	string(&s, TAG_NAME, 0, &n);
	cr_expect_eq(n, 255);
	string(&s, TAG_ATTRIBUTE, 0, &n);
	cr_expect_eq(n, 3 + 1022);
	cr_expect(s.head.flags & SPAN_FLAG_TRUNCATED);
	cr_expect_eq(counter(LEDGER_TRUNCATED), 1);
}

Test(own_record, the_last_word_on_the_status_counts_but_ok_is_final)
{
	btrace_span a = btrace_begin("a"), b = btrace_begin("b");
	struct span_slot s;

	btrace_status(b, BTRACE_ERROR, "one");
	btrace_status(b, BTRACE_ERROR, "another");
	btrace_status(b, 7, "what");
	s = ended(b);
	cr_expect_eq(s.head.flags, SPAN_FLAG_SAMPLED | SPAN_FLAG_STATUS_ERROR);
	cr_expect_eq(strings(&s, TAG_STATUS_MESSAGE), 1);
	cr_expect(SAYS(&s, TAG_STATUS_MESSAGE, 0, "another"));
	btrace_status(a, BTRACE_ERROR, "one");
	btrace_status(a, BTRACE_OK, NULL);
	btrace_status(a, BTRACE_ERROR, "late");
	s = ended(a);
	cr_expect_eq(s.head.flags, SPAN_FLAG_SAMPLED | SPAN_FLAG_STATUS_OK);
}

Test(own_record, a_full_table_drops_and_counts_and_parents_are_those_that_are_there)
{
	btrace_span a = btrace_begin("a"), more;
	struct btrace_context of_a, now;
	unsigned begun = 1;

	while ((more = btrace_begin_in("more", NULL, BTRACE_DETACHED)) && begun < 1000)
		begun++;
	cr_expect_eq(begun, 256);
	cr_expect_eq(btrace_begin("none left"), 0);
	cr_assert(btrace_context_of(a, &of_a) && btrace_current(&now));
	cr_expect(!memcmp(&of_a, &now, sizeof(now)));
	expect_balance(258, 0, 2);
}

Test(own_record, the_sixty_fifth_in_a_row_is_dropped_and_counted)
{
	btrace_span span[OWN_DEPTH + 1];
	struct btrace_context last, now;

	for (unsigned i = 0; i <= OWN_DEPTH; i++)
		span[i] = btrace_begin("deeper");
	cr_expect_neq(span[OWN_DEPTH - 1], 0);
	cr_expect_eq(span[OWN_DEPTH], 0);
	cr_assert(btrace_context_of(span[OWN_DEPTH - 1], &last) && btrace_current(&now));
	cr_expect(!memcmp(&last, &now, sizeof(now)));
	btrace_end(span[OWN_DEPTH - 1]);
	cr_expect_neq(btrace_begin("again"), 0);
	expect_balance(OWN_DEPTH + 2, 0, 1);
}
