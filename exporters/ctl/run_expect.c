/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/run_expect.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/ctl/run_settings.h"
#include "exporters/ctl/trace_file.h"

/* The path of the file exporter, if the config has one. */
static int find_file(struct buf *path, const char *name)
{
	struct config_report report = CONFIG_REPORT_INIT;
	struct config config;
	bool found = false;
	int rc;

	rc = run_settings_load(name, &config, &report);
	for (size_t i = 0; !rc && i < config.n_exporters; i++)
		found |= !strcmp(config.exporters[i].name, "file");
	if (found)
		buf_printf(path, "%s", config.file_path);
	config_release(&config);
	config_report_release(&report);
	if (!found)
		fprintf(stderr,
			"btracectl run: --expect wants an exporter of the type file in '%s'; see `btracectl "
			"check`\n",
			name ? name : "--exporter");
	return found ? 0 : 2;
}

int run_expect_init(struct run_expect *r, const char *expect, const char *config)
{
	struct stat st;
	int rc;

	*r = (struct run_expect){ .offset = 0 };
	expectation_init(&r->expectation);
	buf_init(&r->path);
	rc = verdict_load(&r->expectation, expect);
	if (!rc)
		rc = find_file(&r->path, config);
	buf_add_byte(&r->path, '\0');
	if (rc || r->path.failed)
		return 2;
	if (!stat(r->path.p, &st)) {
		r->device = st.st_dev;
		r->inode = st.st_ino;
		r->offset = (uint64_t)st.st_size;
	}
	return 0;
}

void run_expect_release(struct run_expect *r)
{
	expectation_release(&r->expectation);
	buf_release(&r->path);
}

/* What was added to the file. 0, or 2 and told. */
static int load(const struct run_expect *r, struct trace_store *store)
{
	struct trace_file f;
	struct stat st;
	int rc = 0;

	if (access(r->path.p, F_OK) && errno == ENOENT) /* no request, no file */
		return 0;
	if (trace_file_open(&f, r->path.p, store, stderr))
		return 2;
	if (r->offset && (fstat(f.fd, &st) || st.st_dev != r->device || st.st_ino != r->inode ||
			  lseek(f.fd, (off_t)r->offset, SEEK_SET) < 0)) {
		fprintf(stderr, "btracectl run: %s was replaced during the run: no verdict\n", r->path.p);
		rc = 2;
	}
	if (!rc && trace_file_read(&f, 0) < 0)
		rc = 2;
	if (!rc)
		trace_file_end(&f);
	if (!rc && (f.bad_lines || f.cut)) {
		fprintf(stderr, "btracectl run: a part of %s cannot be read: no verdict\n", r->path.p);
		rc = 2;
	}
	trace_file_close(&f);
	return rc;
}

int run_expect_give(const struct run_expect *r, const struct verdict *v)
{
	struct trace_store store;
	struct trace_set set;
	int rc;

	trace_store_init(&store);
	rc = load(r, &store);
	if (!rc && trace_set_init(&set, &store))
		rc = 2;
	if (!rc) {
		rc = verdict_give(v, &r->expectation, &set, r->path.p);
		trace_set_release(&set);
	}
	trace_store_release(&store);
	return rc;
}
