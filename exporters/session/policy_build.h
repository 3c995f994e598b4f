/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_BUILD_H
#define BTRACE_POLICY_BUILD_H

/* From the config to the form the library reads on the request path (shim/abi/policy.h). */

#include "exporters/config/config.h"
#include "exporters/policy/exclude.h"
#include "shim/abi/table.h"

/*
 * Builds the next policy of the table and publishes it: all hosts follow it from
 * their next request on. 0; -EINVAL and others of exclude_compile(): nothing
 * was published, *error says why.
 */
int policy_build(struct table *t, const struct config *config, struct exclude_error *error);

/* Publishes "off": nothing is collected. */
void policy_build_off(struct table *t);

#endif
