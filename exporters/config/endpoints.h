/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONFIG_ENDPOINTS_H
#define BTRACE_CONFIG_ENDPOINTS_H

/* Filling a struct endpoint from options: what the exporters have in common. */

#include "exporters/config/loader.h"

uint32_t endpoint_milliseconds(uint64_t ns);
/* The option `timeout`, else the first of these variables (milliseconds), else 10 s. */
uint32_t endpoint_timeout(struct loader *l, const char *variables);
/* "Name: value" lines; errors are told under `key`. NULL: none. */
const char *const *endpoint_headers(struct loader *l, const struct config_map *map, const char *key);
/* url as it is, or the default; unix:/path keeps the path of the default. */
void endpoint_http(struct loader *l, struct config_exporter *e, const char *url, const char *otherwise,
		   enum config_option_id id);
/* scheme://host:port; without a scheme: http if insecure, else https. */
void endpoint_grpc(struct loader *l, struct config_exporter *e, const char *url, const char *otherwise,
		   bool insecure);
/* Fills e->what ("<how> to <where>") and the label; without credentials. */
void endpoint_describe(struct loader *l, struct config_exporter *e, const char *how);

#endif
