/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ADDRESS_H
#define BTRACE_ADDRESS_H

/* Socket addresses into the form of the span record. Raw system calls only; keeps errno. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/abi/span.h"

/* addr may be NULL or cut: then family is 0. */
void address_parse(const struct sockaddr *addr, socklen_t length, struct span_address *out);
/* The path of a UNIX socket address, an abstract one with '@' in front; its length, 0 for any other. */
uint8_t address_path(const struct sockaddr *addr, socklen_t length, char out[108]);
/* Families whose stream sockets may carry HTTP. */
bool address_followed(uint16_t family);
/* A connected TCP socket, which somebody else may have accepted: by SCM_RIGHTS, or as descriptor 0 of inetd.
 */
bool address_connected_tcp(int fd, struct sockaddr_storage *peer);
/* A stream socket that listens. Any number will do. */
bool address_listens(int fd);

#endif
