/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of its own in a C server: one for the work on a request, one that
 * another thread takes over, and the ids of the trace in the log.
 *
 *	cc -pthread -o thumbnails thumbnails.c $(pkg-config --cflags --libs btrace)
 *	btracectl run -- ./thumbnails 8080 & curl localhost:8080/cat.jpg
 *
 * It is the same program, and does the same, without btrace.
 */
#include <btrace.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
	const char *name;
	struct btrace_context context; /* of the request: the thread knows nothing of it */
};

static void *resize(void *arg)
{
	struct job *job = arg;
	btrace_span span = btrace_begin_in("resize", &job->context, 0);

	btrace_set_int(span, "image.width", 160);
	btrace_set_double(span, "image.quality", 0.75);
	btrace_end(span);
	return NULL;
}

static void make_thumbnail(const char *name)
{
	struct job job = { .name = name };
	pthread_t thread;

	btrace_current(&job.context);
	if (!pthread_create(&thread, NULL, resize, &job))
		pthread_join(thread, NULL);
}

static void log_line(const char *what, const char *name)
{
	struct btrace_context here;
	char trace[BTRACE_TRACEPARENT_BYTES];

	btrace_current(&here);
	if (btrace_to_traceparent(&here, trace))
		printf("%s %s trace_id=%.32s span_id=%.16s\n", what, name, trace + 3, trace + 36);
	else
		printf("%s %s\n", what, name);
	fflush(stdout);
}

static const char *handle(const char *name)
{
	btrace_span span = btrace_begin("thumbnail"), event;
	const char *answer = "200 OK";

	btrace_set_string(span, "image.name", name);
	event = btrace_event(span, "cache miss");
	btrace_set_bool(event, "cache.full", 0);
	log_line("making", name);
	if (strstr(name, ".jpg")) {
		make_thumbnail(name);
	} else {
		btrace_status(span, BTRACE_ERROR, "not an image");
		answer = "415 Unsupported Media Type";
	}
	btrace_end(span);
	return answer;
}

static void serve(int client)
{
	char request[1024], name[256] = "", answer[256];
	ssize_t n = read(client, request, sizeof(request) - 1); /* short requests come in one piece */

	if (n > 0) {
		request[n] = 0;
		sscanf(request, "GET /%255[^ ?]", name);
		n = snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			     handle(name));
		if (write(client, answer, (size_t)n) < 0)
			perror("write");
	}
	close(client);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[argc - 1])) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, client;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 16) < 0) {
		perror("listen");
		return 1;
	}
	while ((client = accept(listener, NULL, NULL)) >= 0)
		serve(client);
	return 0;
}
