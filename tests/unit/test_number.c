/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/base/number.h"

Test(number, integers_agree_with_printf)
{
	char out[NUMBER_SIZE], expected[NUMBER_SIZE];
	uint64_t value = 0;

	for (int i = 0; i < 5000; i++) {
		size_t n = number_u64(out, value);

		snprintf(expected, sizeof(expected), "%lu", value);
		cr_assert_eq(n, strlen(expected));
		cr_assert_arr_eq(out, expected, n);
		n = number_i64(out, (int64_t)value);
		snprintf(expected, sizeof(expected), "%ld", (int64_t)value);
		cr_assert_eq(n, strlen(expected));
		cr_assert_arr_eq(out, expected, n);
		value = i < 2000 ? value + 1 : (value + 1) * 6364136223846793005u >> (i % 60);
	}
}

static void assert_double(double value, const char *expected)
{
	char out[NUMBER_SIZE];
	size_t n = number_double(out, value);

	cr_assert(n == strlen(expected) && memcmp(out, expected, n) == 0, "%s, got %.*s", expected, (int)n,
		  out);
}

Test(number, doubles_are_short_and_read_back_as_themselves)
{
	assert_double(0, "0");
	assert_double(-0.0, "-0");
	assert_double(0.1, "0.1");
	assert_double(-1.5, "-1.5");
	assert_double(1234567, "1234567");
	assert_double(0.1 + 0.2, "0.30000000000000004");
	assert_double(1e300, "1e+300");
	assert_double(5e-324, "4.94065645841247e-324");
	assert_double(9007199254740993.0, "9007199254740992");
	assert_double(DBL_MAX, "1.7976931348623157e+308");
	assert_double(NAN, "NaN");
	assert_double(INFINITY, "Infinity");
	assert_double(-INFINITY, "-Infinity");
}

Test(number, random_doubles_read_back)
{
	uint64_t bits = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		char out[NUMBER_SIZE + 1];
		double value;

		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
		memcpy(&value, &bits, 8);
		if (!isfinite(value))
			continue;
		out[number_double(out, value)] = '\0';
		cr_assert_eq(strtod(out, NULL), value, "%s", out);
	}
}

Test(number, hex_is_lower_case_of_every_byte_and_length)
{
	uint8_t bytes[256];
	char out[512], expected[3];

	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	for (size_t n = 0; n <= 256; n += n < 9 ? 1 : 13) {
		memset(out, 'x', sizeof(out));
		cr_assert_eq(number_hex(out, bytes + 256 - n, n), 2 * n);
		for (size_t i = 0; i < n; i++) {
			snprintf(expected, sizeof(expected), "%02x", bytes[256 - n + i]);
			cr_assert_arr_eq(out + 2 * i, expected, 2);
		}
		cr_assert(2 * n == sizeof(out) || out[2 * n] == 'x');
	}
	cr_assert_eq(number_hex(out, bytes, 256), 512);
	cr_assert_arr_eq(out, "000102030405060708090a0b0c0d0e0f10", 34);
}
