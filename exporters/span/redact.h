/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REDACT_H
#define BTRACE_REDACT_H

/*
 * Secrets out of URLs (semantic conventions, url.query and url.full). A key of
 * the list keeps its name and loses its value: sig=abc -> sig=REDACTED. Keys
 * are compared case-sensitively and percent-decoded, for a server decodes them
 * too; after & and after ; a key may begin, a value ends only at &, so that a
 * secret with a ; in it does not leak its end. What needs no change is returned
 * as it is; else a copy from the arena, and if there is no memory an empty
 * slice: rather nothing than a secret.
 */

#include "exporters/base/arena.h"
#include "exporters/base/slice.h"

struct redact_list {
	const struct slice *keys;
	size_t n;
};

/* X-Amz-Signature, X-Amz-Credential, X-Amz-Security-Token, AWSAccessKeyId, Signature, sig, X-Goog-Signature
 */
extern const struct redact_list redact_default;

/* query: without the ? */
struct slice redact_query(struct arena *arena, const struct redact_list *list, struct slice query);

/* Path parameters (;key=value) whose key is in the list, and jsessionid in any case, which is a login. */
struct slice redact_path(struct arena *arena, const struct redact_list *list, struct slice path);

/* A target of no known form: what is in front of its last @ may be somebody's password. */
struct slice redact_odd(struct arena *arena, struct slice target);

/*
 * A whole URL or URL reference: user and password become REDACTED:REDACTED@,
 * then path and query as above. Fragments stay out: they can carry tokens.
 */
struct slice redact_url(struct arena *arena, const struct redact_list *list, struct slice url);

#endif
