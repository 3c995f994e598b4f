/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <zlib.h>

#include "exporters/ctl/report.h"

/* The sources as C strings, made from exporters/ctl/report/ by the Makefile. */
#include "exporters/ctl/report/page.inc"

/* Appends what the bytes are in gzip's form. */
static int add_gzip(struct buf *out, const struct buf *bytes)
{
	z_stream z = { .zalloc = Z_NULL };
	int rc;

	/* 15 bits of window, + 16 for the header of gzip */
	if (deflateInit2(&z, 7, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	z.next_in = (Bytef *)bytes->p;
	z.avail_in = 0;
	do {
		size_t left = bytes->n - (size_t)((char *)z.next_in - bytes->p);
		uInt piece = left > (1u << 30) ? 1u << 30 : (uInt)left;

		if (!buf_reserve(out, 1 << 16)) {
			deflateEnd(&z);
			return -ENOMEM;
		}
		z.avail_in = piece;
		z.next_out = (Bytef *)out->p + out->n;
		z.avail_out = 1 << 16;
		rc = deflate(&z, piece == left ? Z_FINISH : Z_NO_FLUSH);
		out->n += (1 << 16) - z.avail_out;
	} while (rc == Z_OK || rc == Z_BUF_ERROR);
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -EIO;
}

static void add_base64(struct buf *out, const struct buf *bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)bytes->p;

	if (!buf_reserve(out, bytes->n / 3 * 4 + 4))
		return;
	for (size_t i = 0; i < bytes->n; i += 3) {
		size_t n = bytes->n - i < 3 ? bytes->n - i : 3;
		uint32_t bits =
			(uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			buf_add_byte(out, k > n ? '=' : (uint8_t)digits[bits >> (18 - 6 * k) & 63]);
	}
}

static void add_html(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '<': buf_add_text(out, "&lt;"); break;
		case '>': buf_add_text(out, "&gt;"); break;
		case '&': buf_add_text(out, "&amp;"); break;
		case '"': buf_add_text(out, "&quot;"); break;
		case '\'': buf_add_text(out, "&#39;"); break;
		default: buf_add_byte(out, (uint8_t)text.p[i]); break;
		}
	}
}

static int add_data(struct buf *out, const struct report *report)
{
	struct buf json, packed;
	int rc;

	buf_init(&json);
	buf_init(&packed);
	rc = report_data(&json, report);
	if (!rc)
		rc = add_gzip(&packed, &json);
	if (!rc)
		add_base64(out, &packed);
	buf_release(&packed);
	buf_release(&json);
	return rc;
}

/* What stands between {{ and }} in page.html. */
static int add_part(struct buf *out, const struct report *report, struct slice name, const char *nonce)
{
	if (slice_is(name, "nonce"))
		buf_add_text(out, nonce);
	else if (slice_is(name, "title"))
		add_html(out, report->title);
	else if (slice_is(name, "style"))
		buf_add(out, report_style, sizeof(report_style) - 1);
	else if (slice_is(name, "script"))
		buf_add(out, report_script, sizeof(report_script) - 1);
	else if (slice_is(name, "data"))
		return add_data(out, report);
	return 0;
}

int report_page(struct buf *out, const struct report *report)
{
	const char *p = report_html, *end = p + sizeof(report_html) - 1, *open;
	uint8_t random[16];
	struct buf nonce;
	int rc = 0;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	buf_init(&nonce);
	buf_add_hex(&nonce, random, sizeof(random));
	buf_add_byte(&nonce, '\0');
	while (!rc && !nonce.failed && (open = memmem(p, (size_t)(end - p), "{{", 2))) {
		const char *close = memmem(open, (size_t)(end - open), "}}", 2);

		if (!close)
			break;
		buf_add(out, p, (size_t)(open - p));
		rc = add_part(out, report, (struct slice){ open + 2, (size_t)(close - open - 2) }, nonce.p);
		p = close + 2;
	}
	buf_add(out, p, (size_t)(end - p));
	rc = rc ? rc : nonce.failed || out->failed ? -ENOMEM : 0;
	buf_release(&nonce);
	return rc;
}
