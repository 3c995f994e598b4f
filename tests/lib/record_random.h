/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEST_RECORD_RANDOM_H
#define BTRACE_TEST_RECORD_RANDOM_H

/*
 * Valid span records and options out of any bytes: for fuzz targets, and for
 * tests that want very many of them. Same bytes, same record.
 */

#include "exporters/span/from_record.h"

struct bytes {
	const uint8_t *p;
	size_t n; /* left; then zeros are read */
};

void record_random(struct bytes *in, struct span_slot *out);
void options_random(struct bytes *in, struct span_options *out);

/* What encoders rely on (model.h): NULL if all of it holds, else what does not. */
const char *model_broken(const struct span *span);

#endif
