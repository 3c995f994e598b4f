/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/local_host.h"

#include <string.h>

static size_t put_number(char *out, unsigned value, unsigned base)
{
	char digits[5];
	size_t n = 0, at = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value && n < sizeof(digits));
	while (n)
		out[at++] = digits[--n];
	return at;
}

static size_t put_ip4(char *out, const uint8_t addr[4])
{
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		n += put_number(out + n, addr[i], 10);
		out[n++] = '.';
	}
	return n - 1;
}

/* RFC 5952: the longest run of zero groups, the first of equal ones, is "::"; an IPv4-mapped one ends as
 * IPv4. */
static size_t put_ip6(char *out, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	int gap = -1, gap_n = 1; /* a single zero group is written out */
	size_t n = 0;

	if (!memcmp(addr, mapped, sizeof(mapped))) {
		memcpy(out, "::ffff:", 7);
		return 7 + put_ip4(out + 7, addr + 12);
	}
	for (int i = 0, zeros = 0; i < 8; i++) {
		zeros = addr[2 * i] | addr[2 * i + 1] ? 0 : zeros + 1;
		if (zeros > gap_n) {
			gap_n = zeros;
			gap = i - zeros + 1;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == gap) {
			out[n++] = ':';
			i += gap_n - 1;
			if (i == 7)
				out[n++] = ':';
			continue;
		}
		if (i)
			out[n++] = ':';
		n += put_number(out + n, (unsigned)addr[2 * i] << 8 | addr[2 * i + 1], 16);
	}
	return n;
}

size_t local_host(const struct span_address *local, char out[LOCAL_HOST_BYTES])
{
	size_t n;

	if (local->family == 1) { /* AF_UNIX */
		memcpy(out, "0.0.0.0", 7);
		return 7;
	}
	if (local->family != 2 && local->family != 10) /* AF_INET, AF_INET6 */
		return 0;
	n = local->family == 2 ? put_ip4(out, local->addr) : put_ip6(out, local->addr);
	if (local->port == 80)
		return n;
	out[n++] = ':';
	return n + put_number(out + n, local->port, 10);
}
