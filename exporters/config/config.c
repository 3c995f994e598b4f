/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/config/loader.h"
#include "shim/abi/wanted.h"

enum { FILE_MAX_BYTES = 1 << 20 };

/* All of a descriptor, from its beginning if it has one. 0 or -errno. */
static int read_all(int fd, struct buf *out)
{
	bool seekable = lseek(fd, 0, SEEK_CUR) >= 0;
	ssize_t n = 1;

	while (n > 0 && out->n <= FILE_MAX_BYTES) {
		if (!buf_reserve(out, 65536))
			return -ENOMEM;
		n = seekable ? pread(fd, out->p + out->n, 65536, (off_t)out->n)
			     : read(fd, out->p + out->n, 65536);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			out->n += (size_t)n;
	}
	return n < 0 ? -errno : out->n > FILE_MAX_BYTES ? -EFBIG : 0;
}

static int read_file(struct loader *l, struct buf *text)
{
	const struct config_source *s = l->source;
	struct config_mark mark = { l->file, 0, 0 };
	int fd = s->fd >= 0 ? s->fd : open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc = fd < 0 ? -errno : read_all(fd, text);

	if (fd >= 0 && s->fd < 0)
		close(fd);
	if (rc == -EFBIG)
		report_error(l->report, mark, "larger than %d KiB, which no config is",
			     FILE_MAX_BYTES / 1024);
	else if (rc)
		report_error(l->report, mark, "cannot be read: %s", strerror(-rc));
	return rc;
}

/* The file as a tree. An error in the report, or 0; *root stays NULL for an empty file. */
static int read_document(struct loader *l, const struct node **root)
{
	struct node *node = NULL;
	struct buf text;
	int rc;

	if (!l->file)
		return 0;
	buf_init(&text);
	rc = read_file(l, &text);
	if (!rc)
		rc = yaml_read(l->arena, (struct slice){ text.p, text.n },
			       (struct config_mark){ l->file, 1, 1 }, &node, l->report);
	buf_release(&text);
	if (node && node->type != NODE_MAP && node->type != NODE_NULL) {
		report_error(l->report, node->mark, "a config is a mapping, with `tracing:` in it");
		return -EINVAL;
	}
	*root = node;
	return rc;
}

static int read_overrides(struct loader *l, const struct node **root)
{
	static const char name[] = "BENTOML_CONFIG_OVERRIDES";
	const char *text = environment_get(l->source->environment, name);
	struct node *node = NULL;
	int rc;

	if (!text)
		return 0;
	rc = yaml_read(l->arena, slice_of(text), (struct config_mark){ name, 1, 1 }, &node, l->report);
	if (!rc && node && node->type != NODE_MAP && node->type != NODE_NULL) {
		report_error(l->report, node->mark, "must be a JSON object");
		rc = -EINVAL;
	}
	*root = node;
	return rc;
}

static int read_options(struct loader *l, const char *name, const struct node **root)
{
	const char *text = environment_get(l->source->environment, name);
	struct node *node = NULL;
	int rc = text ? dotted_read(l->arena, name, text, &node, l->report) : 0;

	*root = rc ? NULL : node;
	return rc;
}

static int worse(int a, int b) { return a ? a : b; }

static int load(struct loader *l)
{
	const struct node *documents[SOURCES] = { 0 };
	int rc = read_document(l, &documents[0]);

	rc = worse(rc, read_overrides(l, &documents[1]));
	rc = worse(rc, read_options(l, "BENTOML_CONFIG_OPTIONS", &documents[2]));
	rc = worse(rc, read_options(l, "BTRACE_CONFIG_OPTIONS", &documents[3]));
	for (int id = 0; id < CONFIG_OPTIONS; id++)
		environment_apply(l, (enum config_option_id)id);
	places_apply(l, documents);
	if (rc)
		return rc;
	resource_finish(l);
	exclusion_finish(l);
	exporters_finish(l);
	conventions_finish(l);
	sampling_finish(l);
	propagators_finish(l);
	return 0;
}

/* The directory of a path, for relative paths in the file. */
static const char *directory_of(struct loader *l)
{
	const struct config_source *s = l->source;
	const char *slash = s->path ? strrchr(s->path, '/') : NULL;
	char *here;
	const char *copy;

	if (s->directory)
		return arena_printf(l->arena, "%s", s->directory).p;
	if (slash && *s->path == '/')
		return arena_printf(l->arena, "%.*s", (int)(slash > s->path ? slash - s->path : 1), s->path)
			.p;
	here = getcwd(NULL, 0);
	if (!here)
		return NULL;
	copy = slash ? arena_printf(l->arena, "%s/%.*s", here, (int)(slash - s->path), s->path).p
		     : arena_printf(l->arena, "%s", here).p;
	free(here);
	return copy;
}

int config_load(struct config *config, const struct config_source *source, struct config_report *report)
{
	struct loader l = { .config = config, .arena = &config->arena, .report = report, .source = source };
	const char *killed = wanted_not(source->environment);
	int rc;

	memset(config, 0, sizeof(*config));
	arena_init(&config->arena);
	if (source->path || source->fd >= 0)
		l.file = arena_printf(l.arena, "%s", source->path ? source->path : "config").p;
	l.directory = directory_of(&l);
	for (int id = 0; id < CONFIG_OPTIONS; id++)
		value_default(&l, (enum config_option_id)id);
	l.errors_before = report->errors;
	l.alone = !l.file;
	rc = load(&l);
	if (!rc && loader_failed(&l))
		rc = -EINVAL;
	if (config->arena.failed || report->arena.failed)
		rc = -ENOMEM;
	if (rc) {
		config->on = false;
		config->why_off = "the config has errors";
	} else if (killed) {
		config->on = false;
		config->why_off = arena_printf(l.arena, "%s is set", killed).p;
	}
	report_sort(report);
	return rc;
}

void config_release(struct config *config)
{
	arena_release(&config->arena);
	memset(config, 0, sizeof(*config));
}
