/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strptime, timegm */
#include "exporters/transport/http_answer.h"

#include <string.h>
#include <time.h>

#include "exporters/base/buf.h"
#include "exporters/base/utf8.h"
#include "exporters/encode/otlp_response.h"
#include "exporters/transport/answer.h"
#include "exporters/transport/endpoint_url.h"
#include "exporters/transport/retry.h"

enum { RETRY_AFTER_MAX_S = RETRY_WISH_MAX_MS / 1000 };

static const struct {
	int status;
	const char *hint;
} hints[] = {
	{ 400, "the receiver could not read it" },
	{ 401, "credentials are missing or wrong" },
	{ 403, "credentials are missing or wrong" },
	{ 404, "is the path right?" },
	{ 405, "is the path right?" },
	{ 407, "the proxy wants credentials" },
	{ 413, "the payload is too large" },
	{ 415, "the receiver takes no such content" },
	{ 429, "too many requests" },
	{ 501, "is the path right?" },
	{ 502, "bad gateway" },
	{ 503, "service unavailable" },
	{ 504, "gateway timeout" },
};

static const char *hint_of(int status)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i].status == status)
			return hints[i].hint;
	return NULL;
}

static bool again(int status, enum answer_rules rules)
{
	switch (status) {
	case 429:
	case 502:
	case 503:
	case 504: return true;
	default: return rules == ANSWERS_PLAIN && status >= 500;
	}
}

/* The first line of a text body; empty for HTML and binary things. */
static struct slice first_line(struct slice body)
{
	size_t n = 0;

	while (body.n && (body.p[0] == ' ' || body.p[0] == '\n' || body.p[0] == '\r' || body.p[0] == '\t'))
		body = (struct slice){ body.p + 1, body.n - 1 };
	if (body.n == 0 || body.p[0] == '<')
		return (struct slice){ NULL, 0 };
	while (n < body.n && n < RESPONSE_TEXT_SIZE && body.p[n] && body.p[n] != '\n' && body.p[n] != '\r')
		n++;
	n = utf8_cut((struct slice){ body.p, n }, n);
	return utf8_valid((struct slice){ body.p, n }) ? (struct slice){ body.p, n }
						       : (struct slice){ NULL, 0 };
}

static void explain(struct send_report *report, const struct http_answer *answer, enum answer_rules rules)
{
	const char *hint = hint_of(answer->status);
	struct slice text = first_line(answer->body);
	struct rpc_status status;

	if (rules == ANSWERS_OTLP && rpc_status_read(&status, answer->body, answer->json) &&
	    status.message[0])
		text = slice_of(status.message);
	answer_say(report, "HTTP %d%s%s%s%.*s", answer->status, hint ? ", " : "", hint ? hint : "",
		   text.n ? ": " : "", (int)text.n, text.n ? text.p : "");
}

/* Where to, without credentials and query. */
static void explain_redirect(struct send_report *report, const struct http_answer *answer)
{
	struct endpoint_url url;
	struct buf where;

	buf_init(&where);
	if (endpoint_url_parse(&url, answer->location) && url.scheme.n) {
		const char *query = url.rest.n ? memchr(url.rest.p, '?', url.rest.n) : NULL;

		url.rest.n = query ? (size_t)(query - url.rest.p) : url.rest.n;
		buf_add_text(&where, " to ");
		endpoint_url_write(&where, &url, url.scheme, url.rest);
	}
	answer_say(report, "HTTP %d: a redirect%.*s, which is not followed", answer->status, (int)where.n,
		   where.n ? where.p : "");
	buf_release(&where);
}

void http_answer_judge(struct send_report *report, const struct http_answer *answer, enum answer_rules rules)
{
	int status = answer->status;

	*report = (struct send_report){ .result = SEND_REFUSED };
	if (status >= 200 && status < 300) {
		answer_taken(report, answer->body, answer->json, rules);
		return;
	}
	explain(report, answer, rules);
	if (status >= 300 && status < 400) {
		explain_redirect(report, answer);
	} else if (status == 413) {
		report->result = SEND_TOO_LARGE;
	} else if (again(status, rules)) {
		report->result = SEND_RETRY;
		report->retry_after_ms = answer->retry_after_s < RETRY_AFTER_MAX_S
						 ? answer->retry_after_s * 1000
						 : RETRY_WISH_MAX_MS;
	}
}

static int64_t read_date(const char *text)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
		"%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
		"%a %b %d %H:%M:%S %Y",      /* asctime */
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end)
			return timegm(&tm);
	}
	return 0;
}

uint32_t http_retry_after_s(struct slice value, int64_t now_unix_s)
{
	char text[48];
	int64_t seconds = 0;
	size_t digits = 0;

	while (value.n && (value.p[0] == ' ' || value.p[0] == '\t'))
		value = (struct slice){ value.p + 1, value.n - 1 };
	while (value.n && strchr(" \t\r\n", value.p[value.n - 1]))
		value.n--;
	if (value.n == 0 || value.n >= sizeof(text))
		return 0;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	while (text[digits] >= '0' && text[digits] <= '9' && seconds < RETRY_AFTER_MAX_S)
		seconds = seconds * 10 + text[digits++] - '0';
	if (digits == 0) {
		seconds = read_date(text);
		seconds = seconds > now_unix_s ? seconds - now_unix_s : 0;
	} else if (strspn(text, "0123456789") != value.n) {
		return 0;
	}
	return seconds < RETRY_AFTER_MAX_S ? (uint32_t)seconds : RETRY_AFTER_MAX_S;
}
