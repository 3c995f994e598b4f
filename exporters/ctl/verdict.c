/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/verdict.h"

#include <errno.h>
#include <string.h>

#include "exporters/ctl/term.h"

int verdict_load(struct expectation *e, const char *path)
{
	struct config_report report = CONFIG_REPORT_INIT;
	int rc = expectation_load(e, path, &report);
	struct buf text;

	buf_init(&text);
	config_report_text(&report, &text);
	if (text.n)
		fwrite(text.p, 1, text.n, stderr);
	buf_release(&text);
	config_report_release(&report);
	return rc ? 2 : 0;
}

int verdict_write(const char *path, FILE *out, const struct buf *text)
{
	FILE *f = path ? fopen(path, "we") : out;
	bool ok = f && !text->failed && fwrite(text->p, 1, text->n, f) == text->n && !fflush(f);

	if (!ok)
		fprintf(stderr, "btracectl: %s: %s\n", path ? path : "output", strerror(errno));
	if (f && path)
		ok &= !fclose(f);
	return ok ? 0 : 2;
}

static int tell(const struct verdict *v, const struct expect_result *result, const char *suite)
{
	struct buf text;
	struct term term;
	int rc = 0;

	buf_init(&text);
	if (v->junit) {
		expect_print_junit(&text, result, suite);
		rc = verdict_write(v->junit, NULL, &text);
		buf_clear(&text);
	}
	term_init(&term, fileno(v->out), v->colour);
	if (v->json)
		expect_print_json(&text, result);
	else
		expect_print(&text, &term, result, v->verbose);
	if (verdict_write(NULL, v->out, &text))
		rc = 2;
	buf_release(&text);
	return rc ? rc : result->failed > 0;
}

int verdict_give(const struct verdict *v, const struct expectation *e, const struct trace_set *set,
		 const char *suite)
{
	struct expect_result result;
	int rc;

	expect_result_init(&result);
	rc = expect_run(e, set, &result);
	if (rc)
		fprintf(stderr, "btracectl: %s\n", strerror(-rc));
	else if (v->ledger)
		rc = expect_ledger(v->ledger, set, &result);
	rc = rc ? 2 : tell(v, &result, suite);
	expect_result_release(&result);
	return rc;
}
