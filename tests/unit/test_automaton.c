/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/automaton.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Finds "ab" anywhere, or "c" at the end. Classes: other, a, b, c, end. */
#define ROWS    4
#define CLASSES 5
#define ROW(n)  ((n)*CLASSES)
#define CELLS   (ROWS * CLASSES)
static struct block {
	struct automaton_head head;
	uint8_t class[256];
	uint16_t next[CELLS];
} good = {
	.head = { AUTOMATON_MAGIC, sizeof(struct block), CELLS, ROW(3), CLASSES, 4, CLASSES, 0 },
	.class = { ['a'] = 1, ['b'] = 2, ['c'] = 3 },
	.next = { 0, ROW(1), 0, ROW(2), 0,      /**/ 0,      ROW(1), ROW(3), ROW(2), 0, /**/
		  0, ROW(1), 0, ROW(2), ROW(3), /**/ ROW(3), ROW(3), ROW(3), ROW(3), ROW(3) },
};

static bool finds(const char *text, bool decoded, size_t cut)
{
	struct automaton a;
	size_t n = strlen(text);

	cr_assert(automaton_open(&a, &good, sizeof(good)));
	if (cut > n)
		cut = n;
	(decoded ? automaton_feed_decoded : automaton_feed)(&a, text, cut);
	(decoded ? automaton_feed_decoded : automaton_feed)(&a, text + cut, n - cut);
	return automaton_end(&a);
}

Test(automaton, finds_inside_and_at_the_end_however_the_text_is_cut)
{
	for (size_t cut = 0; cut < 6; cut++) {
		cr_expect(finds("xaabx", false, cut));
		cr_expect(finds("xac", false, cut));
		cr_expect(!finds("xacx", false, cut));
		cr_expect(!finds("", false, cut));
		cr_expect(!finds("%61b", false, cut));
	}
}

Test(automaton, escapes_are_decoded_once_however_the_text_is_cut)
{
	static const struct {
		const char *text;
		bool found;
	} cases[] = {
		{ "x%61b", true },   { "%61%62", true }, { "%61%6", false },    { "a%6b", false },
		{ "%2561b", false }, { "x%63", true },   { "%", false },        { "%%61b", true },
		{ "%6%61b", true },  { "%zzab", true },  { "%6ab", false },     { "%aab", false },
		{ "c%", false },     { "c%6", false },   { "%4ab", false },     { "%4%4ab", false },
		{ "%C3ab", true },   { "a%", false },    { "%ab%61%62", true }, { "%xab", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t cut = 0; cut < 10; cut++)
			cr_expect_eq(finds(cases[i].text, true, cut), cases[i].found, "\"%s\" cut at %zu",
				     cases[i].text, cut);
}

Test(automaton, an_open_automaton_can_be_copied_behind_a_prefix)
{
	struct automaton a, copy;

	cr_assert(automaton_open(&a, &good, sizeof(good)));
	automaton_feed_decoded(&a, "xa%6", 4);
	copy = a;
	automaton_feed_decoded(&a, "2", 1);
	automaton_feed_decoded(&copy, "3", 1);
	cr_expect(automaton_end(&a));
	cr_expect(automaton_end(&copy));
	cr_expect(a.row != copy.row || a.matched);
}

Test(automaton, a_bad_head_is_refused)
{
	struct automaton a;
	static const struct automaton_head bad[] = {
		{ 0, sizeof(good), CELLS, ROW(3), CLASSES, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good) + 1, CELLS, ROW(3), CLASSES, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good) - 1, CELLS, ROW(3), CLASSES, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), 0, ROW(3), CLASSES, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS + CLASSES, ROW(3), CLASSES, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS - 1, ROW(3), CLASSES, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), 0x80000000u / CLASSES * CLASSES, ROW(3), CLASSES, 4, CLASSES,
		  0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), 0, 0, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), CLASSES + 1, 4, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), CLASSES, CLASSES, CLASSES, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), CLASSES, 4, 0, 0 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), CLASSES, 4, CLASSES, 1 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), CLASSES, 4, CLASSES, 4 },
		{ AUTOMATON_MAGIC, sizeof(good), CELLS, ROW(3), CLASSES, 4, CLASSES, 33 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct block block = good;

		block.head = bad[i];
		cr_expect(!automaton_open(&a, &block, sizeof(block)), "head %zu", i);
		automaton_feed_decoded(&a, "ab", 2);
		cr_expect(!automaton_end(&a));
	}
	cr_expect(!automaton_open(&a, (const char *)&good + 1, sizeof(good) - 1));
	cr_expect(!automaton_open(&a, &good, sizeof(struct automaton_head)));
	cr_expect(!automaton_open(&a, NULL, 0));
}

Test(automaton, wild_classes_and_states_stay_inside)
{
	struct block *block = malloc(sizeof(*block)); /* exactly as long as it says: the sanitizer watches */
	struct automaton a;
	char text[256];

	*block = good;
	memset(block->class, 0xff, sizeof(block->class));
	memset(block->next, 0xff, sizeof(block->next));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	cr_assert(automaton_open(&a, block, sizeof(*block)));
	automaton_feed(&a, text, sizeof(text));
	cr_expect_eq(a.row, 0);
	cr_expect(!automaton_end(&a));
	free(block);
}

Test(automaton, an_accepting_start_excludes_everything)
{
	struct block block = good;
	struct automaton a;

	block.head.accept_from = 0;
	cr_assert(automaton_open(&a, &block, sizeof(block)));
	cr_expect(automaton_end(&a));
}
