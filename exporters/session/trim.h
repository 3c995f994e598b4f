/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRIM_H
#define BTRACE_TRIM_H

/*
 * Takes the code and the symbols of all loaded files out of this process's resident memory. What the
 * loader and the start have read of libcurl's thirty libraries is mostly never read again; what is
 * comes back by itself, from the page cache. Once, when everything is open.
 */
void trim_start(void);

#endif
