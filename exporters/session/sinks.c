/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/sinks.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "exporters/session/log.h"
#include "exporters/session/outputs.h"
#include "exporters/session/sink.h"

/* The console format shows local time, and colour where a person looks. */
static void for_people(struct encode_options *encode)
{
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local))
		encode->utc_offset_s = (int32_t)local.tm_gmtoff;
	encode->colour = isatty(2) && !getenv("NO_COLOR");
}

static int open_sink(struct sinks *k, struct session *s, struct output *o, struct transport_loop *loop)
{
	const struct config_exporter *e = o->exporter;
	struct endpoint endpoint = e->endpoint;
	struct encode_options encode = e->encode;
	struct sink_limits limits = { .max_spans = s->config.queue_spans,
				      .max_bytes = s->config.queue_bytes,
				      .region = o->region,
				      .region_bytes = o->region_bytes,
				      .spool_fd = o->spool_fd,
				      .spool_bytes = s->config.spool_bytes };
	const struct format *format = format_by_name(e->format);
	char error[256] = "no such format";
	int result = -1;

	for_people(&encode);
	endpoint.fd = o->fd;
	endpoint.rotate = outputs_rotate;
	endpoint.rotate_context = o;
	if (format)
		result = sink_open(&k->sink[k->n], e->name, format, &encode, o->transport, &endpoint, &limits,
				   loop, error);
	if (result)
		log_line("%s: %s", e->what, error);
	else
		k->n++;
	return result;
}

int sinks_open(struct sinks *k, struct session *s, struct transport_loop *loop)
{
	k->n = 0;
	for (uint32_t i = 0; i < s->n_outputs; i++)
		if (open_sink(k, s, &s->output[i], loop))
			return -1; /* counters and outputs go by number: all or none */
	return 0;
}

void sinks_put(struct sinks *k, const struct batch *batch, uint64_t number)
{
	for (uint32_t i = 0; i < k->n; i++)
		sink_put_once(k->sink[i], batch, number);
}

void sinks_fail(struct sinks *k, uint64_t spans, uint64_t number)
{
	for (uint32_t i = 0; i < k->n; i++)
		sink_fail_once(k->sink[i], spans, number);
}

void sinks_pump(struct sinks *k, uint64_t now_ms)
{
	for (uint32_t i = 0; i < k->n; i++)
		sink_pump(k->sink[i], now_ms);
}

bool sinks_idle(const struct sinks *k)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (!sink_idle(k->sink[i]))
			return false;
	return true;
}

void sinks_stop(struct sinks *k, uint64_t deadline_ms)
{
	for (uint32_t i = 0; i < k->n; i++)
		sink_stop(k->sink[i], deadline_ms);
}

void sinks_report(const struct sinks *k, struct control *control)
{
	for (uint32_t i = 0; i < k->n; i++) {
		struct sink_counters c = sink_counters(k->sink[i]);
		struct control_sink *to = &control->sink[i];

		atomic_store_explicit(&to->sent, to->sent_before + c.sent, memory_order_relaxed);
		atomic_store_explicit(&to->failed, to->failed_before + c.failed, memory_order_relaxed);
		atomic_store_explicit(&to->queue_dropped, to->dropped_before + c.queue_dropped,
				      memory_order_relaxed);
		atomic_store_explicit(&to->spooled, to->spooled_before + c.spooled, memory_order_relaxed);
		atomic_store_explicit(&to->queued, c.queued, memory_order_relaxed);
	}
}

void sinks_close(struct sinks *k)
{
	for (uint32_t i = 0; i < k->n; i++)
		sink_free(k->sink[i]);
	k->n = 0;
}
