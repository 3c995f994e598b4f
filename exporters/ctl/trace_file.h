/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRACE_FILE_H
#define BTRACE_TRACE_FILE_H

/*
 * A file of traces: OTLP/JSON, one ExportTraceServiceRequest a line, as the
 * exporter's `file` and the OpenTelemetry Collector's file exporter write it.
 * Reads in pieces, so that a file can be followed while it grows; a file that
 * was rotated or made shorter is begun anew. Empty lines are skipped.
 *
 * A line that cannot be read costs that line: it is told on stderr as
 * "file:line:column: why" (the first ten; all are counted) and reading goes on.
 * A last line without its newline that ends in the middle is a write cut off: told
 * once, counted apart.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "exporters/ctl/trace_parse.h"

struct trace_file {
	const char *name; /* borrowed; "-" is the standard input */
	int fd;
	FILE *errors;    /* where bad lines are told; NULL = nowhere */
	struct buf line; /* what is read and not yet taken */
	struct trace_parser parser;
	uint64_t offset, lines, bad_lines;
	bool cut; /* the last line was not complete */
};

/* 0, or -errno with one line told on `errors`. The store must outlive the file. */
int trace_file_open(struct trace_file *f, const char *name, struct trace_store *store, FILE *errors);
void trace_file_close(struct trace_file *f);

/*
 * Takes at most about `max_bytes` (0 = up to the end) of what is there now. Returns the bytes read, 0 at the
 * end, -errno (told). At the end, trace_file_end() takes a last line without newline when no more will come;
 * trace_file_try_end() takes it if it is complete, when more may come.
 */
int64_t trace_file_read(struct trace_file *f, size_t max_bytes);
void trace_file_end(struct trace_file *f);
void trace_file_try_end(struct trace_file *f);

/* At the end of a followed file: begins anew if it was replaced or made shorter. 1 if so, 0, -errno. */
int trace_file_reopen(struct trace_file *f);

/* Bytes of a regular file now, 0 where that is not known. */
uint64_t trace_file_size(const struct trace_file *f);

/*
 * All of several files, with progress on stderr where that takes long and stderr
 * is a terminal. 0 = all read; 1 = read, but some lines were bad; -errno = a file
 * cannot be read (told).
 */
int trace_files_load(char *const *names, size_t n, struct trace_store *store, FILE *errors);

#endif
