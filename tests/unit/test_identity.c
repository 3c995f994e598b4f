/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "shim/identity.h"

static const char *name_of(const char *const *environment)
{
	static char names[4][64];
	static unsigned next;
	char *name = names[next++ % 4];

	identity_name(name, 1000, "/etc/btrace.yml", (char *const *)environment);
	return name;
}

static const char *plain[] = { "PATH=/bin", "BTRACE_LEDGER=/l", "OTEL_TRACES_SAMPLER_ARG=1", NULL };

Test(identity, order_and_foreign_variables_do_not_matter)
{
	const char *other[] = { "OTEL_TRACES_SAMPLER_ARG=1", "HOME=/", "BTRACE_LEDGER=/l", "PATH=/usr/bin",
				NULL };

	cr_assert_str_eq(name_of(plain), name_of(other));
}

Test(identity, what_configures_does)
{
	const char *ledger[] = { "BTRACE_LEDGER=/m", "OTEL_TRACES_SAMPLER_ARG=1", NULL };
	const char *options[] = { "BTRACE_LEDGER=/l", "OTEL_TRACES_SAMPLER_ARG=1",
				  "BENTOML_CONFIG_OPTIONS=a.b=c", NULL };
	const char *overrides[] = { "BTRACE_LEDGER=/l", "OTEL_TRACES_SAMPLER_ARG=1",
				    "BENTOML_CONFIG_OVERRIDES={}", NULL };

	cr_assert_str_neq(name_of(plain), name_of(ledger));
	cr_assert_str_neq(name_of(plain), name_of(options));
	cr_assert_str_neq(name_of(plain), name_of(overrides));
}

Test(identity, the_service_name_is_a_process_matter)
{
	const char *named[] = { "BTRACE_LEDGER=/l", "OTEL_TRACES_SAMPLER_ARG=1", "BTRACE_SERVICE=x",
				"OTEL_SERVICE_NAME=y", NULL };

	cr_assert_str_eq(name_of(plain), name_of(named));
}

/* BentoML sets these for its workers, which must share an exporter with the process that started them. */
Test(identity, bentomls_own_variables_do_not_matter)
{
	const char *worker[] = {
		"BTRACE_LEDGER=/l",          "OTEL_TRACES_SAMPLER_ARG=1", "BENTOML_RUNNER_MAP={\"a\": \"b\"}",
		"BENTOML_DO_NOT_TRACK=True", "BENTOML_VERBOSITY=0",       NULL
	};

	cr_assert_str_eq(name_of(plain), name_of(worker));
}
