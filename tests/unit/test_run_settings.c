/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "exporters/ctl/run_settings.h"

static struct cli_list exporters, set;
static struct buf out, wrong;

static void begin(void)
{
	exporters.n = set.n = 0;
	buf_init(&out);
	buf_init(&wrong);
}

static void end(void)
{
	buf_release(&out);
	buf_release(&wrong);
}

TestSuite(run_settings, .init = begin, .fini = end);

static const char *words(const char *sample)
{
	struct run_settings s = { NULL, &exporters, sample, &set };

	if (run_settings_words(&s, &out, &wrong))
		return out.p;
	buf_add_byte(&wrong, '\0');
	return wrong.p;
}

Test(run_settings, keys_are_below_tracing_unless_they_are_whole)
{
	set = (struct cli_list){
		{ "sample_rate=0.5", "services.shop.tracing.timeout=3s", "tracing.detail=full" }, 3
	};
	cr_expect_str_eq(words(NULL), "tracing.sample_rate=0.5 services.shop.tracing.timeout=3s "
				      "tracing.detail=full");
}

Test(run_settings, values_are_quoted_where_words_or_yaml_would_split_them)
{
	set = (struct cli_list){
		{ "service_name=my shop", "redact.query=it's", "a=#b", "b='as it is'", "c=" }, 5
	};
	cr_expect_str_eq(words(NULL), "tracing.service_name='my shop' tracing.redact.query='it''s' "
				      "tracing.a='#b' tracing.b='as it is' tracing.c=");
}

Test(run_settings, blanks_within_brackets_go_where_yaml_does_not_need_them)
{
	set = (struct cli_list){ { "routes=[ /a, '/b c' , /d ]" }, 1 };
	cr_expect_str_eq(words(NULL), "tracing.routes=[/a,'/b c',/d]");
}

Test(run_settings, blanks_within_brackets_that_yaml_needs_are_refused)
{
	set = (struct cli_list){ { "resource_attributes={a: b}" }, 1 };
	cr_expect(strstr(words(NULL), "within brackets"));
}

Test(run_settings, exporters_are_a_list_and_their_places)
{
	exporters = (struct cli_list){ { "console", "otlp=http://c:4318/v1/traces", "file=o'k.jsonl" }, 3 };
	cr_expect_str_eq(words("0.1"), "tracing.exporter_type=['console','otlp','file'] "
				       "tracing.otlp.endpoint='http://c:4318/v1/traces' "
				       "tracing.otlp.protocol=http tracing.file.path='o''k.jsonl' "
				       "tracing.sample_rate=0.1");
}

Test(run_settings, a_setting_without_key_or_value_is_told)
{
	set = (struct cli_list){ { "sample_rate" }, 1 };
	cr_expect(strstr(words(NULL), "KEY=VALUE is wanted"));
	set.items[0] = "=3";
	cr_expect(strstr(words(NULL), "KEY=VALUE is wanted"));
	set.items[0] = "a b=3";
	cr_expect(strstr(words(NULL), "KEY=VALUE is wanted"));
}

Test(run_settings, only_some_exporters_go_to_a_place)
{
	exporters = (struct cli_list){ { "console=/dev/tty" }, 1 };
	cr_expect(strstr(words(NULL), "only zipkin, jaeger, otlp and file"));
}
