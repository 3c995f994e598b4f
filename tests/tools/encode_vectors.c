/* SPDX-License-Identifier: Apache-2.0 */

/*
 * encode_vectors FORMAT SPANS.json: writes the spans of tests/vectors/spans.json in a
 * format of formats.c to standard output, for tests/vectors/check.py. Without arguments:
 * the names of all formats.
 */

#include <stdio.h>
#include <stdlib.h>

#include "exporters/encode/format.h"
#include "tests/lib/spans_json.h"

static bool read_file(struct buf *b, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file)
		return false;
	while (buf_reserve(b, 65536) && (n = fread(b->p + b->n, 1, 65536, file)) > 0)
		b->n += n;
	fclose(file);
	return !b->failed;
}

int main(int argc, char **argv)
{
	struct encode_options options = { .utc_offset_s = 3600 };
	const struct format *format;
	struct buf text, out;
	struct arena arena;
	struct batch batch;

	if (argc != 3) {
		for (const struct format *const *row = formats; *row; row++)
			puts((*row)->name);
		return argc != 1;
	}
	buf_init(&text);
	buf_init(&out);
	arena_init(&arena);
	format = format_by_name(argv[1]);
	if (!format || !read_file(&text, argv[2]) ||
	    !spans_from_json(&arena, (struct slice){ text.p, text.n }, &batch)) {
		fprintf(stderr, "encode_vectors: no such format, or '%s' is not as expected\n", argv[2]);
		return 2;
	}
	if (format->encode(&batch, 0, batch.n, &options, &out) != batch.n || out.failed) {
		fprintf(stderr, "encode_vectors: not all spans were taken\n");
		return 1;
	}
	fwrite(out.p, 1, out.n, stdout);
	buf_release(&text);
	buf_release(&out);
	arena_release(&arena);
	return fflush(stdout) != 0;
}
