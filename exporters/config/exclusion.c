/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "exporters/config/loader.h"
#include "exporters/policy/exclude.h"

enum { AUTOMATON_ROOM = POLICY_BYTES - POLICY_HEAD_BYTES };

static void refuse_pattern(struct loader *l, const struct config_item *item,
			   const struct exclude_error *error)
{
	char shown[REPORT_QUOTE_MAX];

	report_error(l->report, item->mark, "tracing.excluded_urls: %s: %s (character %zu)",
		     report_quote(shown, item->text), error->text, error->offset + 1);
}

/*
 * The compiler stops at the first pattern that it cannot read; people want to hear
 * of all. It reads all before it builds anything, so each further error costs only
 * reading; the round without one builds what the first would have.
 */
static void refuse_all(struct loader *l, const char *const *patterns, void *room, struct exclude_error error)
{
	const struct config_list *list = &l->config->excluded_urls;
	size_t from = 0, used;
	int rc = -EINVAL;

	for (int told = 0; rc == -EINVAL && error.pattern < list->n - from && told < REPORT_MAX; told++) {
		refuse_pattern(l, &list->items[from + error.pattern], &error);
		from += error.pattern + 1;
		rc = exclude_compile(patterns + from, list->n - from, room, AUTOMATON_ROOM, &used, &error);
	}
}

/* A byte is only ever written where the compiler puts it: no megabyte is touched for three words. */
void exclusion_finish(struct loader *l)
{
	const struct config_list *list = &l->config->excluded_urls;
	const char **patterns = list->n ? arena_take(l->arena, list->n * sizeof(*patterns)) : NULL;
	void *room = patterns ? malloc(AUTOMATON_ROOM) : NULL;
	struct exclude_error error = { 0 };
	size_t used = 0;
	int rc;

	if (!patterns || !room) {
		l->arena->failed |= list->n > 0;
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		patterns[i] = list->items[i].text;
	rc = exclude_compile(patterns, list->n, room, AUTOMATON_ROOM, &used, &error);
	if (rc == -EINVAL)
		refuse_all(l, patterns, room, error);
	else if (rc == -E2BIG && error.pattern < list->n)
		refuse_pattern(l, &list->items[error.pattern], &error);
	else if (rc)
		report_error(l->report, l->config->marks[CONFIG_excluded_urls],
			     "tracing.excluded_urls: too much for one automaton");
	else
		l->config->exclusion = arena_copy(l->arena, (struct slice){ room, used });
	free(room);
}
