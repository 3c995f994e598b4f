/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/loop.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

uint64_t loop_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int loop_init(struct transport_loop *loop, loop_log *log, void *log_context)
{
	*loop = (struct transport_loop){ .log = log, .log_context = log_context };
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	return 0;
}

void loop_release(struct transport_loop *loop)
{
	if (loop->multi) {
		curl_multi_cleanup(loop->multi);
		curl_global_cleanup();
	}
	*loop = (struct transport_loop){ 0 };
}

void loop_say(struct transport_loop *loop, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (!loop->log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	loop->log(loop->log_context, line);
}

/* --- descriptors --- */

int loop_watch(struct transport_loop *loop, int fd, short events, loop_ready *ready, void *context)
{
	for (int i = 0; i < LOOP_WATCHES; i++) {
		struct loop_watch *watch = &loop->watches[i];

		if (watch->serial)
			continue;
		if (++loop->next_serial == 0)
			loop->next_serial = 1;
		*watch = (struct loop_watch){ fd, events, loop->next_serial, ready, context };
		return 0;
	}
	return -ENOSPC;
}

int loop_add_fd(struct transport_loop *loop, int fd, loop_ready *ready, void *context)
{
	return loop_watch(loop, fd, POLLIN, ready, context);
}

void loop_remove_fd(struct transport_loop *loop, int fd)
{
	for (int i = 0; i < LOOP_WATCHES; i++)
		if (loop->watches[i].serial && loop->watches[i].fd == fd)
			loop->watches[i] = (struct loop_watch){ 0 };
}

/* --- timers --- */

void loop_timer_cancel(struct transport_loop *loop, struct loop_timer *timer)
{
	struct loop_timer **at = &loop->timers;

	if (!timer->armed)
		return;
	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
	timer->armed = false;
}

void loop_timer_set(struct transport_loop *loop, struct loop_timer *timer, uint64_t due_ms,
		    loop_expired *expired, void *context)
{
	struct loop_timer **at = &loop->timers;

	loop_timer_cancel(loop, timer);
	while (*at && (*at)->due_ms <= due_ms)
		at = &(*at)->next;
	*timer = (struct loop_timer){ due_ms, expired, context, *at, true };
	*at = timer;
}

/* Timers that were due at the start; one that re-arms itself for now waits for the next round. */
static void run_timers(struct transport_loop *loop)
{
	uint64_t now = loop_now_ms();
	int most = 1000;

	while (loop->timers && loop->timers->due_ms <= now && most-- > 0) {
		struct loop_timer *timer = loop->timers;

		loop_timer_cancel(loop, timer);
		timer->expired(timer->context);
	}
}

int loop_until_timer(const struct transport_loop *loop, int timeout_ms)
{
	uint64_t now = loop_now_ms();

	if (!loop->timers)
		return timeout_ms;
	if (loop->timers->due_ms <= now)
		return 0;
	if (timeout_ms < 0 || loop->timers->due_ms - now < (uint64_t)timeout_ms)
		return loop->timers->due_ms - now > 60000 ? 60000 : (int)(loop->timers->due_ms - now);
	return timeout_ms;
}

/* --- libcurl --- */

int loop_start_network(struct transport_loop *loop)
{
	if (loop->multi)
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	loop->multi = curl_multi_init();
	if (loop->multi)
		return 0;
	curl_global_cleanup();
	return -ENOMEM;
}

int loop_transfer_start(struct transport_loop *loop, void *easy, struct loop_transfer *transfer)
{
	if (!loop->multi || curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) != CURLE_OK)
		return -ENOMEM;
	if (curl_multi_add_handle(loop->multi, easy) != CURLM_OK)
		return -EIO;
	loop->transfers++;
	return 0;
}

void loop_transfer_cancel(struct transport_loop *loop, void *easy)
{
	if (!loop->multi)
		return;
	curl_multi_remove_handle(loop->multi, easy);
	loop->transfers--;
}

bool loop_is_quiet(const struct transport_loop *loop, uint32_t own)
{
	uint32_t watches = 0;

	for (int i = 0; i < LOOP_WATCHES; i++)
		watches += loop->watches[i].serial != 0;
	return loop->transfers == 0 && watches <= own;
}

static void run_transfers(struct transport_loop *loop)
{
	CURLMsg *message;
	int n;

	if (!loop->multi)
		return;
	curl_multi_perform(loop->multi, &n);
	while ((message = curl_multi_info_read(loop->multi, &n))) {
		CURL *easy = message->easy_handle;
		int code = (int)message->data.result;
		char *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		/* Removing the handle frees the message. */
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
		curl_multi_remove_handle(loop->multi, easy);
		loop->transfers--;
		if (transfer) {
			struct loop_transfer *t = (struct loop_transfer *)transfer;

			t->finished(t, code);
		}
	}
}

/* --- waiting --- */

static int poll_once(struct pollfd *fds, unsigned n, int timeout_ms)
{
	return poll(fds, n, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

static int wait_all(struct transport_loop *loop, struct pollfd *fds, unsigned n, int timeout_ms)
{
	struct curl_waitfd extra[LOOP_WATCHES];

	if (!loop->multi)
		return poll_once(fds, n, timeout_ms);
	for (unsigned i = 0; i < n; i++) {
		extra[i] = (struct curl_waitfd){ .fd = fds[i].fd };
		if (fds[i].events & POLLIN)
			extra[i].events |= CURL_WAIT_POLLIN;
		if (fds[i].events & POLLOUT)
			extra[i].events |= CURL_WAIT_POLLOUT;
	}
	if (curl_multi_poll(loop->multi, extra, n, timeout_ms < 0 ? 60000 : timeout_ms, NULL) != CURLM_OK)
		return -EIO;
	/* libcurl wakes for POLLHUP and POLLERR but does not tell them: left there, they would spin us. */
	return n ? poll_once(fds, n, 0) : 0;
}

int loop_wait(struct transport_loop *loop, int timeout_ms)
{
	struct pollfd fds[LOOP_WATCHES];
	struct loop_watch seen[LOOP_WATCHES];
	int place[LOOP_WATCHES], rc;
	unsigned n = 0;

	for (int i = 0; i < LOOP_WATCHES; i++) {
		if (!loop->watches[i].serial)
			continue;
		fds[n] = (struct pollfd){ loop->watches[i].fd, loop->watches[i].events, 0 };
		place[n] = i;
		seen[n++] = loop->watches[i];
	}
	rc = wait_all(loop, fds, n, loop_until_timer(loop, timeout_ms));
	if (rc == 0)
		for (unsigned i = 0; i < n; i++)
			/* An earlier callback may have taken this watch away. */
			if (fds[i].revents && loop->watches[place[i]].serial == seen[i].serial)
				seen[i].ready(seen[i].context, fds[i].revents);
	run_transfers(loop);
	run_timers(loop);
	return rc;
}
