/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/shape.h"

#include "exporters/route/words.h"

#define EXTENSION_MAX 11u

/* A name in front of one of these is a file's or a format's. */
static const char extensions[][EXTENSION_MAX + 1] = {
	"7z",  "action", "apk",  "asmx", "asp", "aspx", "atom",        "avif", "bin",  "bmp",   "br",  "bz2",
	"cfm", "cgi",    "crt",  "css",  "csv", "deb",  "do",          "doc",  "docx", "dmg",   "eot", "exe",
	"gif", "gz",     "htm",  "html", "ico", "ics",  "iso",         "jar",  "jpeg", "jpg",   "js",  "json",
	"jsp", "jsx",    "less", "m3u8", "map", "md",   "mjs",         "mov",  "mp3",  "mp4",   "mpd", "msi",
	"ogg", "otf",    "pdf",  "pem",  "php", "pl",   "png",         "ppt",  "pptx", "py",    "rar", "rpm",
	"rss", "scss",   "sh",   "sql",  "svg", "swf",  "tar",         "tgz",  "tif",  "tiff",  "ts",  "tsx",
	"ttf", "txt",    "vtt",  "wasm", "wav", "webm", "webmanifest", "webp", "woff", "woff2", "xls", "xlsx",
	"xml", "xz",     "yaml", "yml",  "zip", "zst",
};

/* Of a program: its files are its author's, whatever they are called. */
static const char authored[][EXTENSION_MAX + 1] = { "js",   "mjs",  "css",        "map",  "php",  "asp",
						    "aspx", "asmx", "jsp",        "cgi",  "woff", "woff2",
						    "ttf",  "eot",  "ico",        "wasm", "do",   "action",
						    "cfm",  "pl",   "webmanifest" };

static struct slice part(struct slice s, size_t from, size_t to)
{
	return (struct slice){ s.p + from, to - from };
}

static size_t last_dot(struct slice s)
{
	size_t i = s.n;

	while (i && s.p[i - 1] != '.')
		i--;
	return i ? i - 1 : s.n;
}

static bool is_among(struct slice s, const char (*list)[EXTENSION_MAX + 1], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(s, list[i]))
			return true;
	return false;
}

static bool has_letter(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z')
			return true;
	return false;
}

/*
 * app.4f3e2a1b.js and chunk-4f3e2a1b.js keep what is around the hash. False: no
 * hash, or nothing around it.
 */
static bool replace_hash(struct slice base, struct slice extension, struct route_shape *shape)
{
	struct slice parts[16];
	size_t n = 0, begin = 0, hashes = 0, others = 0;

	for (size_t i = 0; i <= base.n && n + 3 < sizeof(parts) / sizeof(parts[0]); i++) {
		struct slice piece = part(base, begin, i);

		if (i < base.n && base.p[i] != '.' && base.p[i] != '-')
			continue;
		if (route_is_hash(piece) && has_letter(piece)) {
			hashes++;
			parts[n++] = SLICE("{hash}");
		} else {
			others += route_words(piece) != 0;
			parts[n++] = piece;
		}
		if (i < base.n)
			parts[n++] = part(base, i, i + 1);
		begin = i + 1;
	}
	if (hashes != 1 || others == 0 || begin <= base.n)
		return false;
	parts[n++] = extension;
	shape->kind = ROUTE_KEEP;
	shape->words = ROUTE_WORD;
	shape->next = ROUTE_BEHIND_WORD;
	shape->keep = route_join(shape->text[1], sizeof(shape->text[1]), parts, n);
	return true;
}

static bool cut_end(struct slice *base, const char *end)
{
	size_t n = strlen(end);

	if (base->n <= n || memcmp(base->p + base->n - n, end, n) != 0)
		return false;
	base->n -= n;
	return true;
}

bool route_shape_file(struct slice s, enum route_place place, struct route_shape *shape)
{
	size_t dot = last_dot(s);
	struct slice base = part(s, 0, dot), extension;

	if (dot == 0 || dot + 1 >= s.n ||
	    !is_among(part(s, dot + 1, s.n), extensions, sizeof(extensions) / sizeof(extensions[0])))
		return false;
	cut_end(&base, ".tar");
	extension = part(s, base.n, s.n);
	route_set_id(shape, (struct slice){ NULL, 0 }, extension);
	if (replace_hash(base, extension, shape))
		return true;
	if (!cut_end(&base, ".min") && !cut_end(&base, ".bundle"))
		cut_end(&base, ".d");
	route_judge(base, place, false, shape);
	if (shape->kind != ROUTE_ID && !shape->digits &&
	    is_among(part(s, dot + 1, s.n), authored, sizeof(authored) / sizeof(authored[0]))) {
		shape->kind = ROUTE_KEEP;
		shape->words = ROUTE_WORD;
	}
	return true;
}
