/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_JOIN_H
#define BTRACE_JOIN_H

/*
 * The session's socket (SOCK_SEQPACKET, abstract name): a process of the same
 * user that says hello gets the table's descriptor. Never blocks.
 */

/* Serves everybody who waits on the listening socket. */
void join_serve(int listener);

#endif
