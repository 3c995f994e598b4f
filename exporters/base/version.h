/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_VERSION_H
#define BTRACE_VERSION_H

/* The product's version, as scope version, telemetry.sdk.version and --version tell it. */
#define BTRACE_VERSION "0.1.0"

#endif
