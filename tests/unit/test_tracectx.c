/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/http/tracectx.h"
#include "tests/unit/guard_page.h"

/*
 * W3C Trace Context Level 2, openzipkin B3 and Jaeger's uber-trace-id, one table each.
 * In values T is the trace id, S the span id, L the low half of T; a result is
 * "trace span decision [debug] [flags]" or "invalid".
 */

#define T      "4bf92f3577b34da6a3ce929d0e0e4736"
#define L      "a3ce929d0e0e4736"
#define S      "00f067aa0ba902b7"
#define ZT     "00000000000000000000000000000000"
#define ZS     "0000000000000000"
#define PARENT "05e3ac9a4f6e3b90"

static struct guard_page page;

static void setup(void) { guard_page_init(&page, 65536); }
static void teardown(void) { guard_page_release(&page); }

TestSuite(tracectx, .init = setup, .fini = teardown);

static const char *describe(bool valid, const struct tracectx *c)
{
	static const char *const decisions[] = { "undecided", "sampled", "not-sampled" };
	static char text[160];
	char *out = text;

	if (!valid)
		return "invalid";
	if (c->has_ids) {
		for (int i = 0; i < 16; i++)
			out += sprintf(out, "%02x", c->trace_id[i]);
		*out++ = ' ';
		for (int i = 0; i < 8; i++)
			out += sprintf(out, "%02x", c->span_id[i]);
		*out++ = ' ';
	}
	snprintf(out, 60, "%s%s%s", decisions[c->decision], c->debug ? " debug" : "",
		 (const char *[]){ "", " f1", " f2", " f3" }[c->flags & 3]);
	cr_expect_eq(c->flags & ~3, 0);
	return text;
}

struct row {
	const char *value, *result;
};

/* *out must stay as it was when the value is invalid. */
static void check(bool (*read)(const char *, size_t, struct tracectx *), const struct row *rows, size_t n)
{
	struct tracectx c, before;
	bool valid;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].value);

		memset(&c, 0xa5, sizeof(c));
		before = c;
		valid = read(guard_page_put(&page, rows[i].value, len), len, &c);
		cr_expect_str_eq(describe(valid, &c), rows[i].result, "'%s': %s, not %s", rows[i].value,
				 describe(valid, &c), rows[i].result);
		cr_expect(valid || memcmp(&c, &before, sizeof(c)) == 0, "'%s' changed *out", rows[i].value);
	}
}

#define CHECK(read, rows) check(read, rows, sizeof(rows) / sizeof((rows)[0]))

Test(tracectx, traceparent)
{
	static const struct row rows[] = {
		{ "00-" T "-" S "-01", T " " S " sampled f1" },
		{ "00-" T "-" S "-00", T " " S " not-sampled" },
		{ "00-" T "-" S "-02", T " " S " not-sampled f2" },
		{ "00-" T "-" S "-03", T " " S " sampled f3" },
		{ "00-" T "-" S "-09", T " " S " sampled f1" },
		{ "00-" T "-" S "-ff", T " " S " sampled f3" },
		{ " 00-" T "-" S "-01\t", T " " S " sampled f1" },
		{ "\t 00-" T "-" S "-01", T " " S " sampled f1" },
		{ "cc-" T "-" S "-01", T " " S " sampled f1" },
		{ "cc-" T "-" S "-01-what-ever", T " " S " sampled f1" },
		{ "cc-" T "-" S "-01-", T " " S " sampled f1" },
		{ "fe-" T "-" S "-00", T " " S " not-sampled" },
		{ "cc-" T "-" S "-01.what-ever", "invalid" },
		{ "00-" T "-" S "-01-extra", "invalid" },
		{ "00-" T "-" S "-01.", "invalid" },
		{ "00-" T "-" S "-01-", "invalid" },
		{ "ff-" T "-" S "-01", "invalid" },
		{ "00-" ZT "-" S "-01", "invalid" },
		{ "00-" T "-" ZS "-01", "invalid" },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-" S "-01", "invalid" },
		{ "00-" T "-00F067AA0BA902B7-01", "invalid" },
		{ "0A-" T "-" S "-01", "invalid" },
		{ "00-" T "-" S "-0A", "invalid" },
		{ "00-" T "-" S "-1", "invalid" },
		{ "00-" T "-" S "-001", "invalid" },
		{ "00-" T "-" S "-", "invalid" },
		{ "00-" T "-" S, "invalid" },
		{ "0-" T "-" S "-01", "invalid" },
		{ "000-" T "-" S "-01", "invalid" },
		{ ".0-" T "-" S "-01", "invalid" },
		{ "00-" T "0-" S "-01", "invalid" },
		{ "00-4bf92f3577b34da6a3ce929d0e0e473-" S "-01", "invalid" },
		{ "00-" T "-" S "0-01", "invalid" },
		{ "00-" T "-00f067aa0ba902b-01", "invalid" },
		{ "00_" T "-" S "-01", "invalid" },
		{ "00-" T "_" S "-01", "invalid" },
		{ "00-" T "-" S "_01", "invalid" },
		{ "00-" T "-" S "-0x", "invalid" },
		{ "00-gbf92f3577b34da6a3ce929d0e0e4736-" S "-01", "invalid" },
		{ "00-" T "-" S "-01,00-" T "-" S "-01", "invalid" },
		{ "", "invalid" },
		{ " ", "invalid" },
	};

	CHECK(tracectx_traceparent, rows);
}

/* Digits are read sixteen at a time. */
Test(tracectx, traceparent_with_any_byte_at_any_place)
{
	char value[] = "00-" T "-" S "-01";
	struct tracectx c;

	for (unsigned at = 2; at < 55; at++) /* the version: above */
		for (unsigned byte = 0; byte < 256; byte++) {
			const char *digits = "0123456789abcdef",
				   *digit = byte ? strchr(digits, (int)byte) : NULL;
			char before = value[at];
			bool valid;

			value[at] = (char)byte;
			valid = tracectx_traceparent(guard_page_put(&page, value, 55), 55, &c);
			value[at] = before;
			cr_assert_eq(valid, at == 2 || at == 35 || at == 52 ? byte == '-' : digit != NULL,
				     "%u at %u", byte, at);
			if (valid && at >= 3 && at < 35)
				cr_assert_eq(c.trace_id[(at - 3) / 2] >> ((at - 3) % 2 ? 0 : 4) & 15,
					     digit - digits);
			if (valid && at >= 36 && at < 52)
				cr_assert_eq(c.span_id[(at - 36) / 2] >> (at % 2 ? 0 : 4) & 15,
					     digit - digits);
		}
}

Test(tracectx, traceparent_with_a_nul_is_invalid)
{
	static const char value[] = "00-" T "-" S "-01\0";
	struct tracectx c;

	cr_expect(tracectx_traceparent(value, 55, &c));
	cr_expect_not(tracectx_traceparent(value, 56, &c));
}

Test(tracectx, b3_single)
{
	static const struct row rows[] = {
		{ T "-" S "-1", T " " S " sampled" },
		{ T "-" S "-0", T " " S " not-sampled" },
		{ T "-" S "-d", T " " S " sampled debug" },
		{ T "-" S, T " " S " undecided" },
		{ " " T "-" S "-1 ", T " " S " sampled" },
		{ T "-" S "-1-" PARENT, T " " S " sampled" },
		{ T "-" S "-d-" PARENT, T " " S " sampled debug" },
		{ L "-" S "-1", "0000000000000000" L " " S " sampled" },
		{ "0", "not-sampled" },
		{ "1", "sampled" },
		{ "d", "sampled debug" },
		{ "2", "invalid" },
		{ "D", "invalid" },
		{ T, "invalid" },
		{ T "-", "invalid" },
		{ ZT "-" S "-1", "invalid" },
		{ ZS "-" S "-1", "invalid" },
		{ T "-" ZS "-1", "invalid" },
		{ "4BF92F3577B34DA6A3CE929D0E0E4736-" S "-1", "invalid" },
		{ T "-00F067AA0BA902B7-1", "invalid" },
		{ T "-" S "-1-" PARENT "-x", "invalid" },
		{ T "-" S "-1-" PARENT "-", "invalid" },
		{ T "-" S "-1-05e3", "invalid" },
		{ T "-" S "-", "invalid" },
		{ T "-" S "--" PARENT, "invalid" },
		{ T "-" S "-x", "invalid" },
		{ T "-" S "-11", "invalid" },
		{ T "-" S "-true", "invalid" },
		{ "a3ce929d0e0e473-" S "-1", "invalid" },
		{ T "0-" S "-1", "invalid" },
		{ T "-" S "0-1", "invalid" },
		{ "-" S "-1", "invalid" },
		{ "-", "invalid" },
		{ "", "invalid" },
	};

	CHECK(tracectx_b3_single, rows);
}

Test(tracectx, b3_multi)
{
	static const struct {
		const char *trace, *span, *sampled, *flags, *result;
	} rows[] = {
		{ T, S, "1", NULL, T " " S " sampled" },
		{ T, S, "0", NULL, T " " S " not-sampled" },
		{ T, S, NULL, NULL, T " " S " undecided" },
		{ T, S, "true", NULL, T " " S " sampled" },
		{ T, S, "True", NULL, T " " S " sampled" },
		{ T, S, "false", NULL, T " " S " not-sampled" },
		{ T, S, "", NULL, T " " S " undecided" },
		{ T, S, "maybe", NULL, T " " S " undecided" },
		{ T, S, "0", "1", T " " S " sampled debug" },
		{ T, S, NULL, "1", T " " S " sampled debug" },
		{ T, S, NULL, "0", T " " S " undecided" },
		{ T, S, "1", "2", T " " S " sampled" },
		{ " " T " ", "\t" S, " 1", NULL, T " " S " sampled" },
		{ L, S, "1", NULL, "0000000000000000" L " " S " sampled" },
		{ NULL, NULL, "0", NULL, "not-sampled" },
		{ NULL, NULL, "1", NULL, "sampled" },
		{ NULL, NULL, NULL, "1", "sampled debug" },
		{ NULL, NULL, "maybe", NULL, "invalid" },
		{ NULL, NULL, NULL, NULL, "invalid" },
		{ T, NULL, "1", NULL, "invalid" },
		{ NULL, S, "1", NULL, "invalid" },
		{ ZT, S, "1", NULL, "invalid" },
		{ T, ZS, "1", NULL, "invalid" },
		{ "4BF92F3577B34DA6A3CE929D0E0E4736", S, "1", NULL, "invalid" },
		{ T, "f067aa0ba902b7", "1", NULL, "invalid" },
		{ "", "", "1", NULL, "invalid" },
	};
	struct tracectx c;
	bool valid;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
#define LEN(s) ((s) ? strlen(s) : 0)
		valid = tracectx_b3_multi(rows[i].trace, LEN(rows[i].trace), rows[i].span, LEN(rows[i].span),
					  rows[i].sampled, LEN(rows[i].sampled), rows[i].flags,
					  LEN(rows[i].flags), &c);
		cr_expect_str_eq(describe(valid, &c), rows[i].result, "row %zu: %s, not %s", i,
				 describe(valid, &c), rows[i].result);
	}
}

Test(tracectx, uber_trace_id)
{
	static const struct row rows[] = {
		{ T ":" S ":0:1", T " " S " sampled f1" },
		{ T ":" S ":" PARENT ":3", T " " S " sampled debug f1" },
		{ T ":" S ":0:01", T " " S " sampled f1" },
		{ T "%3A" S "%3A0%3A1", T " " S " sampled f1" },
		{ T "%3a" S "%3a" PARENT "%3a01", T " " S " sampled f1" },
		{ T ":" S ":0:0", T " " S " not-sampled" },
		{ T ":" S ":0:2", T " " S " not-sampled" },
		{ T ":" S ":0:8", T " " S " not-sampled" },
		{ T ":" S ":0:9", T " " S " sampled f1" },
		{ T ":" S ":0:ff", T " " S " sampled debug f1" },
		{ " " T ":" S ":0:1 ", T " " S " sampled f1" },
		{ L ":" S ":0:1", "0000000000000000" L " " S " sampled f1" },
		{ "3ce929d0e0e4736:f067aa0ba902b7:0:1", "000000000000000003ce929d0e0e4736 " S " sampled f1" },
		{ "A3CE929D0E0E4736:" S ":0:1", "0000000000000000" L " " S " sampled f1" },
		{ "1:2:0:1", "00000000000000000000000000000001 0000000000000002 sampled f1" },
		{ "0:0:0:1", "invalid" },
		{ T ":0:0:1", "invalid" },
		{ "0:" S ":0:1", "invalid" },
		{ T ":" S ":1", "invalid" },
		{ T ":" S ":0:1:1", "invalid" },
		{ T ":" S ":0:", "invalid" },
		{ T ":" S "::1", "invalid" },
		{ T ":" S ":0:001", "invalid" },
		{ T ":" S ":0:g", "invalid" },
		{ T "0:" S ":0:1", "invalid" },
		{ T ":" S "0:0:1", "invalid" },
		{ "x" L ":" S ":0:1", "invalid" },
		{ T ":" S ":x:1", "invalid" },
		{ T "%3A" S "%3A0%3", "invalid" },
		{ T "%3A" S "%3A0%zz1", "invalid" },
		{ T T T T, "invalid" },
		{ "", "invalid" },
		{ ":::", "invalid" },
	};

	CHECK(tracectx_uber, rows);
}

static bool tracestate(const char *value)
{
	size_t n = strlen(value);

	return tracectx_tracestate_valid(guard_page_put(&page, value, n), n);
}

Test(tracectx, tracestate)
{
	static const char *const valid[] = {
		"foo=1,bar=2",
		" foo=1 \t,\tbar=2 ",
		"foo=1,,bar=2",
		"foo=1,",
		"foo@=1",
		"foo@@bar=1",
		"1a=2",
		"t@v=1",
		"a_-*/@=1",
		"foo= 1",
		"foo=!~#",
		"foo=1,foo=1",
		"ot=th:c;rv:6e6d1a75832a2f",
	};
	static const char *const invalid[] = {
		"FOO=1",       "foo =1", "foo.bar=1", "@foo=1",   "foo=",     "foo=a=b",
		"=1",          "foo",    "_a=1",      "foo=1\t2", "foo=\x7f", "foo=\xc3\xa9",
		"foo=1,BAR=2", "",       " ",         ",",        " , ,",
	};

	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		cr_expect(tracestate(valid[i]), "'%s'", valid[i]);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		cr_expect_not(tracestate(invalid[i]), "'%s'", invalid[i]);
}

/* key and value of the given lengths */
static bool lengths(size_t key, size_t value)
{
	char text[600];

	memset(text, 'a', sizeof(text));
	text[key] = '=';
	return tracectx_tracestate_valid(guard_page_put(&page, text, key + 1 + value), key + 1 + value);
}

Test(tracectx, tracestate_limits)
{
	char text[33 * 4 + 1] = "";

	cr_expect(lengths(256, 256));
	cr_expect_not(lengths(257, 1));
	cr_expect_not(lengths(1, 257));
	for (int i = 0; i < 32; i++)
		snprintf(text + 4 * i, 5, "a=1,");
	cr_expect(tracestate(text));
	snprintf(text + 4 * 32, 5, "a=1,");
	cr_expect_not(tracestate(text));
}

Test(tracectx, what_is_written_is_read_back)
{
	struct tracectx c;
	char out[TRACECTX_TRACEPARENT_BYTES + 1];

	out[TRACECTX_TRACEPARENT_BYTES] = '\0';
	cr_assert(tracectx_traceparent("00-" T "-" S "-01", 55, &c));
	tracectx_write_traceparent(out, c.trace_id, c.span_id, 0xfd);
	cr_expect_str_eq(out, "00-" T "-" S "-01");
	tracectx_write_traceparent(out, c.trace_id, c.span_id, 2);
	cr_expect_str_eq(out, "00-" T "-" S "-02");
}
