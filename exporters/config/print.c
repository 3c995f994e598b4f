/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/base/number.h"
#include "exporters/config/option.h"

/* A column of names, without the marks that only the program reads. */
static void add_names(struct buf *out, const char *names, const char *quote)
{
	const char *comma = "";
	char word[96];

	for (const char *p = names; option_word(&p, ' ', word, sizeof(word)); comma = ", ") {
		word[strcspn(word, "!:")] = '\0';
		buf_printf(out, "%s%s%s%s", comma, quote, word, quote);
	}
}

static void explain(struct buf *out, const struct option *option)
{
	buf_printf(out, "tracing.%s\n    %s\n    allowed: ", option->path, option->help);
	option_allowed_text(option, out);
	buf_printf(out, "\n    default: %s\n", option->def ? option->def : "not set");
	if (option->others) {
		buf_add_text(out, "    older names: ");
		add_names(out, option->others, "");
		buf_add_byte(out, '\n');
	}
	if (option->environment) {
		buf_add_text(out, "    environment: ");
		add_names(out, option->environment, "");
		buf_add_byte(out, '\n');
	}
	buf_printf(out, "    read by: %s\n\n", option->reader);
}

size_t config_print_explain(struct buf *out, const char *only)
{
	size_t n = 0;

	for (size_t id = 0; id < CONFIG_OPTIONS; id++) {
		const struct option *option = &config_options[id];

		if (only && !strstr(option->path, only) &&
		    !(option->others && strstr(option->others, only)) &&
		    !(option->environment && strstr(option->environment, only)))
			continue;
		explain(out, option);
		n++;
	}
	return n;
}

/* Markdown tables have no way to write a bar but this. */
static void add_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (uint8_t)*text);
	}
}

void config_print_markdown(struct buf *out)
{
	buf_add_text(out, "| option below `tracing` | value | default | what it does | environment |\n"
			  "|---|---|---|---|---|\n");
	for (size_t id = 0; id < CONFIG_OPTIONS; id++) {
		const struct option *option = &config_options[id];

		buf_printf(out, "| `%s`", option->path);
		if (option->others) {
			buf_add_text(out, " (older: ");
			add_names(out, option->others, "`");
			buf_add_byte(out, ')');
		}
		buf_add_text(out, " | ");
		option_allowed_text(option, out);
		buf_add_text(out, " | ");
		if (option->def)
			buf_printf(out, "`%s`", option->def);
		buf_add_text(out, " | ");
		add_cell(out, option->help);
		buf_add_text(out, " | ");
		add_names(out, option->environment, "`");
		buf_add_text(out, " |\n");
	}
}

static void add_list(struct buf *out, const struct config_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "%s%s", i ? ", " : "", list->items[i].text);
}

static const char *choice(const struct option *option, int value, char out[64])
{
	const char *p = option->allowed;

	for (int i = 0; i <= value; i++)
		if (!option_word(&p, '|', out, 64))
			return "";
	return out;
}

/* Durations and sizes are shown exactly, in the largest unit in which they are whole. */
static void add_scaled(struct buf *out, uint64_t value, const char *const names[], const uint64_t factors[])
{
	size_t i = 0;

	while (factors[i] > 1 && (value == 0 || value % factors[i] != 0))
		i++;
	buf_add_u64(out, value / factors[i]);
	buf_add_text(out, names[i]);
}

static void add_value(struct buf *out, const struct config *c, size_t id)
{
	static const char *const times[] = { "s", "ms", "us", "ns" }, *const sizes[] = { "GiB", "MiB", "KiB",
											 "" };
	static const uint64_t time_factors[] = { 1000000000, 1000000, 1000, 1 },
			      size_factors[] = { 1 << 30, 1 << 20, 1 << 10, 1 };
	const struct option *option = &config_options[id];
	const void *field = (const char *)c + option->offset;
	char word[64];

	switch (option->type) {
	case OPTION_BOOL: buf_add_text(out, *(const bool *)field ? "true" : "false"); break;
	case OPTION_RATE: buf_add(out, word, number_double(word, *(const double *)field)); break;
	case OPTION_COUNT: buf_add_u64(out, *(const uint64_t *)field); break;
	case OPTION_INT: buf_add_i64(out, *(const int64_t *)field); break;
	case OPTION_DURATION: add_scaled(out, *(const uint64_t *)field, times, time_factors); break;
	case OPTION_SIZE: add_scaled(out, *(const uint64_t *)field, sizes, size_factors); break;
	case OPTION_ENUM: buf_add_text(out, choice(option, *(const int *)field, word)); break;
	case OPTION_ENUMS:
	case OPTION_LIST:
	case OPTION_PATTERNS: add_list(out, field); break;
	case OPTION_MAP: /* values of headers are secrets more often than not */
		for (size_t i = 0; i < ((const struct config_map *)field)->n; i++)
			buf_printf(out, "%s%s", i ? ", " : "",
				   ((const struct config_map *)field)->pairs[i].key);
		break;
	case OPTION_URL: option_public_url(*(const char *const *)field, out); break;
	default:
		buf_add_text(out, id == CONFIG_jaeger_password ? "(not shown)" : *(const char *const *)field);
		break;
	}
}

void config_print_settings(const struct config *c, struct buf *out)
{
	for (size_t id = 0; id < CONFIG_OPTIONS; id++) {
		const struct config_mark *mark = &c->marks[id];

		if (!mark->source)
			continue;
		buf_printf(out, "%s = ", config_options[id].path);
		add_value(out, c, id);
		buf_printf(out, "  (%s", mark->source);
		if (mark->line)
			buf_printf(out, ":%u", mark->line);
		buf_add_text(out, ")\n");
	}
}
