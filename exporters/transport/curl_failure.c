/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "exporters/transport/curl_client.h"

/* Of a UNIX socket libcurl says that it cannot connect to port 80 of localhost. */
static bool socket_error(const struct curl_slot *slot, CURLcode code, struct send_report *report)
{
	long error = 0;

	if (code != CURLE_COULDNT_CONNECT || !slot->client->endpoint->unix_path ||
	    curl_easy_getinfo(slot->easy, CURLINFO_OS_ERRNO, &error) != CURLE_OK || !error)
		return false;
	snprintf(report->message, sizeof(report->message), "cannot connect: %.180s", strerror((int)error));
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
	case CURLE_PEER_FAILED_VERIFICATION: hint = ", does it need a ca_file?"; break;
	default: break;
	}
	snprintf(report->message, sizeof(report->message), "%.200s%s",
		 slot->error[0] ? slot->error : curl_easy_strerror(code), hint);
}
