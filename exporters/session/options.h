/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SESSION_OPTIONS_H
#define BTRACE_SESSION_OPTIONS_H

/* From the config to what exporters/span wants to know. Lists lie in the arena or are borrowed from the
 * config. */

#include "exporters/base/arena.h"
#include "exporters/config/config.h"
#include "exporters/span/options.h"
#include "exporters/span/resource.h"

void session_options(const struct config *config, struct arena *arena, struct span_options *options,
		     struct resource_options *resources);

#endif
