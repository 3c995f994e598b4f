/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/span.h"

#include <criterion/criterion.h>
#include <string.h>

#include "shim/abi/table.h"

static struct span_slot good(void)
{
	struct span_slot s;

	memset(&s, 0, sizeof s);
	s.head.trace_id[15] = 1;
	s.head.span_id[7] = 1;
	s.head.kind = SPAN_KIND_SERVER;
	s.head.method = SPAN_METHOD_GET;
	s.head.end = SPAN_END_COMPLETE;
	return s;
}

static void add(struct span_slot *s, uint16_t tag, const void *p, uint16_t n)
{
	uint8_t *at = s->tail + s->head.tail_bytes;

	memcpy(at, &tag, 2);
	memcpy(at + 2, &n, 2);
	memcpy(at + 4, p, n);
	s->head.tail_bytes = (uint16_t)(s->head.tail_bytes + 4 + n);
}

Test(span, record_without_strings_is_valid)
{
	struct span_slot s = good();

	cr_assert(span_record_valid(&s));
}

Test(span, each_field_out_of_range_is_refused)
{
	struct span_slot s;

#define REFUSED(statement) \
	s = good();        \
	statement;         \
	cr_expect_not(span_record_valid(&s), "%s", #statement);
#define TAKEN(statement) \
	s = good();      \
	statement;       \
	cr_expect(span_record_valid(&s), "%s", #statement);

	REFUSED(s.head.trace_id[15] = 0)
	REFUSED(s.head.span_id[7] = 0)
	REFUSED(s.head.kind = 0)
	REFUSED(s.head.kind = 4)
	REFUSED(s.head.method = SPAN_METHOD_MAX)
	REFUSED(s.head.end = SPAN_END_MAX)
	REFUSED(s.head.status = 1000)
	REFUSED(s.head.process = TABLE_PROCESSES)
	REFUSED(s.head.peer.family = 3)
	REFUSED(s.head.local.family = 0xffff)
	REFUSED(s.head.proxied.family = 11)
	REFUSED(s.head.tail_bytes = SPAN_TAIL_BYTES + 1)
	TAKEN(s.head.kind = SPAN_KIND_INTERNAL)
	TAKEN(s.head.kind = SPAN_KIND_CLIENT)
	TAKEN(s.head.method = SPAN_METHOD_MAX - 1)
	TAKEN(s.head.end = SPAN_END_MAX - 1)
	TAKEN(s.head.status = 999)
	TAKEN(s.head.process = TABLE_PROCESSES - 1)
	TAKEN(s.head.peer.family = 10)
	TAKEN(s.head.peer.family = 2)
	TAKEN(s.head.local.family = 1)
}

Test(span, strings_must_fill_the_tail_exactly)
{
	static const uint16_t length = 0xffff;
	struct span_slot s = good();

	add(&s, TAG_TARGET, "/x", 2);
	cr_expect(span_record_valid(&s));
	s.head.tail_bytes++;
	cr_expect_not(span_record_valid(&s), "a byte behind the last string");
	s.head.tail_bytes -= 2;
	cr_expect_not(span_record_valid(&s), "the last string is cut");
	s.head.tail_bytes++;
	memcpy(s.tail + 2, &length, 2);
	cr_expect_not(span_record_valid(&s), "a length past the end");
}

Test(span, unknown_tags_are_refused)
{
	struct span_slot s = good();

	add(&s, TAG_NONE, "", 0);
	cr_expect_not(span_record_valid(&s));
	s = good();
	add(&s, TAG_MAX, "", 0);
	cr_expect_not(span_record_valid(&s));
	s = good();
	add(&s, TAG_MAX - 1, "", 0);
	cr_expect(span_record_valid(&s));
}

Test(span, full_tail_is_valid_and_walked_to_its_last_byte)
{
	static const uint8_t fill[SPAN_TAIL_BYTES - 4];
	struct span_slot s = good();
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;

	add(&s, TAG_TARGET, fill, sizeof fill);
	cr_assert_eq(s.head.tail_bytes, SPAN_TAIL_BYTES);
	cr_assert(span_record_valid(&s));
	cr_assert(span_next_string(&s, &pos, &tag, &value, &n));
	cr_expect_eq(n, sizeof fill);
	cr_expect_eq(value, s.tail + 4);
	cr_expect_not(span_next_string(&s, &pos, &tag, &value, &n));
}

Test(span, strings_come_in_order_and_as_they_were)
{
	struct span_slot s = good();
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = 0, n;

	add(&s, TAG_TARGET, "/a", 2);
	add(&s, TAG_HOST, "", 0);
	add(&s, TAG_X_FORWARDED_FOR, "a\0b", 3);
	add(&s, TAG_X_FORWARDED_FOR, "c", 1);
	cr_assert(span_next_string(&s, &pos, &tag, &value, &n));
	cr_expect(tag == TAG_TARGET && n == 2 && memcmp(value, "/a", 2) == 0);
	cr_assert(span_next_string(&s, &pos, &tag, &value, &n));
	cr_expect(tag == TAG_HOST && n == 0);
	cr_assert(span_next_string(&s, &pos, &tag, &value, &n));
	cr_expect(tag == TAG_X_FORWARDED_FOR && n == 3 && memcmp(value, "a\0b", 3) == 0);
	cr_assert(span_next_string(&s, &pos, &tag, &value, &n));
	cr_expect(tag == TAG_X_FORWARDED_FOR && n == 1 && *value == 'c');
	cr_expect_not(span_next_string(&s, &pos, &tag, &value, &n));
}

Test(span, walking_an_unvalidated_copy_stays_inside_it)
{
	struct span_slot s = good();
	enum span_tag tag;
	const uint8_t *value;
	size_t pos = SIZE_MAX, n;

	s.head.tail_bytes = 0xffff;
	cr_expect_not(span_next_string(&s, &pos, &tag, &value, &n), "a position from nowhere");
	memset(s.tail, 1, sizeof s.tail); /* tag 0x0101 */
	pos = 0;
	cr_expect_not(span_next_string(&s, &pos, &tag, &value, &n));
}
