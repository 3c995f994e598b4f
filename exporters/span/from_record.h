/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FROM_RECORD_H
#define BTRACE_FROM_RECORD_H

/*
 * From the record that the library wrote into shared memory to a span by
 * OpenTelemetry's HTTP semantic conventions (stable since 1.23).
 *
 * error.type, where the status code does not say it (then it is the code):
 *
 *	no_response         the server closed without (the rest of) an answer
 *	client_closed       the client closed before the response was complete
 *	connection_reset    reset or broken pipe
 *	timeout             the kernel gave the connection up, or never got one
 *	malformed_response  the answer could not be read as HTTP
 *	process_died        the process ended while it served the request
 *	request_incomplete  the client closed before its request was complete
 *	connection_refused  CLIENT spans: nobody listens there
 *	connect_failed      CLIENT spans: no connection came about (no route, no such UNIX socket)
 *	unfinished          still running when the trace was ended
 *
 * A CLIENT span whose own side closed (client_closed) was cancelled on purpose:
 * no error.
 */

#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/span/model.h"
#include "exporters/span/options.h"
#include "shim/abi/span.h"

/*
 * Makes *out of a copy of a slot. The copy need not have been validated and is
 * not needed afterwards: what *out points to lies in the arena, in *resource or
 * in static memory. mono_to_unix_ns: what to add to the record's clock.
 * A record that is not closed (end_ns 0) ends at the last moment it knows of.
 * 0, -EBADMSG (span_record_valid() says no), -ENOMEM (the arena failed; *out is
 * not to be used). Not thread safe for one arena; otherwise pure.
 */
int span_from_record(const struct span_slot *copy, const struct span_options *options,
		     const struct resource *resource, int64_t mono_to_unix_ns, struct arena *arena,
		     struct span *out);

#define SPAN_CHILDREN_MAX 3

/*
 * The children that BentoML's tracing shows under a request: "<name> http
 * receive", and "<name> http send" for the head and for the body of the
 * response. `parent` is what span_from_record() made of the same copy. Returns
 * their number; 0 for other kinds of span and if the arena failed.
 */
size_t span_children(const struct span_slot *copy, const struct span_options *options,
		     const struct span *parent, int64_t mono_to_unix_ns, struct arena *arena,
		     struct span out[SPAN_CHILDREN_MAX]);

#endif
