/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_REQUEST_LIST_H
#define BTRACE_REQUEST_LIST_H

/*
 * The requests of a run as expectations count them: the SERVER spans, sorted and
 * grouped by what they have in common. Names are harmless text on one line without
 * spaces around it; a method is one word, "-" if there is none.
 */

#include "exporters/base/buf.h"
#include "exporters/ctl/trace_store.h"

struct request {
	struct slice service, method, route;
	int status; /* 0 = none */
	bool failed;
	uint64_t duration_ns;
	uint32_t span; /* index in the store */
};

/* Requests [first, first + n) have all the same but their duration, which rises. */
struct request_group {
	size_t first, n;
};

struct request_list {
	struct request *requests;
	size_t n;
	struct request_group *groups;
	size_t n_groups;
	struct trace_store strings;
};

/* 0 or -ENOMEM. Borrows nothing. */
int request_list_init(struct request_list *list, const struct trace_store *store);
void request_list_release(struct request_list *list);

static inline const struct request *request_of(const struct request_list *list,
					       const struct request_group *group)
{
	return &list->requests[group->first];
}

/*
 * One span in one line, as trees of expectations have it, made of what does not
 * change from run to run: SERVICE METHOD ROUTE STATUS; a client SERVICE -> METHOD HOST
 * STATUS; another SERVICE NAME; behind it the error, where the status does not tell it.
 */
void span_line(struct buf *out, const struct span *span);

#endif
