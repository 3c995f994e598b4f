/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_BASE64_H
#define BTRACE_BASE64_H

/* Base64 (RFC 4648) read leniently: both alphabets, padding or none. Pure, thread safe. */

#include <stdbool.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

/* Appends the bytes; false, with nothing appended, if the text is no base64. */
bool base64_decode(struct buf *out, struct slice text);

#endif
