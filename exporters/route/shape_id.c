/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/shape.h"

struct looks {
	uint32_t digits, lower, upper, other; /* other: - _ and the rest */
	uint32_t turns;                       /* from letter to digit or back, inside a piece */
	uint32_t case_turns;                  /* from small to capital or back */
	uint32_t consonants;                  /* the longest run */
	uint32_t humps;                       /* runs that begin with a capital */
	bool hexadecimal;                     /* all of it, "-" aside */
};

enum {
	DIGIT = 1,
	LOWER = 2,
	UPPER = 4,
	HEXADECIMAL = 8, /* a letter of it */
	VOWEL = 16,
	SIGN = 32, /* between the digits of dates, addresses, telephone numbers: - . : _ + T Z */
};

static const uint8_t kinds[256] = {
	['0' ... '9'] = DIGIT,
	['a'] = LOWER | HEXADECIMAL | VOWEL,
	['b' ... 'd'] = LOWER | HEXADECIMAL,
	['e'] = LOWER | HEXADECIMAL | VOWEL,
	['f'] = LOWER | HEXADECIMAL,
	['g' ... 'h'] = LOWER,
	['i'] = LOWER | VOWEL,
	['j' ... 'n'] = LOWER,
	['o'] = LOWER | VOWEL,
	['p' ... 't'] = LOWER,
	['u'] = LOWER | VOWEL,
	['v' ... 'x'] = LOWER,
	['y'] = LOWER | VOWEL,
	['z'] = LOWER,
	['A'] = UPPER | HEXADECIMAL | VOWEL,
	['B' ... 'D'] = UPPER | HEXADECIMAL,
	['E'] = UPPER | HEXADECIMAL | VOWEL,
	['F'] = UPPER | HEXADECIMAL,
	['G' ... 'H'] = UPPER,
	['I'] = UPPER | VOWEL,
	['J' ... 'N'] = UPPER,
	['O'] = UPPER | VOWEL,
	['P' ... 'S'] = UPPER,
	['T'] = UPPER | SIGN,
	['U'] = UPPER | VOWEL,
	['V' ... 'X'] = UPPER,
	['Y'] = UPPER | VOWEL,
	['Z'] = UPPER | SIGN,
	['-'] = SIGN,
	['.'] = SIGN,
	[':'] = SIGN,
	['_'] = SIGN,
	['+'] = SIGN,
};

static uint8_t kind(char c) { return kinds[(uint8_t)c]; }

static bool is_digit(char c) { return kind(c) & DIGIT; }

static bool is_lower(char c) { return kind(c) & LOWER; }

static bool is_upper(char c) { return kind(c) & UPPER; }

static void look(struct slice s, struct looks *l)
{
	uint8_t before = 0;
	uint32_t run = 0;

	*l = (struct looks){ .hexadecimal = true };
	for (size_t i = 0; i < s.n; i++) {
		uint8_t k = kind(s.p[i]), letter = k & (LOWER | UPPER);

		l->digits += (k & DIGIT) != 0;
		l->lower += (k & LOWER) != 0;
		l->upper += (k & UPPER) != 0;
		l->other += !(k & (DIGIT | LOWER | UPPER));
		l->turns += ((k & DIGIT) && (before & (LOWER | UPPER))) || (letter && (before & DIGIT));
		l->case_turns += ((k & LOWER) && (before & UPPER)) || ((k & UPPER) && (before & LOWER));
		l->humps += (k & UPPER) && !(before & UPPER);
		l->hexadecimal &= (k & (DIGIT | HEXADECIMAL)) || s.p[i] == '-';
		run = letter && !(k & VOWEL) ? run + 1 : 0;
		l->consonants = run > l->consonants ? run : l->consonants;
		before = k;
	}
}

bool route_is_hash(struct slice s)
{
	struct looks l;

	look(s, &l);
	if (s.n < 8 || l.other || (!l.digits && !l.hexadecimal))
		return false;
	return l.hexadecimal || l.turns >= 3;
}

static bool is_numeric(struct slice s)
{
	uint8_t all = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!(kind(s.p[i]) & (DIGIT | SIGN)))
			return false;
		all |= kind(s.p[i]);
	}
	return all & DIGIT;
}

/* PROJ-123, INV-7, AB12-3 */
static bool is_key(struct slice s)
{
	size_t i = 0, letters = 0;

	for (; i < s.n && (is_upper(s.p[i]) || is_digit(s.p[i])); i++)
		letters += is_upper(s.p[i]);
	if (letters < 2 || i + 1 >= s.n || (s.p[i] != '-' && s.p[i] != '_'))
		return false;
	for (i++; i < s.n && is_digit(s.p[i]); i++)
		;
	return i == s.n;
}

/* xkqzvb, dQwXgWcQ: nothing anybody could pronounce. */
static bool is_gibberish(struct slice s, const struct looks *l)
{
	uint32_t letters = l->lower + l->upper;

	if (letters < 6 || l->digits)
		return false;
	if (l->consonants >= 6)
		return true;
	if (l->hexadecimal && !l->other && letters >= 8)
		return true;
	return s.n >= 7 && l->upper && l->lower && l->humps >= 3 && letters < l->humps * 3 &&
	       l->case_turns >= 4;
}

bool route_is_id(struct slice s)
{
	struct looks l;

	if (s.n > ROUTE_SEGMENT_MAX || is_numeric(s) || is_key(s))
		return true;
	look(s, &l);
	if (is_gibberish(s, &l))
		return true;
	if (!l.digits)
		return false;
	if (l.digits >= 3 || l.turns >= 3)
		return true;
	if (l.hexadecimal && s.n >= 8)
		return true;
	return l.upper && l.lower && l.case_turns >= 2 && s.n >= 6; /* A1bCd2 */
}

static bool starts_with_digits(struct slice s, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		if (i >= s.n || !is_digit(s.p[i]))
			return false;
	return true;
}

/* 2010-04-01, 2024-01 */
static bool is_dated(struct slice s)
{
	if ((s.n != 7 && s.n != 10) || !starts_with_digits(s, 0, 4) || s.p[4] != '-' ||
	    !starts_with_digits(s, 5, 2))
		return false;
	return s.n == 7 || (s.p[7] == '-' && starts_with_digits(s, 8, 2));
}

/* v1, v1.43, v2beta1, V3, v1alpha */
static bool is_v_number(struct slice s)
{
	size_t i = 1, letters;

	if (s.n < 2 || s.n > 12 || (s.p[0] | 0x20) != 'v' || !is_digit(s.p[1]))
		return false;
	while (i < s.n && (is_digit(s.p[i]) || s.p[i] == '.' || s.p[i] == '_'))
		i++;
	for (letters = 0; i < s.n && is_lower(s.p[i]); letters++)
		i++;
	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i == s.n && letters <= 5;
}

bool route_is_version(struct slice s, enum route_place place, bool more)
{
	if (is_v_number(s))
		return (place != ROUTE_BEHIND_NOUN && place != ROUTE_BEHIND_PLURAL) ||
		       s.n <= 3; /* not /tags/v1.2.3 */
	if (!more || (place != ROUTE_AT_ROOT && place != ROUTE_BEHIND_WORD))
		return false;
	if (s.n == 3 && is_digit(s.p[0]) && s.p[1] == '.' && is_digit(s.p[2]))
		return true;
	return place == ROUTE_AT_ROOT && ((s.n == 1 && is_digit(s.p[0])) || is_dated(s));
}
