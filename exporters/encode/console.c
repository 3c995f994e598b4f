/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One line a span for people:
 *
 *   time         what                      status  duration  request  response  peer  trace id
 *   14:03:07.123 GET /users/{id}              200   150.2ms      0B    12.3kB  198.51.100.23  4bf9…
 *
 * Columns are fixed so that lines stand under each other; what is too long is cut,
 * but the peer, which moves the trace id. Control characters never reach the terminal.
 */

#include "exporters/base/number.h"
#include "exporters/base/utf8.h"
#include "exporters/encode/formats.h"
#include "exporters/encode/spans.h"

enum { WHAT_WIDTH = 40, STATUS_WIDTH = 4, DURATION_WIDTH = 8, SIZE_WIDTH = 8, PEER_WIDTH = 15 };

/* The attributes that the line shows. */
enum wanted {
	METHOD,
	PATH,
	FULL,
	ROUTE,
	STATUS,
	REQUEST_SIZE,
	RESPONSE_SIZE,
	CLIENT,
	SERVER,
	PEER,
	ERROR_TYPE,
	WANTED_COUNT
};

/* By the stable conventions and by those before 1.23. */
static const struct {
	struct slice key;
	enum wanted what;
} wanted_keys[] = {
	{ SLICE("http.request.method"), METHOD },
	{ SLICE("http.method"), METHOD },
	{ SLICE("url.path"), PATH },
	{ SLICE("http.target"), PATH },
	{ SLICE("url.full"), FULL },
	{ SLICE("http.url"), FULL },
	{ SLICE("http.route"), ROUTE },
	{ SLICE("http.response.status_code"), STATUS },
	{ SLICE("http.status_code"), STATUS },
	{ SLICE("http.request.body.size"), REQUEST_SIZE },
	{ SLICE("http.request_content_length"), REQUEST_SIZE },
	{ SLICE("http.response.body.size"), RESPONSE_SIZE },
	{ SLICE("http.response_content_length"), RESPONSE_SIZE },
	{ SLICE("client.address"), CLIENT },
	{ SLICE("http.client_ip"), CLIENT },
	{ SLICE("server.address"), SERVER },
	{ SLICE("net.peer.name"), SERVER },
	{ SLICE("network.peer.address"), PEER },
	{ SLICE("net.sock.peer.addr"), PEER },
	{ SLICE("net.peer.ip"), PEER },
	{ SLICE("error.type"), ERROR_TYPE },
};

struct found {
	const struct value *values[WANTED_COUNT];
};

static void find_wanted(struct found *found, const struct span *span)
{
	*found = (struct found){ 0 };
	for (size_t i = 0; i < span->attributes.n; i++)
		for (size_t k = 0; k < sizeof(wanted_keys) / sizeof(*wanted_keys); k++)
			if (slice_equal(span->attributes.items[i].key, wanted_keys[k].key))
				found->values[wanted_keys[k].what] = &span->attributes.items[i].value;
}

static struct slice string_of(const struct found *found, enum wanted w)
{
	const struct value *value = found->values[w];

	return value && value->type == VALUE_STRING ? value->string : (struct slice){ NULL, 0 };
}

static const int64_t *integer_of(const struct found *found, enum wanted w)
{
	const struct value *value = found->values[w];

	return value && value->type == VALUE_INT ? &value->integer : NULL;
}

/*
 * C0, DEL and C1 control characters, bidirectional overrides and what is no UTF-8:
 * they would let a request write to the terminal or lie about the rest of the line.
 */
static bool is_harmful(const char *p, int length)
{
	uint8_t second = length > 1 ? (uint8_t)p[1] : 0, third = length > 2 ? (uint8_t)p[2] : 0;

	if (length == 1)
		return (uint8_t)*p < 0x20 || *p == 0x7f;
	if (length == 2)
		return (uint8_t)*p == 0xc2 && second < 0xa0;
	if (length != 3 || (uint8_t)*p != 0xe2)
		return false;
	return (second == 0x80 && (third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae))) ||
	       (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

/* At most `width` characters of text (a cut one ends in "…"), `?` for harmful ones; returns how many. */
static size_t add_clean(struct buf *b, struct slice text, size_t width)
{
	size_t shown = 0, i = 0, last = b->n;

	while (i < text.n) {
		int length = utf8_next(text.p + i, text.n - i);

		if (shown == width) {
			buf_truncate(b, last);
			buf_add_slice(b, SLICE("\xe2\x80\xa6"));
			break;
		}
		last = b->n;
		if (length < 0 || is_harmful(text.p + i, length))
			buf_add_byte(b, '?');
		else
			buf_add(b, text.p + i, (size_t)length);
		i += (size_t)(length < 0 ? -length : length);
		shown++;
	}
	return shown;
}

static void add_spaces(struct buf *b, size_t n)
{
	while (n--)
		buf_add_byte(b, ' ');
}

static void add_left(struct buf *b, struct slice text, size_t width)
{
	size_t shown = add_clean(b, text, width);

	add_spaces(b, width - shown);
}

static void add_right(struct buf *b, const char *text, size_t n, size_t width)
{
	add_spaces(b, n < width ? width - n : 0);
	buf_add(b, text, n);
}

static void put_two(char *out, unsigned value)
{
	out[0] = (char)('0' + value / 10 % 10);
	out[1] = (char)('0' + value % 10);
}

static void add_time(struct buf *b, uint64_t unix_ns, int32_t utc_offset_s)
{
	int64_t second = (int64_t)(unix_ns / 1000000000) + utc_offset_s;
	unsigned day = (unsigned)((second % 86400 + 86400) % 86400),
		 ms = (unsigned)(unix_ns / 1000000 % 1000);
	char text[] = "hh:mm:ss.mmm";

	put_two(text, day / 3600);
	put_two(text + 3, day / 60 % 60);
	put_two(text + 6, day % 60);
	text[9] = (char)('0' + ms / 100);
	put_two(text + 10, ms);
	buf_add(b, text, sizeof(text) - 1);
}

/* value / unit with one decimal place, rounded down: "150.2ms". */
static size_t put_scaled(char *out, uint64_t value, uint64_t unit, const char *name)
{
	size_t n = number_u64(out, value / unit), length = strlen(name);

	if (unit > 1) {
		out[n++] = '.';
		out[n++] = (char)('0' + value % unit * 10 / unit);
	}
	memcpy(out + n, name, length);
	return n + length;
}

static void add_duration(struct buf *b, uint64_t ns)
{
	char text[NUMBER_SIZE + 4];
	size_t n;

	if (ns < 1000)
		n = put_scaled(text, ns, 1, "ns");
	else if (ns < 1000000)
		n = put_scaled(text, ns, 1000, "us");
	else if (ns < 1000000000)
		n = put_scaled(text, ns, 1000000, "ms");
	else
		n = put_scaled(text, ns, 1000000000, "s");
	add_right(b, text, n, DURATION_WIDTH);
}

static void add_size(struct buf *b, const int64_t *bytes)
{
	char text[NUMBER_SIZE + 4] = "-";
	size_t n = 1;

	if (bytes && *bytes >= 0) {
		uint64_t value = (uint64_t)*bytes;

		if (value < 1000)
			n = put_scaled(text, value, 1, "B");
		else if (value < 1000000)
			n = put_scaled(text, value, 1000, "kB");
		else if (value < 1000000000)
			n = put_scaled(text, value, 1000000, "MB");
		else
			n = put_scaled(text, value, 1000000000, "GB");
	}
	add_right(b, text, n, SIZE_WIDTH);
}

/* The name says it all once it has the route; else the path or URL tells more than a bare method. */
static void add_what(struct buf *b, const struct span *span, const struct found *found)
{
	struct slice method = string_of(found, METHOD);
	struct slice path = string_of(found, span->kind == MODEL_KIND_CLIENT ? FULL : PATH);
	size_t shown;

	if (!path.n || !method.n || string_of(found, ROUTE).n || method.n + 1 >= WHAT_WIDTH) {
		add_left(b, span->name, WHAT_WIDTH);
		return;
	}
	shown = add_clean(b, method, WHAT_WIDTH) + 1;
	buf_add_byte(b, ' ');
	add_left(b, path, WHAT_WIDTH - shown);
}

static void add_status(struct buf *b, const struct span *span, const struct found *found, bool colour)
{
	const int64_t *code = integer_of(found, STATUS);
	bool bad = span->status == MODEL_STATUS_ERROR;
	char text[NUMBER_SIZE];
	struct slice shown = bad ? SLICE("ERR") : SLICE("-");

	if (code)
		shown = (struct slice){ text, number_i64(text, *code) };
	if (colour)
		buf_add_slice(b, bad                    ? SLICE("\x1b[31m")
				 : code && *code >= 400 ? SLICE("\x1b[33m")
							: SLICE("\x1b[32m"));
	add_right(b, shown.p, shown.n, STATUS_WIDTH);
	if (colour)
		buf_add_slice(b, SLICE("\x1b[0m"));
}

static struct slice peer_of(const struct span *span, const struct found *found)
{
	struct slice peer = string_of(found, span->kind == MODEL_KIND_SERVER ? CLIENT : SERVER);

	if (!peer.n)
		peer = string_of(found, PEER);
	return peer.n ? peer : SLICE("-");
}

static void add_error(struct buf *b, const struct span *span, const struct found *found)
{
	struct slice why = span->status_message.n ? span->status_message : string_of(found, ERROR_TYPE);
	const int64_t *code = integer_of(found, STATUS);
	char text[NUMBER_SIZE];
	size_t n = code ? number_i64(text, *code) : 0;

	/* error.type repeats the status code of a 5xx. */
	if (span->status != MODEL_STATUS_ERROR || !why.n || slice_equal(why, (struct slice){ text, n }))
		return;
	buf_add_slice(b, SLICE("  "));
	add_clean(b, why, 4 * WHAT_WIDTH);
}

static void add_span(struct buf *b, const struct span *span, const struct encode_options *options)
{
	struct found found;
	struct slice peer;
	size_t shown;

	find_wanted(&found, span);
	add_time(b, span->start_unix_ns, options->utc_offset_s);
	buf_add_byte(b, ' ');
	add_what(b, span, &found);
	add_status(b, span, &found, options->colour);
	buf_add_byte(b, ' ');
	add_duration(b, span_duration_ns(span));
	add_size(b, integer_of(&found, REQUEST_SIZE));
	add_size(b, integer_of(&found, RESPONSE_SIZE));
	buf_add_slice(b, SLICE("  "));
	peer = peer_of(span, &found);
	shown = add_clean(b, peer, 3 * PEER_WIDTH);
	add_spaces(b, 2 + (shown < PEER_WIDTH ? PEER_WIDTH - shown : 0));
	buf_add_hex(b, span->trace_id, 16);
	add_error(b, span, &found);
}

static size_t encode(const struct batch *batch, size_t from, size_t n, const struct encode_options *options,
		     struct buf *out)
{
	size_t end = payload_end(options, out), taken;

	for (taken = 0; taken < n; taken++) {
		size_t mark = out->n;

		if (taken)
			buf_add_byte(out, '\n');
		add_span(out, &batch->spans[from + taken], options);
		if (out->n > end) {
			buf_truncate(out, mark);
			break;
		}
	}
	return taken;
}

const struct format format_console = {
	.name = "console",
	.encode = encode,
};
