/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEXT_H
#define BTRACE_TEXT_H

/* Small pieces of text on the hot path, where arena_printf would take longer than the rest of the span. */

#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/base/slice.h"

/* All parts in a row; a part that is the only one with bytes is returned itself. Empty if there is no memory.
 */
struct slice text_join(struct arena *arena, const struct slice *parts, size_t n);

/* s cut to max_chars characters (UTF-8). */
struct slice text_cut(struct slice s, uint32_t max_chars);

#endif
