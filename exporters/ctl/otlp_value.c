/* SPDX-License-Identifier: Apache-2.0 */
/* AnyValue and KeyValue of common.proto. */
#include "exporters/ctl/otlp_read.h"

/* What has no place in struct value: kept as it stands in the file. */
static bool read_raw(struct trace_parser *p, struct value *value)
{
	const char *from;

	while (p->json.p < p->json.end && *p->json.p == ' ')
		p->json.p++;
	from = p->json.p;
	if (!json_skip(&p->json))
		return false;
	value->type = VALUE_STRING;
	value->string = trace_store_string(p->store, (struct slice){ from, (size_t)(p->json.p - from) });
	return true;
}

static bool read_string_value(struct trace_parser *p, void *value)
{
	((struct value *)value)->type = VALUE_STRING;
	return otlp_text(p, &((struct value *)value)->string);
}

static bool read_bool_value(struct trace_parser *p, void *into)
{
	struct value *value = into;
	enum json_token token = json_next(&p->json);

	value->type = VALUE_BOOL;
	value->boolean = token == JSON_TRUE;
	return token == JSON_TRUE || token == JSON_FALSE || otlp_fail(p, "true or false should stand here");
}

static bool read_int_value(struct trace_parser *p, void *into)
{
	struct value *value = into;
	enum json_token token = json_next(&p->json);

	value->type = VALUE_INT;
	return ((token == JSON_STRING || token == JSON_NUMBER) &&
		json_to_i64(p->json.text, &value->integer)) ||
	       otlp_fail(p, "a number of 64 bits should stand here");
}

static bool read_double_value(struct trace_parser *p, void *into)
{
	struct value *value = into;
	enum json_token token = json_next(&p->json);

	value->type = VALUE_DOUBLE;
	return ((token == JSON_STRING || token == JSON_NUMBER) &&
		json_to_double(p->json.text, &value->real)) ||
	       otlp_fail(p, "a number should stand here");
}

static bool read_raw_value(struct trace_parser *p, void *value) { return read_raw(p, value); }

static bool read_array_value(struct trace_parser *p, void *value);

static const struct otlp_field value_fields[] = {
	{ "stringValue", read_string_value }, { "intValue", read_int_value },
	{ "boolValue", read_bool_value },     { "doubleValue", read_double_value },
	{ "arrayValue", read_array_value },   { "kvlistValue", read_raw_value },
	{ "bytesValue", read_string_value },
};

/* Within an array a further array is text. */
static const struct otlp_field element_fields[] = {
	{ "stringValue", read_string_value }, { "intValue", read_int_value },
	{ "boolValue", read_bool_value },     { "doubleValue", read_double_value },
	{ "arrayValue", read_raw_value },     { "kvlistValue", read_raw_value },
	{ "bytesValue", read_string_value },
};

static bool read_element(struct trace_parser *p, void *message)
{
	struct value value = { .type = VALUE_STRING };

	(void)message;
	if (!otlp_fields(p, OTLP_FIELDS(element_fields), &value) ||
	    !otlp_push(p, (void **)&p->values, p->n_values, &p->values_size, sizeof(*p->values)))
		return false;
	p->values[p->n_values++] = value;
	return true;
}

static bool read_elements(struct trace_parser *p, void *message)
{
	return otlp_list(p, read_element, message);
}

static const struct otlp_field array_fields[] = { { "values", read_elements } };

static bool read_array_value(struct trace_parser *p, void *into)
{
	struct value *value = into;

	p->n_values = 0;
	if (!otlp_message(p, OTLP_FIELDS(array_fields), NULL))
		return false;
	value->type = VALUE_ARRAY;
	value->array.n = p->n_values;
	value->array.items = otlp_pop(p, p->values, p->n_values, sizeof(*p->values));
	return !p->json.error;
}

static bool read_key(struct trace_parser *p, void *into)
{
	return otlp_text(p, &((struct attribute *)into)->key);
}

static bool read_value(struct trace_parser *p, void *into)
{
	return otlp_message(p, OTLP_FIELDS(value_fields), &((struct attribute *)into)->value);
}

static const struct otlp_field attribute_fields[] = { { "key", read_key }, { "value", read_value } };

static bool read_attribute(struct trace_parser *p, void *message)
{
	struct attribute attribute = { .key = SLICE(""), .value = { .type = VALUE_STRING } };

	(void)message;
	if (!otlp_fields(p, OTLP_FIELDS(attribute_fields), &attribute) ||
	    !otlp_push(p, (void **)&p->attributes, p->n_attributes, &p->attributes_size, sizeof(attribute)))
		return false;
	p->attributes[p->n_attributes++] = attribute;
	return true;
}

bool otlp_attributes(struct trace_parser *p, struct attributes *attributes)
{
	p->n_attributes = 0;
	if (!otlp_list(p, read_attribute, NULL))
		return false;
	attributes->n = p->n_attributes;
	attributes->items = otlp_pop(p, p->attributes, p->n_attributes, sizeof(*p->attributes));
	return !p->json.error;
}
