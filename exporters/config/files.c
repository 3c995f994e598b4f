/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "exporters/config/config.h"
#include "exporters/config/option.h"
#include "exporters/config/report.h"

static void check_readable(const struct config *c, enum config_option_id id, const char *path,
			   struct config_report *report)
{
	char shown[REPORT_QUOTE_MAX];

	if (path && access(path, R_OK) != 0)
		report_warning(report, c->marks[id], "tracing.%s: %s cannot be read: %s",
			       config_options[id].path, report_quote(shown, path), strerror(errno));
}

/* What will be made if it is not there: then its directory must let us. */
static void check_writable(const struct config *c, enum config_option_id id, const char *path,
			   struct config_report *report)
{
	char directory[4096], shown[REPORT_QUOTE_MAX];
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (!path || n >= sizeof(directory) || access(path, W_OK) == 0)
		return;
	memcpy(directory, n ? path : "/", n ? n : 1);
	directory[n ? n : 1] = '\0';
	if (errno != ENOENT || access(slash ? directory : ".", W_OK) != 0)
		report_warning(report, c->marks[id], "tracing.%s: %s cannot be written: %s",
			       config_options[id].path, report_quote(shown, path), strerror(errno));
}

void config_check_files(const struct config *c, struct config_report *report)
{
	check_readable(c, CONFIG_tls_ca, c->tls_ca, report);
	check_readable(c, CONFIG_tls_cert, c->tls_cert, report);
	check_readable(c, CONFIG_tls_key, c->tls_key, report);
	check_readable(c, CONFIG_jaeger_ca, c->jaeger_ca, report);
	check_readable(c, CONFIG_otlp_http_ca, c->otlp_http_ca, report);
	check_readable(c, CONFIG_otlp_grpc_ca, c->otlp_grpc_ca, report);
	check_writable(c, CONFIG_spool_path, c->spool_path, report);
	for (size_t i = 0; i < c->n_exporters; i++)
		if (c->exporters[i].endpoint.path)
			check_writable(c, CONFIG_file_path, c->file_path, report);
	report_sort(report);
}
