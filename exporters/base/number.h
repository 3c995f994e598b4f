/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_NUMBER_H
#define BTRACE_NUMBER_H

/*
 * Numbers as text, into memory of the caller, without a terminating NUL; each
 * returns how many bytes it wrote. Thread safe and independent of the locale.
 */

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_SIZE = 32 }; /* room that is enough for any of the first three */

size_t number_u64(char *out, uint64_t value);
size_t number_i64(char *out, int64_t value);
/*
 * The shortest of %.15g, %.16g and %.17g that reads back as the same double, which is
 * a JSON number; "NaN", "Infinity", "-Infinity" for what JSON has no number for.
 */
size_t number_double(char *out, double value);
size_t number_hex(char *out, const uint8_t *p, size_t n); /* 2 * n lower-case digits */

#endif
