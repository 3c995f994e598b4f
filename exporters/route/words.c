/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/words.h"

#include <stdbool.h>

#define W(text)  { text, sizeof(text) - 1, ROUTE_WORD },
#define N(text)  { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_NOUN },
#define A(text)  { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_ACTION },
#define AN(text) { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_ACTION | ROUTE_NOUN },
#define R(text)  { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_RESERVED },
#define V(text)  { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_VALUE },
#define NR(text) { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_NOUN | ROUTE_RESERVED },
#define NV(text) { text, sizeof(text) - 1, ROUTE_WORD | ROUTE_NOUN | ROUTE_VALUE },

static const struct word {
	char text[ROUTE_WORD_MAX + 1];
	uint8_t n, flags;
} words[] = {
#include "exporters/route/words.def"
};

#define WORDS        (sizeof(words) / sizeof(words[0]))
#define PIECES_MAX   5u
#define JOINED_LEAST 3u /* letters in a word that is joined to another without a sign */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static uint32_t find(const char *p, size_t n)
{
	size_t low = 0, high = WORDS;

	while (low < high) {
		size_t middle = (low + high) / 2, least = n < words[middle].n ? n : words[middle].n;
		int order = memcmp(p, words[middle].text, least);

		if (order == 0 && n == words[middle].n)
			return words[middle].flags;
		if (order < 0 || (order == 0 && n < words[middle].n))
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static bool ends(const char *p, size_t n, const char *with)
{
	size_t k = strlen(with);

	return n > k + 2 && memcmp(p + n - k, with, k) == 0;
}

/* Without its last `cut` letters and with `add` instead. */
static uint32_t find_stem(const char *p, size_t n, size_t cut, const char *add)
{
	char stem[ROUTE_WORD_MAX + 1];
	size_t k = strlen(add);

	if (n - cut + k > ROUTE_WORD_MAX)
		return 0;
	memcpy(stem, p, n - cut);
	memcpy(stem + n - cut, add, k);
	return find(stem, n - cut + k);
}

static uint32_t find_plural(const char *p, size_t n)
{
	uint32_t flags = 0;

	if (ends(p, n, "ies"))
		flags = find_stem(p, n, 3, "y");
	if (!flags && ends(p, n, "s"))
		flags = find(p, n - 1);
	if (!flags && ends(p, n, "es"))
		flags = find(p, n - 2);
	flags &= ~(uint32_t)(ROUTE_RESERVED | ROUTE_ACTION);
	return flags ? flags | ROUTE_PLURAL : 0;
}

/* canceled, tokenizer, setting: words, whatever their stem is besides. */
static uint32_t find_inflected(const char *p, size_t n)
{
	static const char *const endings[] = { "ing", "ed", "er", "ers", "ly", "able" };
	size_t k;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (!ends(p, n, endings[i]))
			continue;
		k = strlen(endings[i]);
		if (find_stem(p, n, k, "") || find_stem(p, n, k, "e") ||
		    (n > k + 3 && p[n - k - 1] == p[n - k - 2] && find_stem(p, n, k + 1, ""))) /* planned */
			return endings[i][1] == 'd' ? ROUTE_WORD | ROUTE_ACTION : ROUTE_WORD;
	}
	return 0;
}

static uint32_t find_prefixed(const char *p, size_t n)
{
	static const char *const prefixes[] = { "un", "re", "pre", "auto", "multi", "non", "sub", "de" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t k = strlen(prefixes[i]);

		if (n > k + 3 && memcmp(p, prefixes[i], k) == 0 && find(p + k, n - k))
			return ROUTE_WORD;
	}
	return 0;
}

static uint32_t simple_word(const char *p, size_t n)
{
	uint32_t flags;

	if (n == 0 || n > ROUTE_WORD_MAX)
		return 0;
	flags = find(p, n);
	if (!flags)
		flags = find_plural(p, n);
	if (!flags)
		flags = find_inflected(p, n);
	return flags ? flags : find_prefixed(p, n);
}

/* replica|sets, health|check, persistent|volume|claims */
static uint32_t joined_word(const char *p, size_t n, unsigned pieces)
{
	uint32_t flags;

	if (pieces == 0 || n < 2 * JOINED_LEAST)
		return 0;
	for (size_t k = n - JOINED_LEAST; k >= JOINED_LEAST; k--) {
		if (k > ROUTE_WORD_MAX || (!find(p, k) && !find_plural(p, k)))
			continue;
		flags = simple_word(p + k, n - k);
		if (!flags)
			flags = joined_word(p + k, n - k, pieces - 1);
		if (flags)
			return flags | ROUTE_COMPOSED;
	}
	return 0;
}

uint32_t route_word(struct slice text)
{
	uint32_t flags;

	for (size_t i = 0; i < text.n; i++)
		if (is_digit(text.p[i])) /* oauth2, ipv4: as they are, or not at all */
			return text.n <= ROUTE_WORD_MAX ? find(text.p, text.n) : 0;
	flags = simple_word(text.p, text.n);
	if (!flags && text.n <= 2 * (size_t)ROUTE_WORD_MAX)
		flags = joined_word(text.p, text.n, 2);
	return flags;
}

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/* A number of one or two digits joined to words: "step-2"; more digits are somebody's. */
static bool is_small_number(struct slice s)
{
	return s.n > 0 && s.n <= 2 && is_digit(s.p[0]) && is_digit(s.p[s.n - 1]);
}

/* The next piece of text from *at: up to a separator, or to a capital that begins a word (postMessage,
 * getURLList). */
static struct slice next_piece(struct slice text, size_t *at)
{
	size_t begin, i;

	while (*at < text.n && strchr("-_.", text.p[*at]))
		++*at;
	begin = *at;
	for (i = begin; i < text.n && !strchr("-_.", text.p[i]); i++) {
		bool starts = i > begin && is_upper(text.p[i]);

		if (starts && (is_lower(text.p[i - 1]) || (i + 1 < text.n && is_lower(text.p[i + 1]))))
			break;
	}
	*at = i;
	return (struct slice){ text.p + begin, i - begin };
}

static uint32_t piece_word(struct slice piece)
{
	char lower[2 * ROUTE_WORD_MAX];

	if (piece.n > sizeof(lower))
		return 0;
	for (size_t i = 0; i < piece.n; i++)
		lower[i] = (char)(is_upper(piece.p[i]) ? piece.p[i] | 0x20 : piece.p[i]);
	return route_word((struct slice){ lower, piece.n });
}

/* US, API, DB_PASSWORD: routes are not written so, names and codes are. */
static bool is_shouted(struct slice text)
{
	size_t capitals = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (is_lower(text.p[i]))
			return false;
		capitals += is_upper(text.p[i]);
	}
	return capitals >= 2;
}

/* What the words of a segment say together: the last one what it is, the first one what is done. */
static uint32_t together(struct slice text, uint32_t first, uint32_t any, uint32_t last, bool numbers)
{
	last |= ROUTE_COMPOSED;
	if (numbers || memchr(text.p, '.', text.n))
		last |= ROUTE_VALUE; /* web.1, emails.out */
	else if (!memchr(text.p, '-', text.n))
		return last | ROUTE_ACTION; /* verify_credentials, postMessage: nobody calls his things so */
	last &= ~(uint32_t)(ROUTE_RESERVED | ROUTE_ACTION);
	return last | ROUTE_DASHED | (first & ROUTE_ACTION) | (any & ROUTE_RESERVED);
}

uint32_t route_words(struct slice text)
{
	uint32_t flags = 0, first = 0, any = 0, pieces = 0;
	bool numbers = false;
	size_t at = 0;

	while (at < text.n) {
		struct slice piece = next_piece(text, &at);

		if (piece.n == 0)
			break; /* separators at the end */
		if (++pieces > PIECES_MAX)
			return 0;
		if (pieces > 1 && is_small_number(piece)) {
			numbers = true;
			continue;
		}
		flags = piece_word(piece);
		if (!flags)
			return 0;
		first = any ? first : flags;
		any |= flags;
	}
	if (pieces > 1 && flags)
		flags = together(text, first, any, flags, numbers);
	return flags && is_shouted(text) ? flags | ROUTE_VALUE : flags;
}
