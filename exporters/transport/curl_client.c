/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/curl_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "exporters/transport/answer.h"
#include "exporters/transport/curl_setup.h"
#include "exporters/transport/endpoint_url.h"
#include "exporters/transport/http_answer.h"

enum { PEM_MAX = 1 << 20 };

bool curl_client_is_old(void) { return curl_version_info(CURLVERSION_NOW)->version_num < 0x080100; }

uint32_t curl_client_timeout_ms(const struct endpoint *endpoint)
{
	return endpoint->timeout_ms ? endpoint->timeout_ms : TIMEOUT_MS;
}

/* --- open --- */

static int read_file(struct buf *out, const char *path, const char *what, char error[256])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc = 0;
	ssize_t n = -1;

	if (fd >= 0) {
		while (out->n <= PEM_MAX && buf_reserve(out, 4096) &&
		       (n = read(fd, out->p + out->n, 4096)) > 0)
			out->n += (size_t)n;
		rc = n < 0              ? -errno
		     : out->failed      ? -ENOMEM
		     : out->n > PEM_MAX ? -EFBIG
		     : out->n           ? 0
					: -ENODATA;
		close(fd);
	} else {
		rc = -errno;
	}
	if (rc < 0)
		snprintf(error, 256, "cannot read the %s \"%.150s\": %s", what, path, strerror(-rc));
	return rc;
}

static int read_files(struct curl_client *client, char error[256])
{
	const struct endpoint *e = client->endpoint;
	int rc = e->ca_file ? read_file(&client->ca, e->ca_file, "CA file", error) : 0;

	if (rc == 0 && e->cert_file)
		rc = read_file(&client->cert, e->cert_file, "client certificate", error);
	if (rc == 0 && e->key_file)
		rc = read_file(&client->key, e->key_file, "client key", error);
	return rc;
}

static int set_url(struct curl_client *client, const char *rest, char error[256])
{
	const struct endpoint *e = client->endpoint;
	struct endpoint_url url;
	struct slice scheme;

	if (!e->url || !endpoint_url_parse(&url, slice_of(e->url)) || (url.scheme.n == 0 && !client->grpc)) {
		snprintf(error, 256, "the endpoint is no URL of the form http://host:port/path");
		return -EINVAL;
	}
	scheme = client->grpc ? endpoint_url_grpc_scheme(&url, e->insecure) : url.scheme;
	endpoint_url_write(&client->url, &url, scheme, rest ? slice_of(rest) : url.rest);
	buf_add_byte(&client->url, '\0');
	if (e->user)
		buf_add_text(&client->user, e->user);
	else
		endpoint_url_decode(&client->user, url.user);
	if (e->password)
		buf_add_text(&client->password, e->password);
	else
		endpoint_url_decode(&client->password, url.password);
	buf_add_byte(&client->user, '\0');
	buf_add_byte(&client->password, '\0');
	return client->url.failed || client->user.failed || client->password.failed ? -ENOMEM : 0;
}

int curl_client_header(struct curl_client *client, const char *line)
{
	size_t n = strlen(line);
	struct curl_slist *longer;
	struct buf text;

	buf_init(&text);
	buf_add(&text, line, n);
	while (text.n && text.p[text.n - 1] == ' ')
		text.n--;
	/* libcurl takes "Name:" for "leave it out", and "Name;" for an empty value. */
	if (text.n && text.n < n && text.p[text.n - 1] == ':')
		text.p[text.n - 1] = ';';
	buf_add_byte(&text, '\0');
	longer = text.failed ? NULL : curl_slist_append(client->headers, text.p);
	buf_release(&text);
	if (!longer)
		return -ENOMEM;
	client->headers = longer;
	return 0;
}

static bool is_ours(const char *line)
{
	static const char *const names[] = {
		"content-type", "content-encoding", "content-length", "transfer-encoding",
		"te",           "expect",           "connection"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (strncasecmp(line, names[i], n) == 0 && line[n] == ':')
			return true;
	}
	return strncasecmp(line, "grpc-", 5) == 0;
}

int curl_client_headers(struct curl_client *client)
{
	int rc = 0;

	for (const char *const *line = client->endpoint->headers; line && *line && rc == 0; line++)
		if (!is_ours(*line))
			rc = curl_client_header(client, *line);
	return rc;
}

int curl_client_open(struct curl_client *client, const struct endpoint *endpoint, const char *rest,
		     struct transport_loop *loop, char error[256])
{
	int rc;

	client->endpoint = endpoint;
	client->loop = loop;
	for (unsigned i = 0; i < CURL_SLOTS; i++)
		client->slots[i].client = client;
	rc = loop_start_network(loop);
	if (rc == 0)
		rc = set_url(client, rest, error);
	return rc < 0 ? rc : read_files(client, error);
}

void curl_client_close(struct curl_client *client)
{
	for (unsigned i = 0; i < CURL_SLOTS; i++) {
		struct curl_slot *slot = &client->slots[i];

		if (slot->busy)
			loop_transfer_cancel(client->loop, slot->easy);
		if (slot->easy)
			curl_easy_cleanup(slot->easy);
		buf_release(&slot->body);
		buf_release(&slot->answer);
	}
	curl_slist_free_all(client->headers);
	buf_release(&client->url);
	buf_release(&client->user);
	buf_release(&client->password);
	buf_release(&client->ca);
	buf_release(&client->cert);
	buf_release(&client->key);
}

/* --- the answer --- */

size_t curl_slot_take_answer(char *p, size_t size, size_t n, void *context)
{
	struct curl_slot *slot = context;
	size_t room = ANSWER_KEPT - slot->answer.n;

	n *= size;
	buf_add(&slot->answer, p, n < room ? n : room);
	slot->answer_bytes += n;
	return slot->answer_bytes > ANSWER_MAX ? 0 : n; /* 0 ends the transfer */
}

size_t curl_slot_take_header(char *p, size_t size, size_t n, void *context)
{
	struct curl_slot *slot = context;
	struct slice line = { p, n * size };

	if (line.n >= 5 && memcmp(line.p, "HTTP/", 5) == 0) { /* a new head, after a 100 or so */
		slot->head_done = false;
		grpc_answer_init(&slot->grpc);
		slot->retry_after_s = 0;
	} else if (line.n && (line.p[0] == '\r' || line.p[0] == '\n')) {
		slot->head_done = true;
	} else if (slot->client->grpc) {
		grpc_answer_header(&slot->grpc, line);
	} else if (line.n > 12 && strncasecmp(line.p, "retry-after:", 12) == 0) {
		slot->retry_after_s =
			http_retry_after_s((struct slice){ line.p + 12, line.n - 12 }, time(NULL));
	}
	return line.n;
}

/* Of a UNIX socket libcurl says that it cannot connect to port 80 of localhost. */
static bool socket_error(const struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	long error = 0;

	if (code != CURLE_COULDNT_CONNECT || !slot->client->endpoint->unix_path ||
	    curl_easy_getinfo(slot->easy, CURLINFO_OS_ERRNO, &error) != CURLE_OK || !error)
		return false;
	answer_say(report, "cannot connect: %s", strerror((int)error));
	return true;
}

void curl_client_failure(const struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	const char *hint = "";

	*report = (struct send_report){ .result = SEND_RETRY };
	if (socket_error(slot, code, report))
		return;
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL: /* also: "HTTP/0.9", the answer is no HTTP */
	case CURLE_WEIRD_SERVER_REPLY:
		report->result = SEND_REFUSED;
		hint = ", is this the right port?";
		break;
	case CURLE_WRITE_ERROR: /* ours: the answer is beyond ANSWER_MAX */
	case CURLE_URL_MALFORMAT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER: report->result = SEND_REFUSED; break;
	case CURLE_PEER_FAILED_VERIFICATION: hint = ", does it need a certificate_file?"; break;
	default: break;
	}
	answer_say(report, "%s%s", slot->error[0] ? slot->error : curl_easy_strerror(code), hint);
}

static void slot_finished(struct loop_transfer *transfer, int code)
{
	struct curl_slot *slot = (struct curl_slot *)transfer;
	struct send_report report = { 0 };

	slot->busy = false;
	slot->client->judge(slot, (CURLcode)code, &report);
	slot->done(slot->context, &report);
}

/* --- the request --- */

struct curl_slot *curl_client_slot(struct curl_client *client)
{
	unsigned i = 0;

	while (i < CURL_SLOTS - 1 && client->slots[i].busy)
		i++;
	buf_clear(&client->slots[i].body);
	return &client->slots[i];
}

void curl_client_start(struct curl_slot *slot, struct slice body, send_done *done, void *context)
{
	struct send_report report = { .result = SEND_RETRY };

	slot->done = done;
	slot->context = context;
	slot->transfer.finished = slot_finished;
	slot->head_done = false;
	slot->answer_bytes = 0;
	slot->retry_after_s = 0;
	slot->error[0] = '\0';
	buf_clear(&slot->answer);
	grpc_answer_init(&slot->grpc);
	if (curl_slot_open(slot) == 0 &&
	    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, body.n ? body.p : "") == CURLE_OK &&
	    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n) == CURLE_OK &&
	    loop_transfer_start(slot->client->loop, slot->easy, &slot->transfer) == 0) {
		slot->busy = true;
		return;
	}
	answer_say(&report, "%s", slot->error[0] ? slot->error : "libcurl cannot begin a transfer");
	done(context, &report);
}
