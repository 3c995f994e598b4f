/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/base/json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/base/codepoint.h"
#include "exporters/base/utf8.h"

void json_init(struct json_reader *r, struct slice text)
{
	buf_init(&r->scratch);
	json_restart(r, text);
}

void json_restart(struct json_reader *r, struct slice text)
{
	struct buf scratch = r->scratch;

	*r = (struct json_reader){ .start = text.p, .p = text.p, .scratch = scratch };
	r->end = text.n ? text.p + text.n : text.p;
	r->state = JSON_WANTS_VALUE;
}

void json_release(struct json_reader *r) { buf_release(&r->scratch); }

enum json_token json_fail(struct json_reader *r, const char *error)
{
	if (!r->error)
		r->error = error;
	return JSON_ERROR;
}

static enum json_token fail_cut(struct json_reader *r)
{
	if (!r->error)
		r->cut = true;
	return json_fail(r, "the text ends too early");
}

size_t json_column(const struct json_reader *r) { return (size_t)(r->p - r->start) + 1; }

static void skip_space(struct json_reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

static bool in_object(const struct json_reader *r) { return r->objects >> (r->depth - 1) & 1; }

static enum json_token open_level(struct json_reader *r, bool object)
{
	if (r->depth == JSON_DEPTH)
		return json_fail(r, "nested too deeply");
	r->objects = (r->objects & ~(UINT64_C(1) << r->depth)) | (uint64_t)object << r->depth;
	r->depth++;
	r->p++;
	r->state = JSON_WANTS_FIRST;
	return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token close_level(struct json_reader *r)
{
	bool object = in_object(r);

	if (r->p == r->end)
		return fail_cut(r);
	if (*r->p != (object ? '}' : ']'))
		return json_fail(r, object ? "',' or '}' should stand here" : "',' or ']' should stand here");
	r->p++;
	r->depth--;
	r->state = JSON_WANTS_COMMA;
	return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

/* Bytes from p up to the next one that needs a look: quote, backslash, control, not ASCII. */
static const char *plain_run(const char *p, const char *end)
{
	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
			break;
		p++;
	}
	return p;
}

static int hex4(const char *p)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* \uXXXX with r->p behind the 'u'; a pair of surrogates is one character, a lone one is U+FFFD. */
static bool read_unicode_escape(struct json_reader *r)
{
	char bytes[4];
	int high, low;
	uint32_t code;

	if (r->end - r->p < 4)
		return fail_cut(r), false;
	high = hex4(r->p);
	if (high < 0)
		return json_fail(r, "four hexadecimal digits should stand here"), false;
	r->p += 4;
	code = (uint32_t)high;
	if (high >= 0xd800 && high <= 0xdbff && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
		low = hex4(r->p + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			code = 0x10000 + (((uint32_t)high & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
			r->p += 6;
		}
	}
	buf_add(&r->scratch, bytes, codepoint_encode(code, bytes));
	return true;
}

static bool read_escape(struct json_reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (r->end - r->p < 2)
		return fail_cut(r), false;
	if (r->p[1] == 'u') {
		r->p += 2;
		return read_unicode_escape(r);
	}
	found = r->p[1] ? strchr(from, r->p[1]) : NULL;
	if (!found)
		return json_fail(r, "no such escape"), false;
	buf_add_byte(&r->scratch, (uint8_t)to[found - from]);
	r->p += 2;
	return true;
}

/* The rest of a string that cannot be given out as it stands; `from` to r->p is fine so far. */
static bool read_decoded(struct json_reader *r, const char *from)
{
	buf_clear(&r->scratch);
	buf_add(&r->scratch, from, (size_t)(r->p - from));
	while (r->p < r->end) {
		unsigned char c = (unsigned char)*r->p;
		const char *run = plain_run(r->p, r->end);
		int n;

		if (run > r->p) {
			buf_add(&r->scratch, r->p, (size_t)(run - r->p));
			r->p = run;
		} else if (c == '"') {
			r->p++;
			r->text = (struct slice){ r->scratch.p, r->scratch.n };
			return r->scratch.failed ? json_fail(r, "out of memory"), false : true;
		} else if (c == '\\') {
			if (!read_escape(r))
				return false;
		} else if (c < 0x20) {
			return json_fail(r, "a control character in a string"), false;
		} else {
			n = utf8_next(r->p, (size_t)(r->end - r->p));
			if (n > 0)
				buf_add(&r->scratch, r->p, (size_t)n);
			else
				buf_add_text(&r->scratch, "\xef\xbf\xbd");
			r->p += abs(n);
		}
	}
	return fail_cut(r), false;
}

/* r->p stands on the opening quote. */
static bool read_string(struct json_reader *r)
{
	const char *from = ++r->p;
	int n;

	for (;;) {
		r->p = plain_run(r->p, r->end);
		if (r->p == r->end)
			return fail_cut(r), false;
		if (*r->p == '"') {
			r->text = (struct slice){ from, (size_t)(r->p - from) };
			r->p++;
			return true;
		}
		n = (unsigned char)*r->p >= 0x80 ? utf8_next(r->p, (size_t)(r->end - r->p)) : 0;
		if (n <= 0)
			return read_decoded(r, from);
		r->p += n;
	}
}

static bool digits(struct json_reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	if (r->p > from)
		return true;
	return r->p == r->end ? fail_cut(r) : json_fail(r, "a digit should stand here"), false;
}

static enum json_token read_number(struct json_reader *r)
{
	const char *from = r->p;

	if (*r->p == '-')
		r->p++;
	if (r->p < r->end && *r->p == '0')
		r->p++;
	else if (!digits(r))
		return JSON_ERROR;
	if (r->p < r->end && *r->p == '.') {
		r->p++;
		if (!digits(r))
			return JSON_ERROR;
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (!digits(r))
			return JSON_ERROR;
	}
	r->text = (struct slice){ from, (size_t)(r->p - from) };
	return JSON_NUMBER;
}

static enum json_token read_word(struct json_reader *r)
{
	static const struct {
		const char *word;
		enum json_token token;
	} words[] = { { "true", JSON_TRUE }, { "false", JSON_FALSE }, { "null", JSON_NULL } };
	size_t left = (size_t)(r->end - r->p);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i].word);

		if (left >= n && !memcmp(r->p, words[i].word, n)) {
			r->p += n;
			return words[i].token;
		}
		if (left < n && !memcmp(r->p, words[i].word, left))
			return fail_cut(r);
	}
	return json_fail(r, "a value should stand here");
}

static enum json_token read_value(struct json_reader *r)
{
	enum json_token token;

	if (r->p == r->end)
		return fail_cut(r);
	if (*r->p == '{' || *r->p == '[')
		return open_level(r, *r->p == '{');
	if (*r->p == '"')
		token = read_string(r) ? JSON_STRING : JSON_ERROR;
	else if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
		token = read_number(r);
	else
		token = read_word(r);
	r->state = JSON_WANTS_COMMA;
	return token;
}

static enum json_token read_key(struct json_reader *r)
{
	if (r->p == r->end)
		return fail_cut(r);
	if (*r->p != '"')
		return json_fail(r, "a name in quotes should stand here");
	if (!read_string(r))
		return JSON_ERROR;
	skip_space(r);
	if (r->p == r->end)
		return fail_cut(r);
	if (*r->p != ':')
		return json_fail(r, "':' should stand here");
	r->p++;
	r->state = JSON_WANTS_VALUE;
	return JSON_KEY;
}

enum json_token json_next(struct json_reader *r)
{
	if (r->error)
		return JSON_ERROR;
	skip_space(r);
	if (r->state == JSON_WANTS_COMMA) {
		if (!r->depth)
			return r->p == r->end ? JSON_END : json_fail(r, "something stands behind the end");
		if (r->p == r->end || *r->p != ',')
			return close_level(r);
		r->p++;
		skip_space(r);
		r->state = in_object(r) ? JSON_WANTS_KEY : JSON_WANTS_VALUE;
	} else if (r->state == JSON_WANTS_FIRST) {
		if (r->p < r->end && *r->p == (in_object(r) ? '}' : ']'))
			return close_level(r);
		r->state = in_object(r) ? JSON_WANTS_KEY : JSON_WANTS_VALUE;
	}
	return r->state == JSON_WANTS_KEY ? read_key(r) : read_value(r);
}

bool json_skip(struct json_reader *r)
{
	unsigned depth = r->depth;

	do {
		if (json_next(r) == JSON_ERROR)
			return false;
	} while (r->depth > depth);
	return true;
}

bool json_to_u64(struct slice text, uint64_t *value)
{
	uint64_t sum = 0;

	if (!text.n)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		unsigned digit = (unsigned)(text.p[i] - '0');

		if (digit > 9 || sum > UINT64_MAX / 10 || (sum == UINT64_MAX / 10 && digit > UINT64_MAX % 10))
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

bool json_to_i64(struct slice text, int64_t *value)
{
	bool negative = text.n && text.p[0] == '-';
	uint64_t size;

	if (!json_to_u64((struct slice){ text.p + negative, text.n - negative }, &size))
		return false;
	if (size > (uint64_t)INT64_MAX + negative)
		return false;
	*value = negative ? (int64_t)(0 - size) : (int64_t)size;
	return true;
}

bool json_to_double(struct slice text, double *value)
{
	char copy[128], *end;

	if (!text.n || text.n >= sizeof(copy))
		return false;
	if (slice_is(text, "NaN"))
		return *value = NAN, true;
	if (slice_is(text, "Infinity") || slice_is(text, "-Infinity"))
		return *value = text.p[0] == '-' ? -INFINITY : INFINITY, true;
	for (size_t i = 0; i < text.n; i++) /* strtod() also takes hexadecimal, "inf", spaces */
		if (!strchr("0123456789+-.eE", text.p[i]) || !text.p[i])
			return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*value = strtod(copy, &end);
	return *end == '\0';
}
