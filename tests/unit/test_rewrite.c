/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "shim/http/rewrite.h"

#define NEW "traceparent: new\r\n"

static struct rewrite_memory memory;

struct run {
	struct rewrite r;
	char out[8192];
	size_t n;
};

static void begin(struct run *run, const char *text, size_t head)
{
	memset(run, 0, sizeof(*run));
	memset(&memory, 'Z', sizeof(memory));
	rewrite_begin(&run->r, REWRITE_TRACEPARENT | REWRITE_B3);
	run->r.head_end = head;
	run->r.text = (uint16_t)strlen(text);
	memcpy(memory.text, text, strlen(text));
}

/*
 * One call of the host: [in, end) is offered, the kernel takes at most `room`
 * bytes of what comes out. As the library does it: a plan on a copy first, whose
 * pieces are what goes out. Returns how much of the input is used.
 */
static size_t offer(struct run *run, const char *in, const char *end, size_t room)
{
	struct rewrite plan = run->r;
	struct rewrite_piece piece;
	const char *at = in;
	char planned[8192];
	size_t n = 0, took = 0;

	while (rewrite_next(&plan, &memory, &at, end, &piece)) {
		memcpy(planned + n, piece.p, piece.n);
		n += piece.n;
		rewrite_take(&plan, &piece, piece.n, &at);
	}
	cr_assert_eq(at, end);
	at = in;
	room = room < n ? room : n;
	memcpy(run->out + run->n, planned, room);
	while ((took < room || room == n) && rewrite_next(&run->r, &memory, &at, end, &piece)) {
		size_t take = piece.n < room - took ? piece.n : room - took;

		cr_assert(take > 0);
		cr_assert_eq(memcmp(run->out + run->n + took, piece.p, take), 0,
			     "the plan said something else");
		rewrite_take(&run->r, &piece, take, &at);
		took += take;
	}
	run->n += room;
	return (size_t)(at - in);
}

/* All of `in`, in calls of `call` bytes, of each of which the kernel takes `room`. */
static void expect(const char *in, const char *text, const char *want, size_t call, size_t room)
{
	size_t n = strlen(in), at = 0,
	       head = (size_t)(strstr(in, "\n\r\n") ? strstr(in, "\n\r\n") - in + 3 : 0);
	struct run run;

	if (!head)
		head = (size_t)(strstr(in, "\n\n") - in) + 2;
	begin(&run, text, head);
	for (unsigned calls = 0; at < n; calls++) {
		cr_assert(calls < 20000, "no progress at %zu of %zu", at, n);
		at += offer(&run, in + at, in + (n - at < call ? n : at + call), room);
	}
	offer(&run, in + n, in + n, SIZE_MAX);
	cr_assert(rewrite_done(&run.r));
	run.out[run.n] = 0;
	cr_assert_str_eq(run.out, want, "calls of %zu, %zu taken of each", call, room);
}

static void expect_at_any_cut(const char *in, const char *text, const char *want)
{
	for (size_t call = 1; call < 40; call++)
		for (size_t room = 1; room < 40; room++)
			expect(in, text, want, call, room);
	expect(in, text, want, SIZE_MAX / 2, SIZE_MAX);
	for (size_t call = 1; call < strlen(in); call++)
		expect(in, text, want, call, SIZE_MAX);
}

Test(rewrite, a_header_is_put_in_front_of_the_empty_line)
{
	expect_at_any_cut("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", NEW,
			  "GET /a HTTP/1.1\r\nHost: h\r\n" NEW "\r\n");
	expect_at_any_cut("GET / HTTP/1.0\r\n\r\n", NEW, "GET / HTTP/1.0\r\n" NEW "\r\n");
	expect_at_any_cut("GET /a HTTP/1.1\nHost: h\n\n", NEW, "GET /a HTTP/1.1\nHost: h\n" NEW "\n");
}

Test(rewrite, the_body_goes_by_untouched)
{
	expect_at_any_cut("POST /a HTTP/1.1\r\nContent-Length: 37\r\n\r\ntraceparent: body\r\n\r\nb3: "
			  "x\r\n\r\nGET / H\r\n",
			  NEW,
			  "POST /a HTTP/1.1\r\nContent-Length: 37\r\n" NEW
			  "\r\ntraceparent: body\r\n\r\nb3: x\r\n\r\nGET / H\r\n");
}

Test(rewrite, what_is_there_is_replaced_in_any_case_and_number)
{
	expect_at_any_cut(
		"GET / HTTP/1.1\r\nTraceParent: old\r\nTraceState: a=b\r\ntRACEPARENT:older\r\nB3: 0\r\n"
		"X-B3-TraceId: 1\r\nx-b3-parentspanid: 3\r\nX-B3-Other: stays\r\ntraceparents: stay\r\n\r\n",
		NEW,
		"GET / HTTP/1.1\r\nTraceState: a=b\r\nX-B3-Other: stays\r\ntraceparents: stay\r\n" NEW
		"\r\n");
}

Test(rewrite, a_continuation_goes_with_its_line)
{
	expect_at_any_cut("GET / HTTP/1.1\r\ntraceparent: old\r\n folded\r\nX: y\r\n folded\r\n\r\n", NEW,
			  "GET / HTTP/1.1\r\nX: y\r\n folded\r\n" NEW "\r\n");
}

Test(rewrite, without_a_text_all_lines_stay)
{
	expect_at_any_cut("GET / HTTP/1.1\r\ntraceparent: old\r\nHost: h\r\nb3: 1\r\nx-b3: x\r\n\r\nbody", "",
			  "GET / HTTP/1.1\r\nHost: h\r\nx-b3: x\r\ntraceparent: old\r\nb3: 1\r\n\r\nbody");
}

Test(rewrite, an_empty_line_that_does_not_end_the_head_gives_up)
{
	struct run run;
	static const char in[] = "GET / HTTP/1.1\r\ntraceparent: old\r\n\r\nHost: h\r\n\r\n";

	begin(&run, NEW, 1000);
	cr_assert_eq(offer(&run, in, in + sizeof(in) - 1, SIZE_MAX), sizeof(in) - 1);
	run.out[run.n] = 0;
	cr_assert_str_eq(run.out, in);
	cr_assert(rewrite_done(&run.r));
}

Test(rewrite, giving_up_loses_nothing_at_any_byte)
{
	static const char in[] = "GET / HTTP/1.1\r\ntraceparent: old\r\nb3: 1\r\n\r\n";
	struct run run;

	for (size_t cut = 0; cut < sizeof(in); cut++) {
		char sorted[sizeof(in)], got[sizeof(in)];

		begin(&run, NEW, UINT64_MAX);
		cr_assert_eq(offer(&run, in, in + cut, SIZE_MAX), cut);
		rewrite_give_up(&run.r);
		offer(&run, in + cut, in + sizeof(in) - 1, SIZE_MAX);
		cr_assert_eq(run.n, sizeof(in) - 1);
		memcpy(sorted, in, sizeof(in));
		memcpy(got, run.out, run.n + 1);
		cr_assert_str_eq(got, sorted); /* here even in their order: nothing else came between */
	}
}

Test(rewrite, giving_up_breaks_no_line)
{
	static const char first[] = "GET / HTTP/1.1\r\n", held[] = "traceparent: old\r\n",
			  other[] = "trace: x\r\n", rest[] = "Host: h\r\n\r\n";
	char in[128], late[128];
	struct run run;
	size_t n = (size_t)snprintf(in, sizeof(in), "%s%s%s%s", first, held, other, rest),
	       before = sizeof(first) + sizeof(held) - 2;

	snprintf(late, sizeof(late), "%s%s%s%s", first, other, held, rest);
	for (size_t cut = before; cut <= before + sizeof(other) - 1; cut++)
		for (size_t room = 1; room < 40; room += 38) {
			size_t at = 0;

			begin(&run, NEW, UINT64_MAX);
			while (at < cut)
				at += offer(&run, in + at, in + cut, room);
			rewrite_give_up(&run.r);
			while (at < n || !rewrite_done(&run.r))
				at += offer(&run, in + at, in + n, room);
			run.out[run.n] = 0;
			cr_assert(!strcmp(run.out, in) || !strcmp(run.out, late), "%zu: %s", cut, run.out);
		}
}

Test(rewrite, more_than_can_be_held_goes_out_as_it_is)
{
	static char in[4096];
	struct run run;
	size_t n = (size_t)snprintf(in, sizeof(in),
				    "GET / HTTP/1.1\r\ntraceparent: %02000d\r\nHost: h\r\n\r\n", 1);

	for (size_t call = 1; call < n; call += 7) {
		size_t at = 0;

		begin(&run, NEW, n);
		while (at < n)
			at += offer(&run, in + at, in + (n - at < call ? n : at + call), 50);
		while (!rewrite_done(&run.r))
			offer(&run, in + n, in + n, 50);
		cr_assert_eq(run.n, n);
		cr_assert_eq(memcmp(run.out, in, n), 0);
	}
}

Test(rewrite, many_lines_to_replace_are_as_good_as_one)
{
	static char in[2048];
	size_t n = (size_t)snprintf(in, sizeof(in), "GET / HTTP/1.1\r\n");

	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(in + n, sizeof(in) - n, "b3: %d\r\n", i);
	snprintf(in + n, sizeof(in) - n, "\r\n");
	expect(in, NEW, "GET / HTTP/1.1\r\n" NEW "\r\n", SIZE_MAX / 2, SIZE_MAX);
	expect(in, NEW, "GET / HTTP/1.1\r\n" NEW "\r\n", 3, 5);
}
