/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/curl_setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporters/base/version.h"

enum { DNS_CACHE_S = 10, CONNECTION_LIFE_S = 300, CONNECT_MS = 10000 };

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
		s->rc = curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, curl_slot_take_answer);
	if (s->rc == CURLE_OK)
		s->rc = curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, curl_slot_take_header);
}

int curl_slot_open(struct curl_slot *slot)
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
