/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exporters/base/utf8.h"
#include "exporters/config/loader.h"

bool text_bool(const char *text, bool *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" }; /* YAML 1.1 */

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcasecmp(text, words[i])) {
			*out = i & 1;
			return true;
		}
	}
	return false;
}

/* The number at the beginning of a text; *end is behind it. */
static bool leading_number(const char *text, double *out, const char **end)
{
	size_t n = strspn(text, "+-.0123456789eE"), digits = strspn(text, "+-.");
	char *stop;

	/* strtod also takes hexadecimal, inf and nan, which nobody means here */
	if (!isdigit((unsigned char)text[digits]) || digits > 2)
		return false;
	*out = strtod(text, &stop);
	*end = stop;
	return stop != text && stop <= text + n && isfinite(*out);
}

bool text_number(const char *text, double *out)
{
	const char *end;

	return leading_number(text, out, &end) && !*end;
}

bool text_integer(const char *text, int64_t *out)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;

	if (!isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && !*end;
}

struct unit {
	const char *name;
	double factor;
};

static bool with_unit(const char *text, const struct unit *units, const char *bare, uint64_t *out)
{
	const char *end;
	double number;

	if (!leading_number(text, &number, &end) || number < 0)
		return false;
	while (*end == ' ')
		end++;
	for (; units->name; units++) {
		if (strcasecmp(units->name, *end ? end : bare) != 0)
			continue;
		number *= units->factor;
		if (number >= 9e18)
			return false;
		*out = (uint64_t)(number + 0.5);
		return true;
	}
	return false;
}

bool text_duration(const char *text, const char *unit, uint64_t *ns)
{
	static const struct unit units[] = { { "ns", 1 },     { "us", 1e3 },   { "ms", 1e6 },
					     { "s", 1e9 },    { "sec", 1e9 },  { "m", 6e10 },
					     { "min", 6e10 }, { "h", 3.6e12 }, { NULL, 0 } };

	return with_unit(text, units, unit ? unit : "s", ns);
}

bool text_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = { { "B", 1 },
					     { "k", 1e3 },
					     { "kB", 1e3 },
					     { "Ki", 1024 },
					     { "KiB", 1024 },
					     { "M", 1e6 },
					     { "MB", 1e6 },
					     { "Mi", 1048576 },
					     { "MiB", 1048576 },
					     { "G", 1e9 },
					     { "GB", 1e9 },
					     { "Gi", 1073741824 },
					     { "GiB", 1073741824 },
					     { NULL, 0 } };

	return with_unit(text, units, "B", bytes);
}

/* host, host:port, [v6], [v6]:port at the beginning; the end of it or NULL. */
static const char *skip_authority(const char *p)
{
	const char *end = p + strcspn(p, "/?#"), *at = memchr(p, '@', (size_t)(end - p));
	const char *host = at ? at + 1 : p, *port;
	unsigned number = 0;

	if (*host == '[') {
		port = memchr(host, ']', (size_t)(end - host));
		if (!port || port == host + 1)
			return NULL;
		port++;
	} else {
		port = memchr(host, ':', (size_t)(end - host));
		if (port == host || host == end)
			return NULL;
		port = port ? port : end;
	}
	if (port == end)
		return end;
	if (*port++ != ':' || port == end)
		return NULL;
	for (; port < end && isdigit((unsigned char)*port) && number <= 65535; port++)
		number = number * 10 + (unsigned)(*port - '0');
	return port == end && number >= 1 && number <= 65535 ? end : NULL;
}

static bool scheme_allowed(const char *text, size_t n, const char *schemes)
{
	char word[16];

	while (option_word(&schemes, ' ', word, sizeof(word)))
		if (strlen(word) == n && !strncasecmp(word, text, n) && strcmp(word, "grpc") != 0)
			return true;
	return false;
}

bool text_url(const char *text, const char *schemes)
{
	const char *colon = strstr(text, "://");

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	if (!strncasecmp(text, "unix:", 5))
		return strstr(schemes, "unix") && text[5] == '/' && text[6] != '\0';
	if (colon)
		return scheme_allowed(text, (size_t)(colon - text), schemes) && skip_authority(colon + 3);
	return strstr(schemes, "grpc") && *text != '/' && skip_authority(text);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

bool text_percent_decode(char *text)
{
	char *to = text, *start = text;

	for (const char *p = text; *p; p++) {
		int c = (unsigned char)*p;

		if (c == '%') {
			if (hex(p[1]) < 0 || hex(p[2]) < 0)
				return false;
			c = hex(p[1]) << 4 | hex(p[2]);
			p += 2;
		}
		if (c < ' ' || c == 0x7f)
			return false;
		*to++ = (char)c;
	}
	*to = '\0';
	return utf8_valid(slice_of(start));
}
