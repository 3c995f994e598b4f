/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_BUILD_H
#define BTRACE_POLICY_BUILD_H

/* From the config to the form the library reads on the request path (shim/abi/policy.h). */

#include "exporters/config/config.h"
#include "shim/abi/table.h"

/* Builds the next policy of the table and publishes it: all hosts follow it from their next request on. */
void policy_build(struct table *t, const struct config *config);

/* Publishes "off": nothing is collected. */
void policy_build_off(struct table *t);

#endif
