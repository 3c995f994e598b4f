/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_HIDDEN_H
#define BTRACE_HIDDEN_H

/*
 * Of data that is declared here and defined there: it is in this library too. Without,
 * the compiler reaches it by way of the global offset table (-fvisibility=hidden is for
 * definitions).
 */
#define HIDDEN __attribute__((visibility("hidden")))

#endif
