/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "exporters/config/keys.h"

/* A pattern for one of the words, in any letter case. */
static void add_words(struct buf *out, const char *allowed)
{
	buf_add_byte(out, '(');
	for (; *allowed; allowed++) {
		if (isalpha((unsigned char)*allowed))
			buf_printf(out, "[%c%c]", toupper((unsigned char)*allowed),
				   tolower((unsigned char)*allowed));
		else
			buf_add_byte(out, (uint8_t)*allowed);
	}
	buf_add_byte(out, ')');
}

static void add_enum(struct buf *out, const char *allowed)
{
	char word[64];
	const char *comma = "";

	buf_add_text(out, "{\"enum\": [");
	for (const char *p = allowed; option_word(&p, '|', word, sizeof(word)); comma = ", ")
		buf_printf(out, "%s\"%s\"", comma, word);
	buf_add_text(out, "]}, {\"type\": \"string\", \"pattern\": \"^");
	add_words(out, allowed);
	buf_add_text(out, "$\"}");
	/* an unquoted off is false for a YAML 1.1 reader */
	if (option_choice(allowed, "off") >= 0)
		buf_add_text(out, ", {\"const\": false}");
}

static void add_words_list(struct buf *out, const char *allowed)
{
	buf_add_text(out, "{\"type\": \"string\", \"pattern\": \"^ *");
	add_words(out, allowed);
	buf_add_text(out, "( *, *");
	add_words(out, allowed);
	buf_add_text(out, ")* *$\"}, {\"type\": \"array\", \"items\": {\"anyOf\": [");
	add_enum(out, allowed);
	buf_add_text(out, "]}}");
}

static void add_number(struct buf *out, const struct option *option)
{
	int64_t least, most;

	option_range(option, &least, &most);
	buf_printf(out,
		   "{\"type\": \"integer\", \"minimum\": %lld, \"maximum\": %lld}, "
		   "{\"type\": \"string\", \"pattern\": \"^[+-]?[0-9]+$\"}",
		   (long long)least, (long long)most);
}

static const char scalar[] = "{\"type\": [\"string\", \"number\", \"boolean\"]}";

static void add_type(struct buf *out, const struct option *option)
{
	switch (option->type) {
	case OPTION_BOOL: buf_add_text(out, "{\"type\": \"boolean\"}"); break;
	case OPTION_RATE:
		buf_add_text(out, "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}, "
				  "{\"type\": \"string\", \"pattern\": \"^[+]?[0-9.]+([eE]-?[0-9]+)?$\"}");
		break;
	case OPTION_COUNT:
	case OPTION_INT: add_number(out, option); break;
	case OPTION_DURATION:
		buf_add_text(out, "{\"type\": \"number\", \"minimum\": 0}, {\"type\": \"string\", "
				  "\"pattern\": \"^[0-9.]+ *([num]?s|sec|m|min|h)?$\"}");
		break;
	case OPTION_SIZE:
		buf_add_text(out, "{\"type\": \"number\", \"minimum\": 0}, {\"type\": \"string\", "
				  "\"pattern\": \"^[0-9.]+ *([kKmMgG]?i?[bB]?)$\"}");
		break;
	case OPTION_URL: buf_add_text(out, "{\"type\": \"string\", \"minLength\": 1}"); break;
	case OPTION_IP4:
		buf_add_text(out, "{\"type\": \"string\", \"pattern\": \"^[0-9.]+$\"}, "
				  "{\"type\": \"integer\", \"minimum\": 0}");
		break;
	case OPTION_IP6:
		buf_add_text(out, "{\"type\": \"string\", \"pattern\": \"^[0-9a-fA-F:.]+$\"}");
		break;
	case OPTION_STRING:
	case OPTION_PATH: buf_add_text(out, "{\"type\": [\"string\", \"number\"]}"); break;
	case OPTION_ENUM: add_enum(out, option->allowed); break;
	case OPTION_ENUMS: add_words_list(out, option->allowed); break;
	case OPTION_LIST:
	case OPTION_PATTERNS:
		buf_printf(out, "{\"type\": \"string\"}, {\"type\": \"array\", \"items\": %s}", scalar);
		break;
	case OPTION_MAP:
		buf_printf(out, "{\"type\": \"object\", \"additionalProperties\": {\"type\": [\"string\", "
				"\"number\", "
				"\"boolean\", \"null\"]}}, {\"type\": \"array\"}, "
				"{\"type\": \"string\", \"pattern\": \"=\"}");
		break;
	}
}

static void add_option(struct buf *out, const struct key *key)
{
	const struct option *option = key->option;

	buf_add_text(out, "{\"description\": ");
	print_json_string(out, option->help);
	if (key->older)
		buf_add_text(out, ", \"deprecated\": true");
	if (option->def && (option->type == OPTION_BOOL || option->type == OPTION_COUNT))
		buf_printf(out, ", \"default\": %s", option->def);
	else if (option->def) {
		buf_add_text(out, ", \"default\": ");
		print_json_string(out, option->def);
	}
	buf_add_text(out, ", \"anyOf\": [");
	add_type(out, option);
	buf_add_text(out, ", {\"$ref\": \"#/$defs/variable\"}, {\"type\": \"null\"}]}");
}

static void indent(struct buf *out, int depth) { buf_printf(out, "\n%*s", depth * 2, ""); }

static void add_mapping(struct buf *out, const char *prefix, int depth)
{
	const char *comma = "";
	struct key key;

	buf_add_text(out,
		     "{\"type\": [\"object\", \"null\"], \"additionalProperties\": false, \"properties\": {");
	for (size_t at = 0; key_next(prefix, true, &at, &key); comma = ",") {
		char below[100];

		buf_add_text(out, comma);
		indent(out, depth + 1);
		buf_printf(out, "\"%s\": ", key.name);
		snprintf(below, sizeof(below), "%s.", key.path);
		if (key.option)
			add_option(out, &key);
		else
			add_mapping(out, below, depth + 1);
	}
	indent(out, depth);
	buf_add_text(out, "}}");
}

void config_print_schema(struct buf *out)
{
	buf_add_text(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
			  "  \"title\": \"btrace config (BentoML's tracing)\",\n"
			  "  \"type\": [\"object\", \"null\"],\n"
			  "  \"properties\": {\n"
			  "    \"tracing\": {\"$ref\": \"#/$defs/tracing\"},\n"
			  "    \"api_server\": {\"type\": [\"object\", \"null\"], \"properties\": "
			  "{\"tracing\": {\"$ref\": \"#/$defs/tracing\"}}},\n"
			  "    \"services\": {\"type\": [\"object\", \"null\"], \"properties\": "
			  "{\"tracing\": {\"$ref\": \"#/$defs/tracing\"}},\n"
			  "      \"additionalProperties\": {\"properties\": {\"tracing\": {\"$ref\": "
			  "\"#/$defs/tracing\"}}}}\n"
			  "  },\n  \"$defs\": {\n"
			  "    \"variable\": {\"type\": \"string\", \"pattern\": "
			  "\"\\\\$\\\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\\\}\"},\n"
			  "    \"tracing\": ");
	add_mapping(out, "", 2);
	buf_add_text(out, "\n  }\n}\n");
}
