/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/retry.h"

uint32_t retry_delay_ms(uint32_t tries, uint32_t random)
{
	uint64_t delay = RETRY_FIRST_MS;

	for (uint32_t i = 1; i < tries && delay < RETRY_MAX_MS; i++)
		delay += delay / 2;
	if (delay > RETRY_MAX_MS)
		delay = RETRY_MAX_MS;
	return (uint32_t)(delay / 2 + ((delay * random) >> 32));
}

uint64_t retry_due_ms(uint64_t now_ms, uint64_t first_try_ms, uint32_t total_ms, uint32_t tries,
		      uint32_t wish_ms, uint32_t random)
{
	uint64_t total = total_ms ? total_ms : RETRY_TOTAL_MS;
	uint64_t delay = retry_delay_ms(tries, random);
	uint64_t spent = now_ms > first_try_ms ? now_ms - first_try_ms : 0;

	if (delay < wish_ms)
		delay = wish_ms;
	return spent + delay > total ? 0 : now_ms + delay;
}
