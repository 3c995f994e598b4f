/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/front.h"

#include <string.h>

/* c->front: so many bytes of a signature have come and nothing else */
#define FRONT_V2 0x80u

static const char v1[] = "PROXY ", v2[] = "\r\n\r\n\0\r\nQUIT\n";

static bool begin_proxy(struct conn *c, const struct front_held *seen)
{
	const char *p = seen->p;
	struct conn_proxy *proxy;

	c->proxy = pool_take(&proxy_pool);
	if (!c->proxy)
		return false;
	proxy = pool_at(&proxy_pool, c->proxy);
	proxy->done = false;
	proxy_init(&proxy->header);
	if (seen->n)
		proxy_next(&proxy->header, &p, seen->p + seen->n);
	return true;
}

/* Is it a PROXY header? Without a word as long as it may be, and nothing else was there. */
static bool decide_front(struct conn *c, const char **in, const char *end, struct front_held *held)
{
	size_t have = c->front & ~FRONT_V2, n = (size_t)(end - *in), size, more;
	const char *signature;

	if (!n)
		return true;
	signature = have ? (c->front & FRONT_V2 ? v2 : v1) : **in == '\r' ? v2 : v1;
	size = (signature == v2 ? sizeof(v2) : sizeof(v1)) - 1;
	more = n < size - have ? n : size - have;
	*held = (struct front_held){ signature, have };
	if (memcmp(*in, signature + have, more) != 0) {
		c->front = FRONT_DECIDED;
		return true;
	}
	if (have + more < size &&
	    c->role != CONN_SERVER) { /* looks ahead and cannot wait; writes it at once */
		c->front = FRONT_DECIDED;
		return true;
	}
	if (have + more < size) {
		c->front = (uint8_t)((have + more) | (signature == v2 ? FRONT_V2 : 0));
		held->n = 0;
		*in = end;
		return true;
	}
	c->front = FRONT_DECIDED;
	if (!begin_proxy(c, held))
		return false;
	held->n = 0;
	return true;
}

bool front_pass(struct conn *c, const char **in, const char *end, struct front_held *held)
{
	struct conn_proxy *proxy;

	held->n = 0;
	if (c->front != FRONT_DECIDED && !decide_front(c, in, end, held))
		return false;
	proxy = c->proxy ? pool_at(&proxy_pool, c->proxy) : NULL;
	if (!proxy || proxy->done)
		return true;
	switch (proxy_next(&proxy->header, in, end)) {
	case PROXY_DONE: proxy->done = true; return true;
	case PROXY_MORE: return true;
	default: return false;
	}
}
