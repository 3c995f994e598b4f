/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/http/http1_parts.h"
#include "shim/http/scan.h"

/* The words of list fields. Bit i of p->words: the element may still become words[i]. */
enum { W_CLOSE, W_KEEP_ALIVE, W_UPGRADE, W_CHUNKED, W_IDENTITY, W_CONTINUE, W_COUNT };
#define W_BLANK 0x80 /* white space behind the element: only a comma may follow */

static const struct {
	char text[13];
	uint8_t len;
} words[W_COUNT] = {
	[W_CLOSE] = { "close", 5 },       [W_KEEP_ALIVE] = { "keep-alive", 10 },
	[W_UPGRADE] = { "upgrade", 7 },   [W_CHUNKED] = { "chunked", 7 },
	[W_IDENTITY] = { "identity", 8 }, [W_CONTINUE] = { "100-continue", 12 },
};

/* p->token_len while a Content-Length is read */
enum { L_EMPTY, L_DIGITS, L_BLANK };

static void list_reset(struct http1 *p)
{
	static const uint8_t possible[] = {
		[KIND_CODING - KIND_LENGTH] = 1 << W_CHUNKED | 1 << W_IDENTITY,
		[KIND_CONNECTION - KIND_LENGTH] = 1 << W_CLOSE | 1 << W_KEEP_ALIVE | 1 << W_UPGRADE,
		[KIND_EXPECT - KIND_LENGTH] = 1 << W_CONTINUE,
	};

	p->token_len = 0;
	p->words = possible[p->kind - KIND_LENGTH];
}

void http1_framing_begin(struct http1 *p)
{
	if (p->kind == KIND_LENGTH) {
		p->left = 0;
		p->token_len = L_EMPTY;
	} else {
		list_reset(p);
	}
}

void http1_framing_bad_name(struct http1 *p)
{
	if (p->role == HTTP1_REQUEST && (p->kind == KIND_LENGTH || p->kind == KIND_CODING))
		p->error = p->kind == KIND_LENGTH ? HTTP1_BAD_LENGTH : HTTP1_BAD_CODING;
}

/* One element of the list is complete. RFC 9110 8.6: the same value several times is that value. */
static void length_element(struct http1 *p)
{
	if (p->token_len == L_EMPTY || ((p->flags & F_LENGTH) && p->content_length != p->left))
		p->flags |= F_LENGTH_BAD;
	p->content_length = p->left;
	p->flags |= F_LENGTH;
	p->left = 0;
	p->token_len = L_EMPTY;
}

static void length_feed(struct http1 *p, const char *v, size_t n)
{
	unsigned digit;

	for (size_t i = 0; i < n; i++) {
		digit = (unsigned char)v[i] - '0';
		if (digit <= 9 && p->token_len != L_BLANK) {
			p->token_len = L_DIGITS;
			if (p->left > (UINT64_MAX - digit) / 10)
				p->flags |= F_LENGTH_BAD;
			p->left = p->left * 10 + digit;
		} else if (v[i] == ',') {
			length_element(p);
		} else if (is_blank(v[i])) {
			if (p->token_len == L_DIGITS)
				p->token_len = L_BLANK;
		} else {
			p->flags |= F_LENGTH_BAD;
		}
	}
}

static void coding_element(struct http1 *p, int word)
{
	/* RFC 2616 3.6 had "identity" for no coding at all, and old servers still send it with a
	 * Content-Length; clients pass over it. In a request 9112 6.3 wants it refused. */
	if (word == W_IDENTITY && p->role == HTTP1_RESPONSE)
		return;
	p->flags |= F_CODING;
	if (word == W_CHUNKED)
		p->flags |= F_CHUNKED;
	else
		p->flags &= (uint8_t)~F_CHUNKED;
}

/* Empty elements do not count (RFC 9110 5.6.1.2). */
static void list_element(struct http1 *p)
{
	int word = -1;

	if (p->token_len == 0)
		return;
	for (int i = 0; i < W_COUNT; i++)
		if ((p->words >> i & 1) && words[i].len == p->token_len)
			word = i;
	if (p->kind == KIND_CODING)
		coding_element(p, word);
	else if (word == W_CLOSE)
		p->flags |= F_CLOSE;
	else if (word == W_KEEP_ALIVE)
		p->flags |= F_KEEP_ALIVE;
	else if (word == W_UPGRADE)
		p->upgrade = true;
	else if (word == W_CONTINUE)
		p->expect_continue = true;
}

static void list_char(struct http1 *p, char c)
{
	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	if (p->words & W_BLANK)
		p->words = 0; /* "chunked x" is not chunked */
	for (int i = 0; i < W_COUNT; i++)
		if (p->token_len >= words[i].len || words[i].text[p->token_len] != c)
			p->words &= (uint8_t) ~(1u << i);
	if (p->token_len < UINT8_MAX)
		p->token_len++;
}

static void list_feed(struct http1 *p, const char *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == ',') {
			list_element(p);
			list_reset(p);
		} else if (!is_blank(v[i])) {
			list_char(p, v[i]);
		} else if (p->token_len) {
			p->words |= W_BLANK;
		}
	}
}

void http1_framing_feed(struct http1 *p, const char *v, size_t n)
{
	if (p->kind == KIND_LENGTH)
		length_feed(p, v, n);
	else
		list_feed(p, v, n);
}

void http1_framing_end(struct http1 *p)
{
	if (p->kind == KIND_LENGTH)
		length_element(p);
	else
		list_element(p);
	/* An empty Transfer-Encoding names no coding that could be undone: in a request it is
	 * as faulty as an unknown one. */
	if (p->kind == KIND_CODING && p->role == HTTP1_REQUEST)
		p->flags |= F_CODING;
	p->kind = KIND_NONE;
}

/* What nearly all send, to the letter. */
static bool plain_value(struct http1 *p, const char *v, size_t n)
{
	if (p->kind == KIND_CODING && n == 7 && memcmp(v, "chunked", 7) == 0)
		p->flags |= F_CODING | F_CHUNKED;
	else if (p->kind == KIND_CONNECTION && n == 10 && memcmp(v, "keep-alive", 10) == 0)
		p->flags |= F_KEEP_ALIVE;
	else if (p->kind == KIND_CONNECTION && n == 5 && memcmp(v, "close", 5) == 0)
		p->flags |= F_CLOSE;
	else
		return false;
	p->kind = KIND_NONE;
	return true;
}

void http1_framing_value(struct http1 *p, const char *v, size_t n)
{
	if (plain_value(p, v, n))
		return;
	http1_framing_begin(p);
	http1_framing_feed(p, v, n);
	http1_framing_end(p);
}

static void frame(struct http1 *p, enum http1_framing framing, unsigned state)
{
	p->framing = (uint8_t)framing;
	p->state = (uint8_t)state;
}

static void fail(struct http1 *p, enum http1_error error)
{
	p->error = (uint8_t)error;
	p->keep_alive = false;
	frame(p, HTTP1_NO_BODY, S_BREAK);
}

/* RFC 9112 6.3, rules 1 and 2. */
static bool bodiless(struct http1 *p)
{
	if (p->status == 101 || (p->answer == HTTP1_ANSWER_CONNECT && p->status / 100 == 2)) {
		frame(p, HTTP1_NO_BODY, S_END_SWITCH);
		return true;
	}
	if (p->answer == HTTP1_ANSWER_HEAD || p->status < 200 || p->status == 204 || p->status == 304) {
		frame(p, HTTP1_NO_BODY, S_END);
		return true;
	}
	return false;
}

static void no_coding(struct http1 *p)
{
	if (p->flags & F_LENGTH_BAD) {
		fail(p, HTTP1_BAD_LENGTH);
	} else if (p->flags & F_LENGTH) {
		p->left = p->content_length;
		frame(p, HTTP1_LENGTH, p->left ? S_LENGTH : S_END);
	} else if (p->role == HTTP1_RESPONSE) {
		p->keep_alive = false;
		frame(p, HTTP1_UNTIL_CLOSE, S_UNTIL_CLOSE);
	} else {
		frame(p, HTTP1_NO_BODY, S_END);
	}
}

/* 6.1: in HTTP/1.0 a Transfer-Encoding makes the framing faulty. Servers read chunks all the
 * same, so we do; but with a Content-Length some (Go's) read that instead: nobody knows. */
static bool ambiguous(const struct http1 *p)
{
	return p->role == HTTP1_REQUEST && p->version < 0x11 && (p->flags & F_CODING) &&
	       (p->flags & F_LENGTH);
}

/*
 * What a request says must not depend on who reads it. Python's servers take a bare CR for
 * a line's end (2.2 wants it refused), and a line without a colon for the end of the head;
 * nginx passes over the latter: it matters if the framing could be behind it.
 */
static bool misleading(const struct http1 *p)
{
	return p->role == HTTP1_REQUEST &&
	       (p->sub & HEAD_CR || (p->sub & HEAD_NO_COLON && p->flags & (F_LENGTH | F_CODING)));
}

/* RFC 9112 6.3 in its order. */
static void body(struct http1 *p)
{
	if (p->error) {
		fail(p, (enum http1_error)p->error);
	} else if (misleading(p)) {
		fail(p, HTTP1_BAD_HEAD);
	} else if (ambiguous(p)) {
		fail(p, HTTP1_BAD_CODING);
	} else if (p->flags & F_CHUNKED) {
		frame(p, HTTP1_CHUNKED, S_CHUNK_SIZE);
	} else if (!(p->flags & F_CODING)) {
		no_coding(p);
	} else if (p->role == HTTP1_REQUEST) {
		fail(p, HTTP1_BAD_CODING);
	} else {
		p->keep_alive = false;
		frame(p, HTTP1_UNTIL_CLOSE, S_UNTIL_CLOSE);
	}
}

/*
 * RFC 9112 9.3 for keep_alive, and no more than that: where 6.1 demands a close (both
 * framing fields, or a coding in HTTP/1.0) servers differ, and what comes behind a wrong
 * "close" would be lost.
 */
enum http1_event http1_framing_decide(struct http1 *p)
{
	p->keep_alive = !(p->flags & F_CLOSE) && (p->version >= 0x11 || (p->flags & F_KEEP_ALIVE));
	p->over_limit = p->head_bytes > HTTP1_HEAD_LIMIT;
	p->left = 0;
	p->token_len = 0;
	if (p->role == HTTP1_REQUEST || !bodiless(p))
		body(p);
	return HTTP1_HEAD_END;
}
