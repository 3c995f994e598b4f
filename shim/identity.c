/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/identity.h"

#include <stdbool.h>
#include <string.h>

#include "shim/abi/table.h"
#include "shim/sys.h"

static uint64_t add(uint64_t hash, const void *p, size_t n) /* FNV-1a, 64 bit */
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Of BentoML's only what we read: it tells its workers much about themselves in others (BENTOML_RUNNER_MAP,
 * ...). */
static bool counts(const char *variable)
{
	static const char *const ours[] = { "BTRACE_", "BENTOML_CONFIG", "OTEL_" };
	static const char *const own[] = { "BTRACE_SERVICE=", "OTEL_SERVICE_NAME=" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(variable, own[i], strlen(own[i])))
			return false;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (!strncmp(variable, ours[i], strlen(ours[i])))
			return true;
	return false;
}

/* Processes see each other's ids and times only within one PID namespace and one time namespace (since
 * Linux 5.6). */
static uint64_t add_namespaces(uint64_t hash)
{
	static const char *const paths[] = { "/proc/self/ns/pid", "/proc/self/ns/time" };
	char name[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		long n = sys3(SYS_readlink, paths[i], (void *)name, sizeof(name));

		hash = add(hash, name, n > 0 ? (size_t)n : 0);
	}
	return hash;
}

void identity_name(char out[64], uint32_t uid, const char *config, char *const *environment)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash[2] = { UINT64_C(0xcbf29ce484222325), UINT64_C(0x6c62272e07bb0142) };
	uint64_t sum = 0;
	uint32_t abi = TABLE_ABI;
	size_t at = 7;

	for (int i = 0; i < 2; i++) {
		hash[i] = add(hash[i], &abi, sizeof(abi));
		hash[i] = add(hash[i], &uid, sizeof(uid));
		hash[i] = add_namespaces(hash[i]);
		hash[i] = add(hash[i], config, strlen(config) + 1);
	}
	/* A sum, as the order of the variables says nothing. */
	for (; *environment; environment++)
		if (counts(*environment))
			sum += add(hash[0], *environment, strlen(*environment) + 1);
	hash[0] = add(hash[0], &sum, sizeof(sum));
	hash[1] = add(hash[1], &sum, sizeof(sum));
	memcpy(out, "btrace-", at);
	for (int i = 0; i < 2; i++)
		for (int shift = 60; shift >= 0; shift -= 4)
			out[at++] = digits[hash[i] >> shift & 15];
	out[at] = 0;
}
