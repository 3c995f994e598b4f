/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/http/http1_whole.h"

#include <limits.h>
#include <string.h>

#include "shim/http/http1_names.h"

uint64_t http1_whole_body(struct http1 *p, uint64_t n)
{
	if (p->state == S_UNTIL_CLOSE)
		return n;
	if (p->state != S_LENGTH)
		return 0;
	if (n > p->left)
		n = p->left;
	p->left -= n;
	if (p->left == 0)
		p->state = S_END;
	return n;
}

bool http1_whole_end(struct http1 *p)
{
	if (p->state != S_END)
		return false;
	p->state = S_IDLE;
	return true;
}

#ifdef __SSE2__

#define BLOCK 64
#define LEAST 18 /* bytes of a head, so that a vector never reaches in front of it */

struct line {
	const char *colon, *eol;
};

struct framing {
	uint64_t length;
	unsigned flags; /* F_ */
};

struct scan { /* looks for the ends of lines, a block at a time */
	const char *block, *end;
	uint64_t low; /* bytes of the block that may end a line (at most CR) and were not looked at yet */
};

static inline uint64_t low_at(const char *p, unsigned place)
{
	return (uint64_t)scan_low_mask(p + place, '\r') << place;
}

/* Bits of a block that end cuts off. */
static __attribute__((noinline)) uint64_t low_in_rest(const char *p, const char *end)
{
	uint64_t low = 0;
	unsigned place = 0, n = (unsigned)(end - p);

	for (; n - place >= 16; place += 16)
		low |= low_at(p, place);
	if (n > place)
		low |= (uint64_t)(scan_low_mask(end - 16, '\r') >> (16 - (n - place))) << place;
	return low;
}

static inline __attribute__((always_inline)) uint64_t low_in_block(const char *p, const char *end)
{
	if (__builtin_expect(end - p < BLOCK, 0))
		return low_in_rest(p, end);
	return low_at(p, 0) | low_at(p, 16) | low_at(p, 32) | low_at(p, 48);
}

/* The CR that ends the line at cur with its LF; NULL: it is cut off, or odd. */
static inline __attribute__((always_inline)) const char *next_eol(struct scan *s, const char *cur)
{
	const char *eol;

	while (!s->low) {
		s->block += BLOCK;
		if (s->block >= s->end)
			return NULL;
		s->low = low_in_block(s->block, s->end);
		if (cur > s->block)
			s->low &= ~UINT64_C(1); /* the LF whose CR ended the block before */
	}
	eol = s->block + __builtin_ctzll(s->low);
	s->low &= s->low - 1;
	s->low &= s->low - 1; /* the LF: the next one, or there is none */
	return memcmp(eol, "\r\n", 2) == 0 ? eol : NULL;
}

static inline const char *first_colon(const char *cur, const char *eol, const char *end)
{
	unsigned hit = end - cur >= 16 ? scan_mask(cur, ':') : 0;
	const char *colon = hit ? cur + __builtin_ctz(hit) : scan_byte(cur, eol, ':');

	return colon && colon < eol ? colon : NULL;
}

/* ": " and digits, not many. */
static inline bool plain_length(struct framing *f, const struct line *line)
{
	const char *p = line->colon + 2;
	uint64_t length = 0;

	if (f->flags & F_LENGTH || line->colon[1] != ' ' || line->eol == p || line->eol - p > 15)
		return false;
	for (; p < line->eol; p++) {
		unsigned digit = (unsigned)(uint8_t)*p - '0';

		if (digit > 9)
			return false;
		length = length * 10 + digit;
	}
	f->length = length;
	f->flags |= F_LENGTH;
	return true;
}

static inline bool is_value(const struct line *line, const char *value, size_t n)
{
	return (size_t)(line->eol - line->colon) == n && memcmp(line->colon, value, n) == 0;
}

static inline bool plain_framing(struct framing *f, unsigned kind, const struct line *line)
{
	switch (kind) {
	case KIND_LENGTH: return plain_length(f, line);
	case KIND_CONNECTION:
		if (is_keep_alive(line->colon, line->eol))
			f->flags |= F_KEEP_ALIVE;
		else if (is_value(line, ": close", 7))
			f->flags |= F_CLOSE;
		else
			return false;
		return true;
	case KIND_CODING:
		if (f->flags & F_CODING || !is_value(line, ": chunked", 9))
			return false;
		f->flags |= F_CODING | F_CHUNKED;
		return true;
	default: return false;
	}
}

static inline bool add_field(struct http1_whole *out, unsigned id, const struct line *line)
{
	struct http1_text *t = &out->field[out->fields];
	const char *v, *stop;

	if (out->fields == HTTP1_WHOLE_FIELDS)
		return false;
	trim(line->colon, line->eol, &v, &stop);
	*t = (struct http1_text){ v, (uint32_t)(stop - v), id };
	out->fields++;
	out->seen |= 1u << id;
	return true;
}

#define NONE UINT_MAX

/*
 * The names that nearly every head has, by their letters alone: an id and where its colon
 * is, NONE if it is of no interest, 0 if that is to be found out. 16 bytes are in sight, and
 * the line's end is known, so that no CR is taken for a '-'.
 */
static inline __attribute__((always_inline)) unsigned usual(const char *cur, const char **colon)
{
	uint64_t w = load8(cur) | 0x2020202020202020u;

	if ((uint32_t)w == load4("host") && cur[4] == ':') {
		*colon = cur + 4;
		return HTTP1_FIELD_HOST;
	}
	if (w == load8("user-age") && same4(cur + 6, "gent") && cur[10] == ':') {
		*colon = cur + 10;
		return HTTP1_FIELD_USER_AGENT;
	}
	if (w == load8("connecti") && same4(cur + 6, "tion") && cur[10] == ':') {
		*colon = cur + 10;
		return KIND_CONNECTION;
	}
	if (w == load8("content-")) {
		if (!same8(cur + 6, "t-length"))
			return NONE;
		*colon = cur + 14;
		return cur[14] == ':' ? KIND_LENGTH : 0;
	}
	return w == load8("cache-co") ? NONE : 0;
}

/*
 * Clients may not agree with servers, or servers with each other, on what a line without
 * a colon is; it matters where the body begins and ends, see misleading().
 */
static bool all_have_colons(const char *cur, const char *end)
{
	const char *eol;

	for (; *cur != '\r'; cur = eol + 2) {
		eol = scan_byte(cur, end, '\r');
		if (!eol || !memchr(cur, ':', (size_t)(eol - cur)))
			return false;
	}
	return true;
}

/* The field lines from cur on; behind the empty line, or NULL. out: NULL in a response. */
static inline __attribute__((always_inline)) const char *whole_lines(uint32_t wanted, const char *cur,
								     const char *end, struct http1_whole *out,
								     struct framing *f)
{
	struct scan s = { cur, end - 1, low_in_block(cur, end - 1) }; /* a CR there has no LF yet */
	struct line line;
	unsigned first, id;

	for (;; cur = line.eol + 2) {
		line.eol = next_eol(&s, cur);
		if (__builtin_expect(!line.eol, 0))
			return NULL;
		first = (out ? first_bytes : first_of_framing)[(uint8_t)*cur];
		if (first == LINE_SKIP)
			continue;
		if (first > LINE_KNOWN)
			return first == LINE_CR ? cur + 2 : NULL;
		id = end - cur >= 16 ? usual(cur, &line.colon) : 0;
		if (id == NONE)
			continue;
		if (!id) {
			line.colon = first_colon(cur, line.eol, end);
			if (!line.colon)
				return NULL;
			id = out ? known(cur, (size_t)(line.colon - cur))
				 : known_framing(cur, (size_t)(line.colon - cur));
		}
		if (id >= KIND_LENGTH) {
			if (!plain_framing(f, id, &line))
				return NULL;
		} else if (id && wanted >> id & 1) {
			if (!add_field(out, id, &line))
				return NULL;
		} else if (line.colon > cur && is_blank(line.colon[-1])) {
			return NULL;
		}
	}
}

/* Both: whoever reads it, it is no plain message. */
static inline bool is_plain(const struct framing *f)
{
	return (f->flags & (F_LENGTH | F_CODING)) != (F_LENGTH | F_CODING);
}

static inline void frame(struct http1 *p, enum http1_framing framing, unsigned state)
{
	p->framing = (uint8_t)framing;
	p->state = (uint8_t)state;
}

/* As http1_framing_decide() has it for what is_plain(). bare: no field says where it ends. */
static inline void begin(struct http1 *p, const struct framing *f, unsigned version, size_t head_bytes)
{
	memset(p, 0, offsetof(struct http1, role));
	p->version = (uint8_t)version;
	p->head_bytes = (uint32_t)head_bytes;
	p->flags = (uint8_t)f->flags;
	p->keep_alive = !(f->flags & F_CLOSE) && (version >= 0x11 || f->flags & F_KEEP_ALIVE);
	p->started = true;
	p->content_length = f->length;
	if (f->flags & F_CODING) {
		frame(p, HTTP1_CHUNKED, S_CHUNK_SIZE);
	} else {
		p->left = f->length;
		frame(p, f->flags & F_LENGTH ? HTTP1_LENGTH : HTTP1_NO_BODY, f->length ? S_LENGTH : S_END);
	}
}

/* "METHOD /target HTTP/1.x\r\n"; behind it, or NULL. */
static inline const char *request_line(const char *in, const char *end, struct http1_whole *out,
				       unsigned *version)
{
	const char *cur = in, *target;

	if (load4(in) == load4("GET "))
		cur += 3;
	else
		while (cur - in <= HTTP1_METHOD_MAX && cur < end && http1_is_tchar((unsigned char)*cur))
			cur++;
	if (cur == in || cur - in > HTTP1_METHOD_MAX || end - cur < 2 || cur[0] != ' ' || cur[1] != '/')
		return NULL;
	out->method = (struct http1_text){ in, (uint32_t)(cur - in), 0 };
	target = cur + 1;
	cur = scan_low(target, end, 0x20);
	if (!cur || end - cur < 11 || load8(cur) != load8(" HTTP/1.") || memcmp(cur + 9, "\r\n", 2) != 0 ||
	    (cur[8] != '1' && cur[8] != '0'))
		return NULL;
	out->target = (struct http1_text){ target, (uint32_t)(cur - target), 0 };
	*version = cur[8] == '1' ? 0x11 : 0x10;
	return cur + 11;
}

size_t http1_whole_request(struct http1 *p, uint32_t wanted, const char *in, const char *end,
			   struct http1_whole *out)
{
	struct framing f = { 0, 0 };
	unsigned version;
	const char *lines, *cur;

	if (end - in > (ptrdiff_t)HTTP1_HEAD_LIMIT)
		end = in + HTTP1_HEAD_LIMIT;
	if (end - in < LEAST || !(lines = request_line(in, end, out, &version)) || lines == end)
		return 0;
	out->fields = 0;
	out->seen = 0;
	cur = whole_lines(wanted, lines, end, out, &f);
	if (!cur || !is_plain(&f) || (f.flags & (F_LENGTH | F_CODING) && !all_have_colons(lines, cur)))
		return 0;
	begin(p, &f, version, (size_t)(cur - in));
	return (size_t)(cur - in);
}

/* "HTTP/1.x NNN" and a reason phrase or none; behind it, or NULL. */
static inline const char *status_line(const char *in, const char *end, unsigned *version, unsigned *status)
{
	unsigned a = (unsigned)(uint8_t)in[9] - '0', b = (unsigned)(uint8_t)in[10] - '0',
		 c = (unsigned)(uint8_t)in[11] - '0';
	const char *eol = scan_low(in + 12, end, '\r');

	if ((load8(in) != load8("HTTP/1.1") && load8(in) != load8("HTTP/1.0")) || in[8] != ' ' ||
	    (in[12] != ' ' && in[12] != '\r'))
		return NULL;
	if (a > 9 || b > 9 || c > 9 || a < 2 || !eol || end - eol < 2 || memcmp(eol, "\r\n", 2) != 0)
		return NULL;
	*version = in[7] == '1' ? 0x11 : 0x10;
	*status = a * 100 + b * 10 + c;
	return eol + 2;
}

size_t http1_whole_response(struct http1 *p, enum http1_answer answer, const char *in, const char *end)
{
	struct framing f = { 0, 0 };
	unsigned version, status;
	const char *cur;

	if (answer == HTTP1_ANSWER_CONNECT)
		return 0;
	if (end - in > (ptrdiff_t)HTTP1_HEAD_LIMIT)
		end = in + HTTP1_HEAD_LIMIT;
	if (end - in < LEAST || !(cur = status_line(in, end, &version, &status)) || cur == end)
		return 0;
	cur = whole_lines(0, cur, end, NULL, &f);
	if (!cur || !is_plain(&f))
		return 0;
	begin(p, &f, version, (size_t)(cur - in));
	p->status = (uint16_t)status;
	p->answer = (uint8_t)answer;
	if (answer == HTTP1_ANSWER_HEAD || status == 204 || status == 304) {
		p->left = 0;
		frame(p, HTTP1_NO_BODY, S_END);
	} else if (!(f.flags & (F_CODING | F_LENGTH))) {
		p->keep_alive = false;
		frame(p, HTTP1_UNTIL_CLOSE, S_UNTIL_CLOSE);
	}
	return (size_t)(cur - in);
}

#else

size_t http1_whole_request(struct http1 *p, uint32_t wanted, const char *in, const char *end,
			   struct http1_whole *out)
{
	(void)p, (void)wanted, (void)in, (void)end, (void)out;
	return 0;
}

size_t http1_whole_response(struct http1 *p, enum http1_answer answer, const char *in, const char *end)
{
	(void)p, (void)answer, (void)in, (void)end;
	return 0;
}

#endif
