/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/curl_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "exporters/base/version.h"
#include "exporters/transport/endpoint_url.h"
#include "exporters/transport/http_answer.h"

enum { PEM_MAX = 1 << 20, DNS_CACHE_S = 10, CONNECTION_LIFE_S = 300, CONNECT_MS = 10000 };

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

static size_t take_answer(char *p, size_t size, size_t n, void *context)
{
	struct curl_slot *slot = context;
	size_t room = ANSWER_KEPT - slot->answer.n;

	n *= size;
	buf_add(&slot->answer, p, n < room ? n : room);
	slot->answer_bytes += n;
	return slot->answer_bytes > ANSWER_MAX ? 0 : n; /* 0 ends the transfer */
}

static size_t take_header(char *p, size_t size, size_t n, void *context)
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

void curl_client_failure(const struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	const char *hint = "";

	*report = (struct send_report){ .result = SEND_RETRY };
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
	case CURLE_PEER_FAILED_VERIFICATION: hint = ", does it need a ca_file?"; break;
	default: break;
	}
	snprintf(report->message, sizeof(report->message), "%.200s%s",
		 slot->error[0] ? slot->error : curl_easy_strerror(code), hint);
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

/* A handle that is being set up, and the first thing that went wrong. */
struct setup {
	CURL *easy;
	CURLcode rc;
};

static void set_number(struct setup *s, CURLoption option, long value)
{
	if (s->rc == CURLE_OK)
		s->rc = curl_easy_setopt(s->easy, option, value);
}

static void set_pointer(struct setup *s, CURLoption option, const void *value)
{
	if (s->rc == CURLE_OK)
		s->rc = curl_easy_setopt(s->easy, option, value);
}

static void set_pem(struct setup *s, CURLoption option, const struct buf *pem)
{
	struct curl_blob blob = { pem->p, pem->n, CURL_BLOB_NOCOPY };

	if (pem->n)
		set_pointer(s, option, &blob);
}

static void set_safety(struct setup *s, const struct curl_client *client)
{
	const struct endpoint *e = client->endpoint;

	set_number(s, CURLOPT_NOSIGNAL, 1);
	set_number(s, CURLOPT_FOLLOWLOCATION, 0);
	set_number(s, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	set_pointer(s, CURLOPT_PROTOCOLS_STR, "http,https");
	set_number(s, CURLOPT_QUICK_EXIT, 1); /* a name server that hangs must not hold up the end */
	if (!e->use_proxy_environment) {
		set_pointer(s, CURLOPT_PROXY, "");
		set_pointer(s, CURLOPT_NOPROXY, "*");
	}
	set_number(s, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	set_number(s, CURLOPT_SSL_VERIFYPEER, !e->insecure);
	set_number(s, CURLOPT_SSL_VERIFYHOST, e->insecure ? 0 : 2);
	set_pem(s, CURLOPT_CAINFO_BLOB, &client->ca);
	set_pem(s, CURLOPT_SSLCERT_BLOB, &client->cert);
	set_pem(s, CURLOPT_SSLKEY_BLOB,
		client->key.n ? &client->key : &client->cert); /* a file may hold both */
}

/* libcurl 7.88 (Debian 12) lays HTTP/2 over HTTP/2 when prior knowledge meets a connection that is taken up
 * again: each request after the first fails, for good (curl issue 10634, mended in 8.0). A connection for
 * each payload then. */
static bool reuse_is_broken(const struct curl_client *client, long version)
{
	unsigned number = curl_version_info(CURLVERSION_NOW)->version_num;

	return client->grpc && version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE && number >= 0x075800 &&
	       number < 0x080000;
}

static void set_connection(struct setup *s, const struct curl_client *client)
{
	const struct endpoint *e = client->endpoint;
	uint32_t timeout = curl_client_timeout_ms(e);
	long version = CURL_HTTP_VERSION_1_1;

	if (client->grpc)
		version = strncmp(client->url.p, "https:", 6) == 0 ? CURL_HTTP_VERSION_2TLS
								   : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	set_pointer(s, CURLOPT_URL, client->url.p);
	set_number(s, CURLOPT_HTTP_VERSION, version);
	set_number(s, CURLOPT_PIPEWAIT, client->grpc && !reuse_is_broken(client, version));
	set_number(s, CURLOPT_FRESH_CONNECT, reuse_is_broken(client, version));
	set_number(s, CURLOPT_FORBID_REUSE, reuse_is_broken(client, version));
	/* gRPC servers know the time too, and get the chance to say so. */
	set_number(s, CURLOPT_TIMEOUT_MS, (long)timeout + (client->grpc ? 500 : 0));
	set_number(s, CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? (long)timeout : CONNECT_MS);
	set_number(s, CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_S);
	set_number(s, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S);
	set_number(s, CURLOPT_TCP_KEEPALIVE, 1);
	if (e->unix_path && e->unix_path[0] == '@')
		set_pointer(s, CURLOPT_ABSTRACT_UNIX_SOCKET, e->unix_path + 1);
	else if (e->unix_path)
		set_pointer(s, CURLOPT_UNIX_SOCKET_PATH, e->unix_path);
}

static void set_request(struct setup *s, struct curl_slot *slot)
{
	const struct curl_client *client = slot->client;

	set_number(s, CURLOPT_POST, 1);
	set_pointer(s, CURLOPT_HTTPHEADER, client->headers);
	set_pointer(s, CURLOPT_USERAGENT, "btrace/" BTRACE_VERSION);
	if (client->user.p[0] || client->password.p[0]) {
		set_number(s, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		set_pointer(s, CURLOPT_USERNAME, client->user.p);
		set_pointer(s, CURLOPT_PASSWORD, client->password.p);
	}
	set_pointer(s, CURLOPT_ERRORBUFFER, slot->error);
	set_pointer(s, CURLOPT_WRITEDATA, slot);
	set_pointer(s, CURLOPT_HEADERDATA, slot);
	if (s->rc == CURLE_OK)
		s->rc = curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, take_answer);
	if (s->rc == CURLE_OK)
		s->rc = curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, take_header);
}

static int slot_open(struct curl_slot *slot)
{
	struct setup s = { slot->easy ? slot->easy : curl_easy_init(), CURLE_OK };

	if (slot->easy)
		return 0;
	if (!s.easy)
		return -ENOMEM;
	set_safety(&s, slot->client);
	set_connection(&s, slot->client);
	set_request(&s, slot);
	if (s.rc != CURLE_OK) {
		snprintf(slot->error, sizeof(slot->error), "libcurl: %s", curl_easy_strerror(s.rc));
		curl_easy_cleanup(s.easy);
		return -EINVAL;
	}
	slot->easy = s.easy;
	return 0;
}

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
	if (slot_open(slot) == 0 &&
	    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, body.n ? body.p : "") == CURLE_OK &&
	    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n) == CURLE_OK &&
	    loop_transfer_start(slot->client->loop, slot->easy, &slot->transfer) == 0) {
		slot->busy = true;
		return;
	}
	snprintf(report.message, sizeof(report.message), "%.200s",
		 slot->error[0] ? slot->error : "libcurl cannot begin a transfer");
	done(context, &report);
}
