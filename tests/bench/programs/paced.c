/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paced N KIB NS: under still.so, N times a read of a request and a write of its answer, at
 * most one in NS nanoseconds. Before each of the two calls it writes to KIB KiB of memory, as
 * a server would that does something. Prints the median and the mean of the fastest 98 % of
 * what the two calls took together, in ns.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_BYTES 1024
#define SETTLE_NS  300000000u /* the policy is there after it */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#ifdef __x86_64__
static uint64_t ticks(void) { return __builtin_ia32_rdtsc(); }
#else
static uint64_t ticks(void) { return now_ns(); }
#endif

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* An accepted connection, so that the library follows it. */
static int connection(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(any);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || client < 0 || bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&any, &length) ||
	    connect(client, (struct sockaddr *)&any, length))
		return -1;
	return accept(listener, NULL, NULL);
}

static void work(volatile char *memory, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 64)
		memory[i]++;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(int fd, uint64_t *took, size_t n, size_t bytes, uint64_t pause)
{
	static char in[4096], out[2048];
	volatile char *memory = calloc(1, bytes + 1);
	int head =
		snprintf(out, sizeof(out),
			 "HTTP/1.1 200 OK\r\nServer: paced\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			 "Content-Type: text/plain\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n",
			 BODY_BYTES);
	uint64_t next = ticks(), begin;

	for (size_t i = 0; i < n; i++) {
		work(memory, bytes);
		while (ticks() < next)
			;
		begin = ticks();
		next = begin + pause;
		took[i] = read(fd, in, sizeof(in)) > 0 ? ticks() - begin : 0;
		work(memory, bytes);
		begin = ticks();
		took[i] += write(fd, out, (size_t)head + BODY_BYTES) > 0 ? ticks() - begin : 0;
	}
	free((void *)memory);
}

int main(int argc, char **argv)
{
	int *still = dlsym(RTLD_DEFAULT, "still_descriptor"), fd = connection();
	size_t n = argc == 4 ? strtoul(argv[1], NULL, 10) : 0, few;
	uint64_t *took = calloc(n + 1, sizeof(*took)), begin_ns, begin, sum = 0;
	double ticks_a_ns;

	if (!n || !took || !still || fd < 0)
		return fail("paced");
	*still = fd;
	begin_ns = now_ns();
	begin = ticks();
	while (now_ns() - begin_ns < SETTLE_NS)
		;
	ticks_a_ns = (double)(ticks() - begin) / (double)(now_ns() - begin_ns);
	measure(fd, took, n, strtoul(argv[2], NULL, 10) * 1024,
		(uint64_t)(strtod(argv[3], NULL) * ticks_a_ns));
	qsort(took, n, sizeof(*took), by_size);
	few = n - n / 50;
	for (size_t i = 0; i < few; i++)
		sum += took[i];
	printf("%.1f %.1f\n", (double)took[n / 2] / ticks_a_ns, (double)sum / (double)few / ticks_a_ns);
	return 0;
}
