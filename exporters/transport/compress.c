/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/compress.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

int compress_add(struct buf *out, struct slice data, enum compression compression)
{
	z_stream z = { 0 };
	int bits = compression == COMPRESSION_GZIP ? 15 + 16 : 15;
	int rc = -ENOMEM;
	uLong room;

	if (data.n > UINT_MAX / 2 ||
	    deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	room = deflateBound(&z, (uLong)data.n);
	if (buf_reserve(out, room)) {
		z.next_in = (Bytef *)data.p;
		z.avail_in = (uInt)data.n;
		z.next_out = (Bytef *)out->p + out->n;
		z.avail_out = (uInt)room;
		/* deflateBound is enough for one call. */
		if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
			out->n += z.total_out;
			rc = 0;
		}
	}
	deflateEnd(&z);
	return rc;
}
