/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HARMLESS_H
#define BTRACE_HARMLESS_H

/*
 * Names in spans are written by whoever sends requests. Before one is shown,
 * control characters, bidirectional overrides and invisible characters become
 * text: \n, \e, \x07, \u{202e}. Independent of the locale. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/buf.h"

enum { HARMLESS_MAX = 16 };

/* A character that shows what it is and changes nothing around it; space and all letters are. */
bool harmless(uint32_t code);

/* The text that stands for one that is not; returns its length. */
size_t harmless_name(uint32_t code, char out[HARMLESS_MAX]);

/* Adds the text on one line, every character harmless. What is not UTF-8 becomes U+FFFD. */
void harmless_add(struct buf *out, struct slice text);

#endif
