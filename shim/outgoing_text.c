/* SPDX-License-Identifier: Apache-2.0 */
/* The header lines that are written into an outgoing request. */
#include <string.h>

#include "shim/http/tracectx.h"
#include "shim/outgoing.h"
#include "shim/record.h"

struct text {
	char *p;
	size_t n;
};

static void put(struct text *t, const char *p, size_t n)
{
	if (n > REWRITE_TEXT - t->n)
		return; /* cannot be: all formats together take less than half of it */
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

static void put_text(struct text *t, const char *p) { put(t, p, strlen(p)); }

static void put_hex(struct text *t, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		char two[2] = { digit[p[i] >> 4], digit[p[i] & 15] };

		put(t, two, 2);
	}
}

static void put_w3c(struct text *t, const struct outgoing_context *c)
{
	char value[TRACECTX_TRACEPARENT_BYTES];

	tracectx_write_traceparent(value, c->trace_id, c->span_id, (uint8_t)(c->sampled | c->random << 1));
	put_text(t, "traceparent: ");
	put(t, value, sizeof(value));
	put_text(t, "\r\n");
}

static void put_b3(struct text *t, const struct outgoing_context *c)
{
	put_text(t, "b3: ");
	put_hex(t, c->trace_id, 16);
	put_text(t, "-");
	put_hex(t, c->span_id, 8);
	put_text(t, c->debug ? "-d\r\n" : c->sampled ? "-1\r\n" : "-0\r\n");
}

static void put_b3_multi(struct text *t, const struct outgoing_context *c)
{
	put_text(t, "X-B3-TraceId: ");
	put_hex(t, c->trace_id, 16);
	put_text(t, "\r\nX-B3-SpanId: ");
	put_hex(t, c->span_id, 8);
	put_text(t, c->debug     ? "\r\nX-B3-Flags: 1\r\n"
		    : c->sampled ? "\r\nX-B3-Sampled: 1\r\n"
				 : "\r\nX-B3-Sampled: 0\r\n");
}

static void put_jaeger(struct text *t, const struct outgoing_context *c)
{
	put_text(t, "uber-trace-id: ");
	put_hex(t, c->trace_id, 16);
	put_text(t, ":");
	put_hex(t, c->span_id, 8);
	put_text(t, c->debug ? ":0:3\r\n" : c->sampled ? ":0:1\r\n" : ":0:0\r\n");
}

static void put_list(struct text *t, const char *name, const char *list, size_t n)
{
	if (!n)
		return;
	put_text(t, name);
	put(t, list, n);
	put_text(t, "\r\n");
}

/* text[*at..end): does the pattern (* stands for any text) match all of the host? Letter case is equal. */
static bool matches(const char *pattern, size_t n, const uint8_t *host, size_t host_n)
{
	size_t p = 0, h = 0, star = SIZE_MAX, resume = 0;

	while (h < host_n) {
		uint8_t a = p < n ? (uint8_t)pattern[p] : 0, b = host[h];

		if (a == '*') {
			star = p++;
			resume = h;
		} else if (p < n &&
			   (a == b || ((a | 0x20) == (b | 0x20) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z'))) {
			p++;
			h++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			h = ++resume;
		} else {
			return false;
		}
	}
	while (p < n && pattern[p] == '*')
		p++;
	return p == n;
}

static size_t without_port(const uint8_t *host, size_t n)
{
	for (size_t i = n; i > 0; i--) {
		if (host[i - 1] == ':')
			return i - 1;
		if (host[i - 1] < '0' || host[i - 1] > '9')
			break;
	}
	return n;
}

/* The lists are "+pattern" and "-pattern", NUL between. */
static bool host_allowed(const struct policy *policy, const struct span_slot *slot)
{
	size_t bytes = policy->inject_hosts_bytes, pos = 0, n = 0, host_n = 0;
	const uint8_t *host = (const uint8_t *)"", *value;
	enum span_tag tag;
	bool allowed = true, denied = false, listed = false;

	if (bytes > POLICY_INJECT_HOSTS)
		return false;
	while (bytes && span_next_string(slot, &pos, &tag, &value, &n))
		if (tag == TAG_HOST && !host_n) {
			host = value;
			host_n = without_port(value, n);
		}
	for (size_t at = 0; at < bytes;) {
		const char *pattern = policy->inject_hosts + at;
		size_t length = strnlen(pattern, bytes - at);
		bool match = length && matches(pattern + 1, length - 1, host, host_n);

		if (length && *pattern == '-') {
			denied |= match;
		} else if (length) {
			allowed = (listed && allowed) || match;
			listed = true;
		}
		at += length + 1;
	}
	return allowed && !denied;
}

void outgoing_context(struct conn *c, const struct policy *policy, const struct span_slot *slot,
		      const struct outgoing_context *context)
{
	struct conn_rewrite *rw = c->rewrite ? pool_at(&rewrite_pool, c->rewrite) : NULL;
	const struct serving_carried *carried = context->carried;
	struct text t = { rw ? rw->memory.text : NULL, 0 };

	if (!rw || !(policy->flags & POLICY_FLAG_INJECT) || !host_allowed(policy, slot))
		return;
	for (size_t i = 0; i < sizeof(policy->propagators); i++)
		switch (policy->propagators[i]) {
		/* a list that the program sends itself goes by */
		case POLICY_PROPAGATOR_TRACECONTEXT:
			put_w3c(&t, context);
			if (carried && !record_has(slot, TAG_TRACESTATE))
				put_list(&t, "tracestate: ", carried->tracestate, carried->tracestate_bytes);
			break;
		case POLICY_PROPAGATOR_BAGGAGE:
			if (carried && !record_has(slot, TAG_BAGGAGE))
				put_list(&t, "baggage: ", carried->baggage, carried->baggage_bytes);
			break;
		case POLICY_PROPAGATOR_B3: put_b3(&t, context); break;
		case POLICY_PROPAGATOR_B3MULTI: put_b3_multi(&t, context); break;
		case POLICY_PROPAGATOR_JAEGER: put_jaeger(&t, context); break;
		default: break;
		}
	rw->run.text = (uint16_t)t.n;
	if (t.n)
		ledger_count(LEDGER_INJECTED);
}
