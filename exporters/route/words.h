/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_WORDS_H
#define BTRACE_ROUTE_WORDS_H

/*
 * Is a piece of a URL made of everyday words? English as APIs speak it
 * (words.def), in singular or plural, inflected, and joined by - _ . or capitals or
 * without anything between: "fulfillment_orders", "lookupByEmail", "configmaps".
 * Pure.
 */

#include <stdint.h>

#include "exporters/base/slice.h"

enum route_word {
	ROUTE_WORD = 1u << 0,     /* known at all */
	ROUTE_NOUN = 1u << 1,     /* a kind of thing: its names or ids come next in the path */
	ROUTE_RESERVED = 1u << 2, /* an action or view that stands where ids stand: me, search, latest */
	ROUTE_VALUE = 1u << 3,    /* what people like to call their own things: default, staging */
	ROUTE_ACTION = 1u << 4,   /* what is done: capture, retry */
	ROUTE_PLURAL = 1u << 5,
	ROUTE_COMPOSED = 1u << 6, /* more than one word */
	ROUTE_DASHED = 1u << 7, /* with "-" between; ACTION then speaks of the first word, RESERVED of any */
};

#define ROUTE_WORD_MAX 24u /* bytes in the longest word */

/* Mask over enum route_word, of the last word where there are more; 0: something unknown is in it. */
uint32_t route_words(struct slice text);
/* The same for one word without capitals or separators. */
uint32_t route_word(struct slice text);

#endif
