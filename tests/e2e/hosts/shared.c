/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server whose connections are the work of several: threads, processes, descriptors, a signal
 *handler.
 *
 *	shared PORT WAY
 *
 * Requests without a body, one at a time on a connection; each is answered by "ok". Ways: see ways[].
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int listener;

static int take_connection(void)
{
	int fd, on = 1;

	while ((fd = accept(listener, NULL, NULL)) < 0)
		;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* One request's head; false at the end of the stream. */
static bool receive(int fd)
{
	char head[16384] = "";
	size_t have = 0;
	ssize_t n;

	do {
		n = read(fd, head + have, sizeof(head) - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
		head[have] = '\0';
	} while (!strstr(head, "\r\n\r\n"));
	return true;
}

static void put(int fd, const char *p, size_t n)
{
	for (ssize_t sent; n; p += sent, n -= (size_t)sent)
		if ((sent = write(fd, p, n)) < 0)
			return;
}

static void answer(int fd) { put(fd, ok, sizeof(ok) - 1); }

static void wait_for(pid_t child)
{
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* --- threads: one reads, one writes, one closes --- */

struct queue {
	sem_t full;
	pthread_mutex_t lock;
	int item[1024];
	unsigned head, tail;
};
static struct queue to_read, to_write, to_close;

static void push(struct queue *q, int fd)
{
	pthread_mutex_lock(&q->lock);
	q->item[q->tail++ % 1024] = fd;
	pthread_mutex_unlock(&q->lock);
	sem_post(&q->full);
}

static int pop(struct queue *q)
{
	int fd;

	while (sem_wait(&q->full))
		;
	pthread_mutex_lock(&q->lock);
	fd = q->item[q->head++ % 1024];
	pthread_mutex_unlock(&q->lock);
	return fd;
}

static void *reader(void *arg)
{
	for (int fd;;) {
		fd = pop(&to_read);
		push(receive(fd) ? &to_write : &to_close, fd);
	}
	return arg;
}

static void *writer(void *arg)
{
	for (int fd;;) {
		fd = pop(&to_write);
		answer(fd);
		push(&to_read, fd);
	}
	return arg;
}

static void *closer(void *arg)
{
	for (;;)
		close(pop(&to_close));
	return arg;
}

static void by_three_threads(void)
{
	static void *(*const parts[])(void *) = { reader, reader, reader, reader, writer, closer };
	struct queue *queues[] = { &to_read, &to_write, &to_close };
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		sem_init(&queues[i]->full, 0, 0);
		pthread_mutex_init(&queues[i]->lock, NULL);
	}
	for (int i = 0; i < 6; i++)
		pthread_create(&thread, NULL, parts[i], NULL);
	for (;;)
		push(&to_read, take_connection());
}

/* --- two descriptors for one socket --- */

static void by_two_descriptors(void)
{
	for (;;) {
		int one = take_connection(), other = dup(one);

		while (receive(one)) {
			close(one); /* the request is running, and this is not its end */
			answer(other);
			one = dup2(other, one);
		}
		close(other);
		close(one);
	}
}

/* --- processes --- */

static void by_a_child(void)
{
	for (;;) {
		int fd = take_connection();
		pid_t child = fork();

		if (child == 0) {
			while (receive(fd))
				answer(fd);
			exit(0);
		}
		close(fd);
		wait_for(child);
	}
}

/* The request is read here, and the fork comes before its answer. */
static void forked_in_flight(bool child_answers, bool closed_first, bool parent_answers)
{
	for (;;) {
		int fd = take_connection(), go[2];

		while (receive(fd)) {
			pid_t child;

			if (pipe(go))
				abort();
			child = fork();
			if (child == 0) {
				char byte;

				close(go[1]);
				if (closed_first && read(go[0], &byte, 1) < 0)
					abort();
				if (child_answers)
					answer(fd);
				exit(0);
			}
			close(go[0]);
			if (closed_first)
				close(fd);
			close(go[1]); /* the child may go on */
			wait_for(child);
			if (!parent_answers)
				break;
			answer(fd);
		}
		if (!closed_first)
			close(fd);
	}
}

static void child_answers(void) { forked_in_flight(true, false, false); }
static void child_answers_when_we_have_closed(void) { forked_in_flight(true, true, false); }
static void parent_answers(void) { forked_in_flight(false, false, true); }
static void nobody_answers(void) { forked_in_flight(false, true, false); }

/* --- a signal handler that writes --- */

static _Atomic int owed = -1; /* the connection that is to be answered */

static void on_signal(int number)
{
	int saved = errno, fd = atomic_exchange(&owed, -1);

	(void)number;
	if (fd >= 0)
		answer(fd);
	errno = saved;
}

/* The handler comes at any instruction; mostly the answer goes out while we are in read() again. */
static void by_a_signal_handler(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval often = { { 0, 200 }, { 0, 200 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;) {
		int fd = take_connection();

		while (receive(fd))
			atomic_store(&owed, fd);
		atomic_store(&owed, -1);
		close(fd);
	}
}

/* The same from inside the hooks: the handler is called by the write that it interrupts, so to say. */
static _Atomic int greeted = -1;

static void on_greeting(int number)
{
	static const char interim[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
	int saved = errno, fd = atomic_load(&greeted);

	(void)number;
	if (fd >= 0)
		put(fd, interim, sizeof(interim) - 1);
	errno = saved;
}

static void with_hints_from_a_signal_handler(void)
{
	struct sigaction action = { .sa_handler = on_greeting };
	struct itimerval often = { { 0, 150 }, { 0, 150 } };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;) {
		int fd = take_connection();

		while (receive(fd)) {
			atomic_store(&greeted, fd);
			sigprocmask(SIG_UNBLOCK, &alarm, NULL);
			for (int i = 0; i < 20; i++)
				sched_yield();
			sigprocmask(SIG_BLOCK, &alarm, NULL); /* an answer is not to be cut in two */
			atomic_store(&greeted, -1);
			answer(fd);
		}
		close(fd);
	}
}

/* --- two threads that write at once: no order, so no tracer can tell --- */

static void *scribbler(void *arg)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

	for (int i = 0; i < 2000; i++)
		put(*(int *)arg, interim, sizeof(interim) - 1);
	return NULL;
}

static void by_two_writers(void)
{
	for (;;) {
		int fd = take_connection();
		pthread_t thread[2];

		while (receive(fd)) {
			for (int i = 0; i < 2; i++)
				pthread_create(&thread[i], NULL, scribbler, &fd);
			for (int i = 0; i < 2; i++)
				pthread_join(thread[i], NULL);
			answer(fd);
		}
		close(fd);
	}
}

static const struct {
	const char *name;
	void (*serve)(void);
} ways[] = {
	{ "three_threads", by_three_threads },
	{ "two_descriptors", by_two_descriptors },
	{ "child", by_a_child },
	{ "child_answers", child_answers },
	{ "child_answers_when_we_have_closed", child_answers_when_we_have_closed },
	{ "parent_answers", parent_answers },
	{ "nobody_answers", nobody_answers },
	{ "signal_handler", by_a_signal_handler },
	{ "hints_from_a_signal_handler", with_hints_from_a_signal_handler },
	{ "two_writers", by_two_writers },
};

static void leave(int number)
{
	(void)number;
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	if (argc < 3)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, leave);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 128))
		return 1;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[2]) == 0)
			ways[i].serve();
	return 2;
}
