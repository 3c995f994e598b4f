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

/* The compiler stops at the first bad pattern; people want to hear of all. */
static void refuse_each(struct loader *l, void *room, const struct exclude_error *whole)
{
	const struct config_list *list = &l->config->excluded_urls;
	struct exclude_error error;
	size_t used, told = 0;

	for (size_t i = 0; i < list->n && told < REPORT_MAX; i++) {
		if (exclude_compile(&list->items[i].text, 1, room, AUTOMATON_ROOM, &used, &error) != -EINVAL)
			continue;
		refuse_pattern(l, &list->items[i], &error);
		told++;
	}
	if (!told && whole->pattern < list->n)
		refuse_pattern(l, &list->items[whole->pattern], whole);
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
		refuse_each(l, room, &error);
	else if (rc == -E2BIG && error.pattern < list->n)
		refuse_pattern(l, &list->items[error.pattern], &error);
	else if (rc)
		report_error(l->report, l->config->marks[CONFIG_excluded_urls],
			     "tracing.excluded_urls: too much for one automaton");
	else
		l->config->exclusion = arena_copy(l->arena, (struct slice){ room, used });
	free(room);
}
