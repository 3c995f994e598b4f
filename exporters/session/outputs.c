/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "exporters/session/log.h"
#include "exporters/session/sink.h"
#include "exporters/transport/file.h"
#include "exporters/transport/spool.h"

#define ROTATE_SECONDS 2 /* how long a worker waits for the keeper */

static const struct transport *transport_by_name(const char *name)
{
	static const struct transport *const all[] = { &transport_http, &transport_grpc, &transport_udp,
						       &transport_file, &transport_console };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

static void limits_of(const struct config *config, struct sink_limits *limits)
{
	memset(limits, 0, sizeof(*limits));
	limits->max_spans = config->queue_spans;
	limits->max_bytes = config->queue_bytes;
}

/* What lies there goes to the same receiver in the same format, or it is another file. */
static void spool_name(char name[64], const struct config_exporter *e)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = e->what; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (const char *p = e->format; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	snprintf(name, 64, "%.40s-%08x", e->name, hash);
}

/* A spool is an extra: without it the exporter works all the same. */
static int open_spool(const struct config *config, const struct output *o)
{
	char name[64];
	int fd;

	if (!config->spool_path || (o->transport != &transport_http && o->transport != &transport_grpc))
		return 0;
	spool_name(name, o->exporter);
	fd = spool_file_open(config->spool_path, name);
	if (fd < 0)
		log_line("%s: no spool in %s: %s", o->exporter->what, config->spool_path, strerror(-fd));
	return fd < 0 ? 0 : fd;
}

static int open_output(struct session *s, struct output *o, const struct config_exporter *e)
{
	struct sink_limits limits;

	memset(o, 0, sizeof(*o));
	o->session = s;
	o->exporter = e;
	o->transport = transport_by_name(e->transport);
	if (!o->transport)
		return -EPROTONOSUPPORT;
	if (o->transport == &transport_file) {
		o->fd = file_open(e->endpoint.path);
		if (o->fd < 0)
			return o->fd;
	}
	o->spool_fd = open_spool(&s->config, o);
	limits_of(&s->config, &limits);
	o->region_bytes = sink_region_bytes(o->transport, &e->endpoint, &limits);
	o->region = mmap(NULL, o->region_bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (o->region != MAP_FAILED)
		return 0;
	o->region = NULL;
	return -ENOMEM;
}

static void close_output(struct output *o)
{
	if (o->fd > 0)
		close(o->fd);
	if (o->spool_fd > 0)
		close(o->spool_fd);
	if (o->region)
		munmap(o->region, o->region_bytes);
	memset(o, 0, sizeof(*o));
}

/* The figures of an exporter go on under its name when the config is read again. */
static void name_sink(struct control_sink *to, const char *name, struct control_sink *old, uint32_t n_old)
{
	memset(to, 0, sizeof(*to));
	snprintf(to->name, sizeof(to->name), "%s", name);
	for (uint32_t i = 0; i < n_old; i++)
		if (!strcmp(old[i].name, to->name)) {
			to->sent = to->sent_before = control_get(&old[i].sent);
			to->failed = to->failed_before = control_get(&old[i].failed);
			to->queue_dropped = to->dropped_before = control_get(&old[i].queue_dropped);
			to->spooled = to->spooled_before = control_get(&old[i].spooled);
			to->batch = old[i].batch;
			to->batch_spans = old[i].batch_spans;
			old[i].name[0] = 0;
			return;
		}
}

/* A worker that did not retire in time may have been killed within a batch, which the next one puts again. */
static void begin_region(const struct output *o, const struct control_sink *sink)
{
	queue_region_begin(o->region, (struct queue_progress){ sink->batch, sink->batch_spans });
}

uint32_t outputs_open(struct session *s)
{
	struct control *c = s->control;
	struct control_sink old[CONTROL_SINKS];
	uint32_t n_old = c->n_sinks;

	memcpy(old, c->sink, sizeof(old));
	s->n_outputs = 0;
	for (size_t i = 0; i < s->config.n_exporters && s->n_outputs < CONTROL_SINKS; i++) {
		const struct config_exporter *e = &s->config.exporters[i];
		struct output *o = &s->output[s->n_outputs];
		int error = open_output(s, o, e);

		if (error) {
			log_line("%s: cannot be opened: %s", e->what, strerror(-error));
			close_output(o);
			continue;
		}
		name_sink(&c->sink[s->n_outputs], e->name, old, n_old);
		begin_region(o, &c->sink[s->n_outputs++]);
	}
	c->n_sinks = s->n_outputs;
	for (uint32_t i = 0; i < n_old && c->n_sinks < CONTROL_SINKS; i++)
		if (old[i].name[0]) /* no longer in the config: its account stays */
			memcpy(&c->sink[c->n_sinks++], &old[i], sizeof(old[i]));
	return s->n_outputs;
}

/* The last word on an exporter: its worker may have been killed before it could say it. */
static void sum_up(const struct output *o, struct control_sink *to)
{
	uint64_t left;
	struct queue_counters c;
	struct queue_progress progress;

	if (!o->region)
		return;
	progress = queue_region_progress(o->region);
	to->batch = progress.batch;
	to->batch_spans = progress.spans;
	c = queue_region_counters(o->region, &left);
	atomic_store_explicit(&to->sent, to->sent_before + c.sent, memory_order_relaxed);
	atomic_store_explicit(&to->failed, to->failed_before + c.failed, memory_order_relaxed);
	atomic_store_explicit(&to->queue_dropped, to->dropped_before + c.dropped + left,
			      memory_order_relaxed);
	atomic_store_explicit(&to->spooled, to->spooled_before + c.spooled, memory_order_relaxed);
	atomic_store_explicit(&to->queued, 0, memory_order_relaxed);
}

void outputs_close(struct session *s)
{
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		sum_up(&s->output[i], &s->control->sink[i]);
		close_output(&s->output[i]);
	}
	s->n_outputs = 0;
}

/* By number, so that an answer which comes after its worker has given up, or died, is not taken for the next
 * one. */
struct rotate_question {
	uint32_t output, number;
};

struct rotate_answer {
	int error; /* 0: a descriptor comes with it */
	uint32_t number;
};

static void send_fd(int channel, int fd_or_error, uint32_t number)
{
	struct rotate_answer answer = { fd_or_error < 0 ? fd_or_error : 0, number };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { &answer, sizeof(answer) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_or_error >= 0) {
		struct cmsghdr *cmsg;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd_or_error, sizeof(int));
	}
	(void)!sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int rotate(struct output *o)
{
	const struct endpoint *endpoint = &o->exporter->endpoint;
	int error =
		file_rotate(endpoint->path, endpoint->max_files ? endpoint->max_files : FILE_KEEP_DEFAULT);
	int fd = error ? error : file_open(endpoint->path);

	if (fd < 0)
		return fd;
	close(o->fd);
	o->fd = fd;
	return fd;
}

void outputs_serve(struct session *s)
{
	struct rotate_question q;

	while (recv(s->channel[0], &q, sizeof(q), MSG_DONTWAIT) == sizeof(q))
		send_fd(s->channel[0],
			q.output < s->n_outputs && s->output[q.output].fd > 0 ? rotate(&s->output[q.output])
									      : -EINVAL,
			q.number);
}

/* The descriptor or -errno; *number: which question it answers. */
static int receive_answer(int channel, uint32_t *number)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct rotate_answer answer = { -EIO, 0 };
	struct iovec iov = { &answer, sizeof(answer) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg;
	ssize_t n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	int fd;

	*number = answer.number;
	if (n != sizeof(answer))
		return n < 0 ? -errno : -EIO;
	cmsg = CMSG_FIRSTHDR(&message);
	if (answer.error < 0 || !cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return answer.error < 0 ? answer.error : -EIO;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

int outputs_rotate(void *context, const char *path)
{
	struct output *o = context;
	int channel = o->session->channel[1];
	struct rotate_question q = { (uint32_t)(o - o->session->output),
				     atomic_fetch_add(&o->session->control->rotations, 1) + 1 };
	struct timeval patience = { ROTATE_SECONDS, 0 };
	uint32_t number;
	int fd;

	(void)path; /* the keeper knows it, and does not take one from us */
	setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(channel, &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	for (;;) {
		fd = receive_answer(channel, &number);
		if (number == q.number || fd == -EAGAIN || (fd < 0 && number == 0))
			return fd;
		if (fd >= 0)
			close(fd);
	}
}
