/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/base/number.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digit_pairs[200] = "00010203040506070809101112131415161718192021222324"
				     "25262728293031323334353637383940414243444546474849"
				     "50515253545556575859606162636465666768697071727374"
				     "75767778798081828384858687888990919293949596979899";
static const char hex_digits[16] = "0123456789abcdef";

size_t number_u64(char *out, uint64_t value)
{
	char digits[20], *p = digits + sizeof(digits);
	size_t n;

	while (value >= 100) {
		p -= 2;
		memcpy(p, digit_pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		p -= 2;
		memcpy(p, digit_pairs + 2 * value, 2);
	} else {
		*--p = (char)('0' + value);
	}
	n = (size_t)(digits + sizeof(digits) - p);
	memcpy(out, p, n);
	return n;
}

size_t number_i64(char *out, int64_t value)
{
	if (value >= 0)
		return number_u64(out, (uint64_t)value);
	*out = '-';
	return 1 + number_u64(out + 1, 0 - (uint64_t)value);
}

static size_t text(char *out, const char *word)
{
	size_t n = strlen(word);

	memcpy(out, word, n);
	return n;
}

static size_t shortest(char *out, double value)
{
	char digits[NUMBER_SIZE];
	int precision, n = 0;

	for (precision = 15; precision <= 17; precision++) {
		n = snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	/* A host language's locale may have put its own decimal separator (one byte) there. */
	for (int i = 0; i < n; i++)
		out[i] = strchr("0123456789+-e", digits[i]) ? digits[i] : '.';
	return (size_t)n;
}

size_t number_double(char *out, double value)
{
	if (isnan(value))
		return text(out, "NaN");
	if (isinf(value))
		return text(out, value < 0 ? "-Infinity" : "Infinity");
	if (fabs(value) < 1e15 && value == (double)(int64_t)value && !(value == 0 && signbit(value)))
		return number_i64(out, (int64_t)value);
	return shortest(out, value);
}

/* Eight digits of four bytes at once: each nibble into a byte of its own, 10..15 lifted from ':' to 'a'. */
static void put_four(char *out, const uint8_t *p)
{
	uint64_t word = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	uint64_t above_nine;

	word = (word | word << 16) & 0x0000ffff0000ffffu;
	word = (word | word << 8) & 0x00ff00ff00ff00ffu;
	word = (word | word << 4) & 0x0f0f0f0f0f0f0f0fu;
	above_nine = (word + 0x0606060606060606u) >> 4 & 0x0101010101010101u;
	word = htobe64(word + 0x3030303030303030u + above_nine * ('a' - '0' - 10));
	memcpy(out, &word, sizeof(word));
}

size_t number_hex(char *out, const uint8_t *p, size_t n)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		put_four(out + 2 * i, p + i);
	for (; i < n; i++) {
		out[2 * i] = hex_digits[p[i] >> 4];
		out[2 * i + 1] = hex_digits[p[i] & 15];
	}
	return 2 * n;
}
