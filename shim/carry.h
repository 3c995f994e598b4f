/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CARRY_H
#define BTRACE_CARRY_H

/*
 * What a read or write cut off of a head's line, until the next one brings the rest:
 * http1_options.carry. Few connections ever have one, and none between two messages. Owner: whoever
 * has the direction.
 */

#include <stdbool.h>
#include <stdint.h>

#include "shim/hidden.h"
#include "shim/http/http1.h"
#include "shim/pool.h"

extern HIDDEN struct pool carry_pool;

/* What was kept, if anything was, into `text`. carry: index, 0: none. */
void carry_load(uint32_t carry, char text[HTTP1_NAME_MAX]);
/* Keeps of it what the parser wants to see again. False: no memory. */
bool carry_keep(uint32_t *carry, const struct http1 *parser, const char text[HTTP1_NAME_MAX]);
/* Gives it back. */
void carry_drop(uint32_t *carry);

#endif
