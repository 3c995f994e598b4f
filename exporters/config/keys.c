/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/config/keys.h"

#include <stdio.h>
#include <string.h>

enum { PATHS_MAX = 2 * CONFIG_OPTIONS + 8 };

/* All paths, an option's own before its other names. The number of the path -> the option; NULL: no more. */
static const struct option *path_at(size_t number, bool with_older, char path[96], bool *older)
{
	for (size_t id = 0; id < CONFIG_OPTIONS; id++) {
		const char *others = with_older ? config_options[id].others : NULL;

		*older = false;
		snprintf(path, 96, "%s", config_options[id].path);
		do {
			if (number-- == 0)
				return &config_options[id];
			*older = true;
		} while (option_word(&others, ' ', path, 96));
	}
	return NULL;
}

/* Does an earlier path begin with the same step? */
static bool seen(const char *step, size_t before, bool with_older)
{
	size_t n = strlen(step);
	char path[96];
	bool older;

	for (size_t i = 0; i < before; i++)
		if (path_at(i, with_older, path, &older) && !strncmp(path, step, n) &&
		    (path[n] == '.' || path[n] == '\0'))
			return true;
	return false;
}

bool key_next(const char *prefix, bool with_older, size_t *at, struct key *key)
{
	size_t n = strlen(prefix);

	for (;; ++*at) {
		char *dot;

		key->option = path_at(*at, with_older, key->path, &key->older);
		if (!key->option)
			return false;
		if (strncmp(key->path, prefix, n) != 0)
			continue;
		dot = strchr(key->path + n, '.');
		if (dot) {
			*dot = '\0';
			key->option = NULL;
			key->older = false;
		}
		if (seen(key->path, *at, with_older))
			continue;
		key->name = key->path + n;
		++*at;
		return true;
	}
}

void print_json_string(struct buf *out, const char *text)
{
	buf_add_byte(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (uint8_t)*text);
	}
	buf_add_byte(out, '"');
}
