/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ADDRESS_H
#define BTRACE_ADDRESS_H

/* Socket addresses into the form of the span record. Raw system calls only; keeps errno. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* addr may be NULL or cut: then family is 0. Port in host order; IPv4 in the first four bytes. */
void address_parse(const struct sockaddr *addr, socklen_t length, uint16_t *family, uint16_t *port,
		   uint8_t out[16]);
/* The path of a UNIX socket address, an abstract one with '@' in front; its length, 0 for any other. */
uint8_t address_path(const struct sockaddr *addr, socklen_t length, char out[108]);
/* Families whose stream sockets may carry HTTP. */
bool address_followed(uint16_t family);
/* A connected TCP socket, which somebody else may have accepted: by SCM_RIGHTS, or as descriptor 0 of inetd.
 */
bool address_connected_tcp(int fd, struct sockaddr_storage *peer);

#endif
