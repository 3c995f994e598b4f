/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_SPANS_JSON_H
#define BTRACE_TESTS_SPANS_JSON_H

/* Reads the neutral spans of tests/vectors/spans.json (its README tells the form) into a batch. */

#include "exporters/base/arena.h"
#include "exporters/span/model.h"

/* False if the text is not of that form. The batch borrows from the arena and from text. */
bool spans_from_json(struct arena *a, struct slice text, struct batch *batch);

#endif
