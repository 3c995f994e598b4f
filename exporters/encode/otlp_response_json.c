/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/otlp_response_json.h"

#include "exporters/base/json_read.h"

/* proto3 JSON: unknown keys are passed over, null is as good as absent, 64-bit numbers may be strings. */

static bool read_i64(struct json_reader *r, int64_t *value)
{
	enum json_token token = json_next(r);

	if (token == JSON_NULL)
		return true;
	return (token == JSON_NUMBER || token == JSON_STRING) && json_to_i64(r->text, value);
}

static bool read_text(struct json_reader *r, char text[RESPONSE_TEXT_SIZE])
{
	enum json_token token = json_next(r);

	if (token == JSON_STRING)
		response_text(text, r->text);
	return token == JSON_STRING || token == JSON_NULL;
}

typedef bool read_member(struct json_reader *r, void *into); /* r->text is the key; it reads the value */

/* The rest of an object that has begun. */
static bool read_members(struct json_reader *r, read_member *member, void *into)
{
	enum json_token token;

	while ((token = json_next(r)) == JSON_KEY)
		if (!member(r, into))
			return false;
	return token == JSON_OBJECT_END;
}

static bool read_object(struct json_reader *r, read_member *member, void *into)
{
	enum json_token token = json_next(r);

	return token == JSON_NULL || (token == JSON_OBJECT && read_members(r, member, into));
}

static bool partial_success_member(struct json_reader *r, void *into)
{
	struct otlp_response *response = into;
	int64_t rejected = 0;

	if (slice_is(r->text, "rejectedSpans")) {
		if (!read_i64(r, &rejected))
			return false;
		response->rejected_spans = rejected > 0 ? (uint64_t)rejected : 0;
		return true;
	}
	return slice_is(r->text, "errorMessage") ? read_text(r, response->message) : json_skip(r);
}

static bool response_member(struct json_reader *r, void *into)
{
	if (slice_is(r->text, "partialSuccess"))
		return read_object(r, partial_success_member, into);
	return json_skip(r);
}

/* "1.5s": at most nine digits behind the point. */
static bool read_duration(struct slice text, uint32_t *ms)
{
	int64_t seconds = 0, nanos = 0;
	size_t i = 0, place = 100000000;

	for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		if (seconds < INT64_MAX / 100)
			seconds = seconds * 10 + (text.p[i] - '0');
	if (i == 0)
		return false;
	if (i < text.n && text.p[i] == '.')
		for (i++; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++, place /= 10)
			nanos += (int64_t)place * (text.p[i] - '0');
	*ms = response_milliseconds(seconds, nanos);
	return i + 1 == text.n && text.p[i] == 's';
}

/* An Any is its message with "@type" among the members, which need not be the first. */
struct detail {
	bool is_retry_info;
	uint32_t retry_after_ms;
};

static bool detail_member(struct json_reader *r, void *into)
{
	struct detail *detail = into;

	if (slice_is(r->text, "@type")) {
		if (json_next(r) != JSON_STRING)
			return false;
		detail->is_retry_info = response_is_retry_info(r->text);
		return true;
	}
	if (!slice_is(r->text, "retryDelay"))
		return json_skip(r);
	return json_next(r) == JSON_STRING && read_duration(r->text, &detail->retry_after_ms);
}

static bool read_details(struct json_reader *r, struct rpc_status *status)
{
	enum json_token token = json_next(r);

	if (token == JSON_NULL)
		return true;
	if (token != JSON_ARRAY)
		return false;
	while ((token = json_next(r)) == JSON_OBJECT) {
		struct detail detail = { 0 };

		if (!read_members(r, detail_member, &detail))
			return false;
		if (detail.is_retry_info && !status->has_retry_info) {
			status->has_retry_info = true;
			status->retry_after_ms = detail.retry_after_ms;
		}
	}
	return token == JSON_ARRAY_END;
}

static bool status_member(struct json_reader *r, void *into)
{
	struct rpc_status *status = into;
	int64_t code = 0;

	if (slice_is(r->text, "code")) {
		if (!read_i64(r, &code))
			return false;
		status->code = code == (int32_t)code ? (int32_t)code : 0;
		return true;
	}
	if (slice_is(r->text, "message"))
		return read_text(r, status->message);
	return slice_is(r->text, "details") ? read_details(r, status) : json_skip(r);
}

static bool read_whole(struct slice body, read_member *member, void *into)
{
	struct json_reader r;
	bool good;

	json_init(&r, body);
	good = read_object(&r, member, into) && json_next(&r) == JSON_END;
	json_release(&r);
	return good;
}

bool otlp_response_read_json(struct otlp_response *response, struct slice body)
{
	return read_whole(body, response_member, response);
}

bool rpc_status_read_json(struct rpc_status *status, struct slice body)
{
	return read_whole(body, status_member, status);
}
