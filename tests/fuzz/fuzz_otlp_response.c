/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server answers: read, or refused with nothing left behind; texts are always fit for a line. */
/* clang-format off
 * FUZZ_SOURCES: exporters/encode/otlp_response.c exporters/encode/otlp_response_json.c build/gen/answer.pb-c.c
 * FUZZ_SOURCES: exporters/base/arena.c exporters/base/base64.c exporters/base/buf.c exporters/base/json_read.c
 * FUZZ_SOURCES: exporters/base/number.c exporters/base/utf8.c
 * FUZZ_LIBS: -lprotobuf-c -lm
 * clang-format on */
#include <stdlib.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/encode/otlp_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_text(const char text[RESPONSE_TEXT_SIZE])
{
	size_t n = strnlen(text, RESPONSE_TEXT_SIZE);

	CHECK(n < RESPONSE_TEXT_SIZE);
	CHECK(utf8_valid((struct slice){ text, n }));
	for (size_t i = 0; i < n; i++)
		CHECK((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_status(bool good, const struct rpc_status *status)
{
	check_text(status->message);
	CHECK(good || (!status->code && !status->has_retry_info && !status->message[0]));
	CHECK(status->has_retry_info || !status->retry_after_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { (const char *)data, size };
	struct otlp_response response;
	struct rpc_status status;
	char message[RESPONSE_TEXT_SIZE];

	for (int json = 0; json < 2; json++) {
		bool good = otlp_response_read(&response, bytes, json);

		check_text(response.message);
		CHECK(good || (!response.rejected_spans && !response.message[0]));
		check_status(rpc_status_read(&status, bytes, json), &status);
	}
	check_status(rpc_status_read_header(&status, bytes), &status);
	rpc_message_read(message, bytes);
	check_text(message);
	return 0;
}
