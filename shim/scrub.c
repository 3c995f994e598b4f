/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */
#include "shim/scrub.h"

#include <string.h>

enum state {
	START, /* the first byte says which form it is: RFC 9112 3.2 */
	AUTHORITY_START,
	SCHEME,
	AUTHORITY,
	PATH,
	PATH_KEY,
	PATH_SECRET,
	QUERY_KEY,
	QUERY_VALUE,
	QUERY_SECRET,
	FRAGMENT,
};

#define JSESSIONID UINT64_C(0xd0adad9c1fa43f02)

/* X-Amz-Signature, X-Amz-Credential, X-Amz-Security-Token, AWSAccessKeyId, Signature, sig, X-Goog-Signature
 */
static const uint64_t conventional[] = {
	UINT64_C(0xfe3dff0899596a51), UINT64_C(0x3896d6e342184e1c), UINT64_C(0xadd14683b216964b),
	UINT64_C(0xa7aa96f9afc79462), UINT64_C(0x40b681bf786cb82d), UINT64_C(0x824898195cecb562),
	UINT64_C(0xdae4d0ba89507c4d),
};

struct scrub_keys scrub_keys(const struct policy *policy)
{
	uint32_t n;

	if (!policy)
		return (struct scrub_keys){ conventional, sizeof(conventional) / sizeof(*conventional) };
	n = policy->n_redacted;
	return (struct scrub_keys){ policy->redacted, n < POLICY_REDACTED_MAX ? n : POLICY_REDACTED_MAX };
}

void scrub_begin(struct scrub *s, bool authority)
{
	*s = (struct scrub){ .state = authority ? AUTHORITY_START : START };
}

static void begin_key(struct scrub *s, enum state state)
{
	s->state = (uint8_t)state;
	s->hash = s->folded = policy_key_hash(NULL, 0);
	s->escaped = 0;
}

static void key_byte(struct scrub *s, uint8_t c)
{
	s->hash = policy_key_add(s->hash, c);
	s->folded = policy_key_add(s->folded, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What looked like an escape and was none. */
static void flush_escape(struct scrub *s)
{
	for (uint8_t i = 0; i < s->escaped; i++)
		key_byte(s, s->escape[i]);
	s->escaped = 0;
}

/* A byte of a key, whose escapes may be cut between two pieces. */
static void key_add(struct scrub *s, uint8_t c)
{
	if (s->escaped == 2 && hex_digit(c) >= 0) {
		s->escaped = 0;
		key_byte(s, (uint8_t)(hex_digit(s->escape[1]) << 4 | hex_digit(c)));
		return;
	}
	if (s->escaped == 1 && hex_digit(c) >= 0) {
		s->escape[s->escaped++] = c;
		return;
	}
	flush_escape(s);
	if (c == '%')
		s->escape[s->escaped++] = c;
	else
		key_byte(s, c);
}

static bool is_secret(struct scrub *s, struct scrub_keys keys)
{
	flush_escape(s);
	for (uint32_t i = 0; i < keys.n; i++)
		if (keys.hash[i] == s->hash)
			return true;
	return s->state == PATH_KEY && s->folded == JSESSIONID;
}

/* A byte that ends what it stands in, or 0. */
static uint8_t delimiter(uint8_t state, uint8_t c)
{
	switch (c) {
	case '#': return FRAGMENT;
	case '?': return state <= PATH_SECRET ? QUERY_KEY : 0;
	case '&': return state > PATH_SECRET ? QUERY_KEY : 0;
	case ';':
		if (state == QUERY_KEY || state == QUERY_VALUE)
			return QUERY_KEY;
		return state <= PATH_SECRET ? PATH_KEY : 0;
	case '/': return state == PATH_KEY || state == PATH_SECRET ? PATH : 0;
	default: return 0;
	}
}

/* One byte that is recorded as it is. False: REDACTED comes behind it. */
static bool step(struct scrub *s, struct scrub_keys keys, uint8_t c)
{
	uint8_t next = delimiter(s->state, c);

	if (next == PATH_KEY || next == QUERY_KEY) {
		begin_key(s, (enum state)next);
	} else if (next) {
		s->state = next;
	} else if (s->state == SCHEME) {
		s->seen = c == (uint8_t) "://"[s->seen] ? (uint8_t)(s->seen + 1) : c == ':';
		if (s->seen == 3)
			s->state = AUTHORITY;
		else if (c == '/' && !s->seen)
			s->state = PATH;
	} else if (s->state == PATH_KEY || s->state == QUERY_KEY) {
		if (c != '=') {
			key_add(s, c);
			return true;
		}
		s->mark = is_secret(s, keys);
		if (s->state == PATH_KEY)
			s->state = s->mark ? PATH_SECRET : PATH;
		else
			s->state = s->mark ? QUERY_SECRET : QUERY_VALUE;
	}
	return !s->mark;
}

/* Without what is in front of its last @, which may have gone out with an earlier piece. */
static bool authority_next(struct scrub *s, const char **in, const char *end, struct scrub_piece *out)
{
	static const char mark[] = "REDACTED:REDACTED@";
	const char *p = *in, *at;

	while (p < end && *p != '/' && *p != '?' && *p != '#')
		p++;
	at = p > *in ? memrchr(*in, '@', (size_t)(p - *in)) : NULL;
	if (at) {
		*out = (struct scrub_piece){ mark, sizeof(mark) - 1, s->authority };
		s->authority = sizeof(mark) - 1;
		*in = at + 1;
		return true;
	}
	*out = (struct scrub_piece){ *in, (size_t)(p - *in), 0 };
	s->authority = (uint16_t)(s->authority + out->n);
	*in = p;
	if (p < end)
		s->state = PATH;
	return out->n > 0;
}

/* The end of what is not recorded. */
static const char *skip_secret(const struct scrub *s, const char *in, const char *end)
{
	while (in < end && !delimiter(s->state, (uint8_t)in[0]))
		in++;
	return in;
}

/* Most of a target is passed here: paths, values, and keys as they are written as a rule. */
static const char *pass_plain(struct scrub *s, const char *in, const char *end)
{
	uint64_t hash = s->hash;

	if (s->state == PATH)
		in = scan_three(in, end, ';', '?', '#');
	if (s->state == QUERY_VALUE)
		in = scan_three(in, end, '&', ';', '#');
	if (s->state != QUERY_KEY || s->escaped)
		return in;
	for (; in < end && *in != '=' && *in != '&' && *in != ';' && *in != '#' && *in != '%'; in++)
		hash = policy_key_add(hash, (uint8_t)in[0]);
	s->hash = hash; /* the folded one is of path parameters alone */
	return in;
}

/* The end of what is recorded as it is. */
static const char *pass(struct scrub *s, struct scrub_keys keys, const char *in, const char *end)
{
	while ((in = pass_plain(s, in, end)) < end && s->state != AUTHORITY) {
		if (*in == '#') {
			s->state = FRAGMENT;
			return in;
		}
		if (!step(s, keys, (uint8_t)*in++))
			return in;
	}
	return in;
}

bool scrub_next(struct scrub *s, struct scrub_keys keys, const char **in, const char *end,
		struct scrub_piece *out)
{
	const char *begin;

	if (s->mark) {
		s->mark = false;
		*out = (struct scrub_piece){ "REDACTED", 8, 0 };
		return true;
	}
	if (*in < end && s->state <= AUTHORITY_START)
		s->state = s->state == AUTHORITY_START ? AUTHORITY : **in == '/' ? PATH : SCHEME;
	if (s->state == AUTHORITY && authority_next(s, in, end, out))
		return true;
	if (s->state == PATH_SECRET || s->state == QUERY_SECRET)
		*in = skip_secret(s, *in, end);
	begin = *in;
	if (s->state != FRAGMENT)
		*in = pass(s, keys, begin, end);
	*out = (struct scrub_piece){ begin, (size_t)(*in - begin), 0 };
	if (s->state == FRAGMENT)
		*in = end;
	return out->n > 0;
}
