/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_spans FORMAT TRANSPORT [OPTION...]: a sink alone, driven by commands on standard
 * input, one a line; each answers with one line of JSON: the counters, the milliseconds
 * it took, the peak memory.
 *
 *	put BATCHES SPANS   so many batches of so many spans each; ids count up from 1
 *	idle                waits until nothing is queued
 *	stop MS             stops with this deadline, waits for the end
 *	run MS              runs the loop so long
 *
 * What the sink says goes to standard error.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exporters/base/arena.h"
#include "exporters/session/sink.h"
#include "exporters/transport/spool.h"
#include "tests/lib/sample_spans.h"

enum { HEADERS = 16 };

struct driver {
	struct endpoint endpoint;
	struct sink_limits limits;
	struct encode_options options;
	const char *headers[HEADERS + 1];
	struct transport_loop loop;
	struct sink *sink;
	struct arena arena;
	unsigned next;
	char input[256], line[256];
	size_t n;
	bool ended;
};

static const struct transport *const transports[] = { &transport_http, &transport_grpc, &transport_udp,
						      &transport_file, &transport_console };

static const struct transport *transport_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++)
		if (strcmp(transports[i]->name, name) == 0)
			return transports[i];
	return NULL;
}

static void say(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "%s\n", line);
}

static void put_batch(struct driver *d, unsigned n)
{
	struct span *spans = calloc(n, sizeof(*spans));

	if (!spans)
		abort();
	for (unsigned i = 0; i < n; i++) {
		unsigned number = d->next++;

		sample_server_span(&spans[i], &d->arena, number);
		for (int byte = 0; byte < 8; byte++)
			spans[i].span_id[byte] = (uint8_t)((uint64_t)number >> (56 - 8 * byte));
	}
	sink_put(d->sink, &(struct batch){ spans, n });
	arena_clear(&d->arena);
	free(spans);
}

static void answer(struct driver *d, uint64_t begin_ms)
{
	struct sink_counters c = sink_counters(d->sink);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"put\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"queue_dropped\":%" PRIu64
	       ",\"spooled\":%" PRIu64 ",\"queued\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"ms\":%" PRIu64
	       ",\"max_rss_kb\":%ld}\n",
	       c.put, c.sent, c.failed, c.queue_dropped, c.spooled, c.queued, c.replayed_sent,
	       loop_now_ms() - begin_ms, usage.ru_maxrss);
	fflush(stdout);
}

static void obey(struct driver *d, const char *line)
{
	uint64_t begin = loop_now_ms();
	unsigned batches, spans, ms;

	if (sscanf(line, "put %u %u", &batches, &spans) == 2) {
		while (batches--) {
			put_batch(d, spans);
			loop_wait(&d->loop, 0);
		}
	} else if (strcmp(line, "idle") == 0) {
		while (!sink_idle(d->sink))
			loop_wait(&d->loop, 1000);
	} else if (sscanf(line, "stop %u", &ms) == 1) {
		sink_stop(d->sink, begin + ms);
		while (!sink_idle(d->sink))
			loop_wait(&d->loop, 1000);
	} else if (sscanf(line, "run %u", &ms) == 1) {
		while (loop_now_ms() < begin + ms)
			loop_wait(&d->loop, (int)(begin + ms - loop_now_ms()));
	} else {
		fprintf(stderr, "send_spans: what is '%s'\n", line);
		exit(2);
	}
	answer(d, begin);
}

static void readable(void *context, short revents)
{
	struct driver *d = context;
	ssize_t n = read(STDIN_FILENO, d->input + d->n, sizeof(d->input) - d->n);

	(void)revents;
	d->ended = n <= 0;
	d->n += n > 0 ? (size_t)n : 0;
}

/* The loop runs while nobody tells us anything. */
static bool next_line(struct driver *d)
{
	char *end;

	while (!(end = memchr(d->input, '\n', d->n)) && !d->ended)
		loop_wait(&d->loop, 1000);
	if (!end)
		return false;
	*end = '\0';
	memcpy(d->line, d->input, (size_t)(end - d->input) + 1);
	d->n -= (size_t)(end + 1 - d->input);
	memmove(d->input, end + 1, d->n);
	return true;
}

static const struct option options[] = {
	{ "url", 1, NULL, 'u' },       { "unix", 1, NULL, 'x' },
	{ "header", 1, NULL, 'H' },    { "gzip", 0, NULL, 'z' },
	{ "deflate", 0, NULL, 'Z' },   { "insecure", 0, NULL, 'k' },
	{ "ca", 1, NULL, 'A' },        { "cert", 1, NULL, 'C' },
	{ "key", 1, NULL, 'K' },       { "user", 1, NULL, 'U' },
	{ "password", 1, NULL, 'P' },  { "timeout", 1, NULL, 't' },
	{ "total", 1, NULL, 'T' },     { "max-spans", 1, NULL, 's' },
	{ "max-bytes", 1, NULL, 'b' }, { "payload", 1, NULL, 'p' },
	{ "method", 1, NULL, 'm' },    { "path", 1, NULL, 'f' },
	{ "spool", 1, NULL, 'S' },     { "spool-bytes", 1, NULL, 'B' },
	{ "first", 1, NULL, 'F' },     { "proxy", 0, NULL, 'y' },
	{ NULL, 0, NULL, 0 },
};

static void set(struct driver *d, int option, size_t *headers)
{
	struct endpoint *e = &d->endpoint;
	unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;

	switch (option) {
	case 'u': e->url = e->label = optarg; break;
	case 'x': e->unix_path = optarg; break;
	case 'H':
		if (*headers < HEADERS)
			d->headers[(*headers)++] = optarg;
		break;
	case 'z': e->gzip = true; break;
	case 'Z': e->deflate = true; break;
	case 'k': e->insecure = true; break;
	case 'y': e->use_proxy_environment = true; break;
	case 'A': e->ca_file = optarg; break;
	case 'C': e->cert_file = optarg; break;
	case 'K': e->key_file = optarg; break;
	case 'U': e->user = optarg; break;
	case 'P': e->password = optarg; break;
	case 't': e->timeout_ms = (uint32_t)number; break;
	case 'T': e->total_timeout_ms = (uint32_t)number; break;
	case 's': d->limits.max_spans = number; break;
	case 'b': d->limits.max_bytes = number; break;
	case 'p': d->limits.max_payload_bytes = (uint32_t)number; break;
	case 'm': e->grpc_method = optarg; break;
	case 'f': e->path = optarg; break;
	case 'S':
		d->limits.spool_fd = spool_file_open(optarg, "test");
		if (d->limits.spool_fd < 0)
			exit(1);
		break;
	case 'B': d->limits.spool_bytes = number; break;
	case 'F': d->next = (unsigned)number; break;
	default: exit(2);
	}
}

int main(int argc, char **argv)
{
	struct driver d = { .next = 1 };
	const struct transport *transport;
	const struct format *format;
	char error[256] = "";
	size_t headers = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		set(&d, option, &headers);
	format = argc - optind == 2 ? format_by_name(argv[optind]) : NULL;
	transport = format ? transport_by_name(argv[optind + 1]) : NULL;
	if (!transport) {
		fputs("send_spans: FORMAT TRANSPORT [OPTION...], see the source\n", stderr);
		return 2;
	}
	d.endpoint.headers = d.headers;
	arena_init(&d.arena);
	loop_init(&d.loop, say, NULL);
	loop_add_fd(&d.loop, STDIN_FILENO, readable, &d);
	if (sink_open(&d.sink, argv[optind], format, &d.options, transport, &d.endpoint, &d.limits, &d.loop,
		      error) < 0) {
		fprintf(stderr, "send_spans: %s\n", error);
		return 1;
	}
	while (next_line(&d))
		obey(&d, d.line);
	sink_free(d.sink);
	loop_release(&d.loop);
	arena_release(&d.arena);
	return 0;
}
