/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exporters/base/utf8.h"
#include "exporters/config/loader.h"

/* What may hold a secret is not shown, or not whole. */
static void quote_value(const struct option *option, const char *text, char shown[REPORT_QUOTE_MAX])
{
	struct buf url;

	if (option->type != OPTION_URL) {
		report_quote(shown, option->type == OPTION_MAP && strchr(text, '=') ? "..." : text);
		return;
	}
	buf_init(&url);
	option_public_url(text, &url);
	buf_add_byte(&url, '\0');
	report_quote(shown, url.failed ? "" : url.p);
	buf_release(&url);
}

void value_refuse(struct loader *l, enum config_option_id id, const char *text, struct config_mark at,
		  const struct value_rules *rules, const char *meant)
{
	char shown[REPORT_QUOTE_MAX];
	struct buf allowed;

	buf_init(&allowed);
	option_allowed_text(&config_options[id], &allowed);
	if (meant)
		buf_printf(&allowed, "; did you mean '%s'?", meant);
	buf_add_byte(&allowed, '\0');
	quote_value(&config_options[id], text, shown);
	if (rules->environment)
		report_warning(l->report, at, "%s is not allowed: %s; ignored", shown,
			       allowed.failed ? "" : allowed.p);
	else
		report_error(l->report, at, "%s: %s is not allowed: %s", rules->key, shown,
			     allowed.failed ? "" : allowed.p);
	buf_release(&allowed);
}

const char *node_text(struct loader *l, enum config_option_id id, const struct node *node,
		      const struct value_rules *rules)
{
	const char *text, *unset = NULL;

	if (!node || node->type != NODE_SCALAR) {
		if (node && node->type != NODE_NULL)
			value_refuse(l, id, node->type == NODE_LIST ? "a list" : "a mapping", node->mark,
				     rules, NULL);
		return NULL;
	}
	if (rules->environment)
		return node->text;
	text = environment_expand(l, node->text, &unset);
	if (text && text != node->text && !utf8_valid(slice_of(text))) {
		report_error(l->report, node->mark, "%s: not UTF-8 once its variables are filled in",
			     rules->key);
		return NULL;
	}
	if (unset)
		report_warning(l->report, node->mark, "%s: the variable %s is not set and has no default",
			       rules->key, unset);
	return text;
}

/* The functions below leave *out alone if they return false. */

/* An IPv4 address may be given as the number it is. */
static bool read_ip4(struct loader *l, const char *text, const char **out)
{
	struct in_addr address;
	int64_t n;

	if (inet_pton(AF_INET, text, &address) == 1) {
		*out = text;
		return true;
	}
	if (!text_integer(text, &n) || n < 0 || n > UINT32_MAX)
		return false;
	*out = arena_printf(l->arena, "%u.%u.%u.%u", (unsigned)(n >> 24), (unsigned)(n >> 16) & 255,
			    (unsigned)(n >> 8) & 255, (unsigned)n & 255)
		       .p;
	return true;
}

static bool read_ip6(const char *text, const char **out)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		return false;
	*out = text;
	return true;
}

static bool read_path(struct loader *l, const char *text, const char **out)
{
	*out = *text == '/' || !l->directory ? text : arena_printf(l->arena, "%s/%s", l->directory, text).p;
	return true;
}

static bool read_enum(struct loader *l, enum config_option_id id, const char *text, struct config_mark at,
		      const struct value_rules *rules, int *out)
{
	char meant[64];
	int choice = option_choice(config_options[id].allowed, text);

	if (choice < 0) {
		value_refuse(l, id, text, at, rules, option_meant(config_options[id].allowed, text, meant));
		return false;
	}
	*out = choice;
	return true;
}

static bool read_integer(const struct option *option, const char *text, int64_t *out)
{
	int64_t least, most, number;

	option_range(option, &least, &most);
	if (!text_integer(text, &number) || number < least || number > most)
		return false;
	*out = number;
	return true;
}

/* One scalar into the field; false: not of the type. */
static bool read_scalar(struct loader *l, enum config_option_id id, const char *text,
			const struct value_rules *rules)
{
	const struct option *option = &config_options[id];
	void *field = (char *)l->config + option->offset;
	double rate;

	switch (option->type) {
	case OPTION_BOOL: return text_bool(text, field);
	case OPTION_RATE:
		if (!text_number(text, &rate) || !(rate >= 0 && rate <= 1))
			return false;
		*(double *)field = rate;
		return true;
	case OPTION_COUNT:
	case OPTION_INT: return read_integer(option, text, field);
	case OPTION_DURATION: return text_duration(text, rules->unit, field);
	case OPTION_SIZE: return text_size(text, field);
	case OPTION_STRING: *(const char **)field = text; return true;
	case OPTION_PATH: return read_path(l, text, field);
	case OPTION_URL:
		if (!text_url(text, option->allowed))
			return false;
		*(const char **)field = text;
		return true;
	case OPTION_IP4: return read_ip4(l, text, field);
	case OPTION_IP6: return read_ip6(text, field);
	default: return false;
	}
}

static const char *trim(struct loader *l, const char *text)
{
	size_t lead = strspn(text, " \t\r\n"), n = strlen(text + lead);

	while (n && strchr(" \t\r\n", text[lead + n - 1]))
		n--;
	return lead == 0 && text[n] == '\0' ? text : arena_printf(l->arena, "%.*s", (int)n, text + lead).p;
}

static bool scalar_apply(struct loader *l, enum config_option_id id, const struct node *node,
			 const struct value_rules *rules)
{
	const struct option *option = &config_options[id];
	const char *text = node_text(l, id, node, rules);

	if (!text)
		return false;
	text = trim(l, text);
	if (!*text) /* what BentoML calls falsy: as if it were not there */
		return false;
	if (option->type == OPTION_ENUM)
		return read_enum(l, id, text, node->mark, rules,
				 (void *)((char *)l->config + option->offset));
	if (read_scalar(l, id, text, rules))
		return true;
	value_refuse(l, id, text, node->mark, rules, NULL);
	return false;
}

bool value_apply(struct loader *l, enum config_option_id id, const struct node *node,
		 const struct value_rules *rules)
{
	bool done;

	switch (config_options[id].type) {
	case OPTION_ENUMS:
	case OPTION_LIST:
	case OPTION_PATTERNS: done = list_apply(l, id, node, rules); break;
	case OPTION_MAP: done = map_apply(l, id, node, rules); break;
	default: done = scalar_apply(l, id, node, rules); break;
	}
	if (!done)
		return false;
	l->config->marks[id] = node->mark;
	l->from_environment[id] = rules->environment;
	return true;
}

void value_default(struct loader *l, enum config_option_id id)
{
	const struct option *option = &config_options[id];
	const struct value_rules rules = { .key = option->path };
	void *field = (char *)l->config + option->offset;
	struct node *node;

	memset(field, 0, option->size);
	if (option->type == OPTION_RATE)
		*(double *)field = NAN;
	if (option->def) {
		node = node_scalar(l->arena, slice_of(option->def), true, (struct config_mark){ 0 });
		if (node)
			value_apply(l, id, node, &rules);
	}
	l->config->marks[id] = (struct config_mark){ 0 };
	l->from_environment[id] = false;
}
