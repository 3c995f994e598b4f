/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/compress.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

static void round_trip(size_t n, enum compression compression, int window_bits)
{
	static unsigned char data[300000], back[300001];
	z_stream z = { 0 };
	struct buf out;

	for (size_t i = 0; i < n; i++)
		data[i] = (unsigned char)(i * i >> 7);
	buf_init(&out);
	buf_add_text(&out, "kept");
	cr_assert_eq(compress_add(&out, (struct slice){ (char *)data, n }, compression), 0);
	cr_assert_eq(memcmp(out.p, "kept", 4), 0);
	cr_assert_eq(inflateInit2(&z, window_bits), Z_OK);
	z.next_in = (Bytef *)out.p + 4;
	z.avail_in = (uInt)out.n - 4;
	z.next_out = back;
	z.avail_out = sizeof(back);
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	cr_assert_eq(z.total_out, n);
	cr_assert_eq(z.avail_in, 0);
	cr_assert_eq(memcmp(back, data, n), 0);
	inflateEnd(&z);
	buf_release(&out);
}

Test(compress, gzip_is_one_whole_member)
{
	round_trip(0, COMPRESSION_GZIP, 15 + 16);
	round_trip(1, COMPRESSION_GZIP, 15 + 16);
	round_trip(300000, COMPRESSION_GZIP, 15 + 16);
}

Test(compress, deflate_has_zlibs_envelope) { round_trip(300000, COMPRESSION_DEFLATE, 15); }
