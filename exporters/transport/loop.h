/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_LOOP_H
#define BTRACE_LOOP_H

/*
 * The worker's one place to wait: descriptors, timers and libcurl's transfers.
 * One thread only. Callbacks run inside loop_wait, may add and remove watches,
 * timers and transfers, and must not call loop_wait.
 *
 * loop_init ignores SIGPIPE and SIGXFSZ for the process: a collector that hangs
 * up and a file-size limit are errors to count, not reasons to die. libcurl is
 * started for the first transport that needs it, so that a worker which writes files never
 * loads certificates.
 */

#include <stdbool.h>
#include <stdint.h>

enum { LOOP_WATCHES = 32 };

typedef void loop_log(void *context, const char *line); /* without newline, credentials never in it */
typedef void loop_ready(void *context, short revents);
typedef void loop_expired(void *context);

struct loop_watch {
	int fd;
	short events;
	uint32_t serial; /* tells a watch from a later one in the same place; 0 = free */
	loop_ready *ready;
	void *context;
};

/* Embedded by the owner; zeroed = not armed. */
struct loop_timer {
	uint64_t due_ms;
	loop_expired *expired;
	void *context;
	struct loop_timer *next;
	bool armed;
};

/* One libcurl transfer, embedded by the owner; libcurl's private pointer. */
struct loop_transfer {
	void (*finished)(struct loop_transfer *transfer, int curl_code);
};

struct transport_loop {
	void *multi;        /* CURLM, or NULL before loop_start_network */
	uint32_t transfers; /* under way */
	struct loop_watch watches[LOOP_WATCHES];
	uint32_t next_serial;
	struct loop_timer *timers; /* soonest first */
	loop_log *log;
	void *log_context;
};

uint64_t loop_now_ms(void); /* monotonic; the same clock in all processes of one boot */

int loop_init(struct transport_loop *loop, loop_log *log, void *log_context);
void loop_release(struct transport_loop *loop); /* after all transports are closed */

/* Watches for POLLIN. 0, or -ENOSPC beyond LOOP_WATCHES. The descriptor stays the caller's. */
int loop_add_fd(struct transport_loop *loop, int fd, loop_ready *ready, void *context);
int loop_watch(struct transport_loop *loop, int fd, short events, loop_ready *ready, void *context);
void loop_remove_fd(struct transport_loop *loop, int fd); /* all watches of it; before close(fd) */

/* (Re-)arms: expired(context) is called once, inside loop_wait, at or after due_ms. */
void loop_timer_set(struct transport_loop *loop, struct loop_timer *timer, uint64_t due_ms,
		    loop_expired *expired, void *context);
void loop_timer_cancel(struct transport_loop *loop, struct loop_timer *timer);

/* Waits until something happens (also a signal), at most timeout_ms (-1: a minute), and handles it. 0 or
 * -errno. */
int loop_wait(struct transport_loop *loop, int timeout_ms);

/*
 * Is nothing under way that a descriptor would tell of: no transfer, no watch but `own` ones? Then whoever
 * has something better to sleep on may sleep there, for loop_until_timer() at most, and call loop_wait(0).
 */
bool loop_is_quiet(const struct transport_loop *loop, uint32_t own);
int loop_until_timer(const struct transport_loop *loop, int most_ms); /* ms; 0: one is due */

/* Starts libcurl, once; before transfers. 0 or -errno. */
int loop_start_network(struct transport_loop *loop);
/* easy: a CURL handle with all options set; finished() is called once, unless cancelled. 0 or -errno. */
int loop_transfer_start(struct transport_loop *loop, void *easy, struct loop_transfer *transfer);
void loop_transfer_cancel(struct transport_loop *loop, void *easy);

void loop_say(struct transport_loop *loop, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
