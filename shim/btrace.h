/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_H
#define BTRACE_H

/*
 * Spans of your own, in the traces that libbtrace makes of the requests:
 *
 *	#include <btrace.h>
 *
 *	btrace_span span = btrace_begin("load model");
 *	btrace_set_string(span, "model.name", name);
 *	if (load(name) < 0)
 *		btrace_status(span, BTRACE_ERROR, "no such model");
 *	btrace_end(span);
 *
 * Nothing to link. The functions look for the library that LD_PRELOAD has
 * brought in, once in each source file that uses them; without it, and in
 * static programs, they do nothing, at the cost of a few instructions. (glibc
 * before 2.34 keeps dlsym in libdl: `pkg-config --libs btrace` has -ldl.)
 * C99 or later and C++, gcc and clang.
 *
 * A span begun with btrace_begin() is a child of what its thread works at: the
 * innermost span that the thread has begun and nobody has ended, or the request
 * that the thread has read and not answered yet, whichever is younger. Where
 * there is neither, or no telling (an event loop with several requests in
 * flight), a new trace begins, by the sampler's draw. Until it ends, a span is
 * the parent of what its thread begins, HTTP requests that it sends included.
 * In a request that is not sampled, or excluded, nothing is recorded, but the
 * context goes on, with the flag that says so.
 *
 * Other threads, callbacks, coroutines, queues: pass the context on.
 *
 *	struct btrace_context here;
 *	btrace_current(&here);
 *	... on any thread: span = btrace_begin_in("resize", &here, 0);
 *
 * A context from a traceparent header with which exactly one open request has
 * come stands for that request: so can an event loop say what it works at.
 *
 * A span may be ended, and used, on any thread. Used by two at the same time,
 * one goes first and what the other one adds is dropped and counted. Ended
 * twice or used after its end: nothing happens. A forked child cannot use the
 * spans of its parent, but begins its own below them while they are open.
 * Spans that are open when their process dies come out as aborted
 * (error.type=process_died).
 *
 * What is kept is bounded: 1,904 bytes a span for its name (256), attributes
 * (keys up to 128 bytes, strings up to 1,024), events and status message (256).
 * Strings are NUL-terminated UTF-8, copied before the function returns, and cut
 * at a character; what finds no room is counted in the span
 * (dropped_attributes_count, dropped_events_count). 64 spans can lie in one
 * another on a thread; deeper ones are dropped and counted.
 *
 * No function blocks, takes memory from the heap or changes errno. The first
 * that begins a span starts the exporter if the process has not served anything
 * yet; afterwards all are async-signal-safe, and make a system call only for
 * memory (every 128 spans that are open at once) and to wake a sleeping exporter
 * (half of the table full). A NULL name, key or value is ignored, and so is span 0.
 *
 * For other languages: the library exports functions of the names and types
 * below. A span fits a double (it is below 2^53). They stay as they are; later
 * versions add.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef BTRACE_API
#define BTRACE_API static inline
#endif

typedef uint64_t btrace_span; /* 0: none, or not recorded because nothing is traced */

/* What makes somebody else's span a child: copy it as a whole. All zero: none, a new trace. */
struct btrace_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t flags;       /* of W3C Trace Context; bit 0: sampled */
	uint8_t internal[7]; /* zero in a context that you make yourself */
};

enum btrace_flag {
	BTRACE_DETACHED = 1, /* not the current span of the thread: for coroutines and callbacks */
};

enum btrace_status { BTRACE_OK = 1, BTRACE_ERROR = 2 };

/* Begins a span in what the calling thread works at. */
BTRACE_API btrace_span btrace_begin(const char *name);

/* Begins a span below that context; NULL: as btrace_begin(). flags: enum btrace_flag. */
BTRACE_API btrace_span btrace_begin_in(const char *name, const struct btrace_context *parent, uint32_t flags);

BTRACE_API void btrace_end(btrace_span span);

/* 1: what is added to it will be exported, unless it is dropped; 0: do not trouble to find it out. */
BTRACE_API int btrace_recording(btrace_span span);

/* A key that is there gets the new value. */
BTRACE_API void btrace_set_string(btrace_span span, const char *key, const char *value);
BTRACE_API void btrace_set_int(btrace_span span, const char *key, int64_t value);
BTRACE_API void btrace_set_double(btrace_span span, const char *key, double value);
BTRACE_API void btrace_set_bool(btrace_span span, const char *key, int value);

/*
 * Something that happened now. The result stands for the event: the functions
 * above give it attributes, until the span's next event.
 */
BTRACE_API btrace_span btrace_event(btrace_span span, const char *name);

/* How it went: enum btrace_status. The last word counts, but BTRACE_OK is final; message is for BTRACE_ERROR,
 * or NULL. */
BTRACE_API void btrace_status(btrace_span span, int status, const char *message);

/* The context in which btrace_begin() would begin a span; 0, and all zero: there is none. */
BTRACE_API int btrace_current(struct btrace_context *context);
/* That of a span. */
BTRACE_API int btrace_context_of(btrace_span span, struct btrace_context *context);

/*
 * As the header traceparent has it, "00-<32 hex digits>-<16>-<2>" with a NUL:
 * for requests and messages that libbtrace does not see, and for logs, where the
 * ids alone are `printf("%.32s %.16s", text + 3, text + 36)`. 0, and "": the
 * context is all zero.
 */
#define BTRACE_TRACEPARENT_BYTES 56
BTRACE_API int btrace_to_traceparent(const struct btrace_context *context,
				     char text[BTRACE_TRACEPARENT_BYTES]);
/* And back. 0, and all zero: it is not valid. */
BTRACE_API int btrace_from_traceparent(const char *text, struct btrace_context *context);

/* The functions as the library exports them in one piece, under the name "btrace_table"; it only grows. */
struct btrace_table {
	size_t bytes; /* that this library has of it */
	btrace_span (*begin)(const char *name);
	btrace_span (*begin_in)(const char *name, const struct btrace_context *parent, uint32_t flags);
	void (*end)(btrace_span span);
	int (*recording)(btrace_span span);
	void (*set_string)(btrace_span span, const char *key, const char *value);
	void (*set_int)(btrace_span span, const char *key, int64_t value);
	void (*set_double)(btrace_span span, const char *key, double value);
	void (*set_bool)(btrace_span span, const char *key, int value);
	btrace_span (*event)(btrace_span span, const char *name);
	void (*status)(btrace_span span, int status, const char *message);
	int (*current)(struct btrace_context *context);
	int (*context_of)(btrace_span span, struct btrace_context *context);
	int (*to_traceparent)(const struct btrace_context *context, char *text);
	int (*from_traceparent)(const char *text, struct btrace_context *context);
};

#ifndef BTRACE_LIBRARY

#ifdef __linux__
/* By another name, as <dlfcn.h> may or may not be included; weak, so that a static program goes without. */
extern void *btrace_dlsym_(void *handle, const char *name) __asm__("dlsym")
#if !defined(__GLIBC__) || __GLIBC__ > 2 || __GLIBC_MINOR__ >= 34
	__attribute__((weak))
#endif
	;
#else
#define btrace_dlsym_(handle, name) NULL
#endif

/* NULL: without the library. A function that a later version adds will ask `bytes` whether it is there. */
static inline const struct btrace_table *btrace_find_(void)
{
	static const void *found;
	const void *table = __atomic_load_n(&found, __ATOMIC_ACQUIRE);

	if (__builtin_expect(!table, 0)) {
#ifdef __linux__
		if (btrace_dlsym_)
			table = btrace_dlsym_(NULL, "btrace_table"); /* RTLD_DEFAULT */
#endif
		if (!table)
			table = &found; /* not there */
		__atomic_store_n(&found, table, __ATOMIC_RELEASE);
	}
	return table == &found ? NULL : (const struct btrace_table *)table;
}

static inline btrace_span btrace_begin(const char *name)
{
	const struct btrace_table *t = btrace_find_();

	return t ? t->begin(name) : 0;
}

static inline btrace_span btrace_begin_in(const char *name, const struct btrace_context *parent,
					  uint32_t flags)
{
	const struct btrace_table *t = btrace_find_();

	return t ? t->begin_in(name, parent, flags) : 0;
}

/* A span that is not 0 comes from a library that has these. */
static inline void btrace_end(btrace_span span)
{
	if (span)
		btrace_find_()->end(span);
}

static inline int btrace_recording(btrace_span span) { return span ? btrace_find_()->recording(span) : 0; }

static inline void btrace_set_string(btrace_span span, const char *key, const char *value)
{
	if (span)
		btrace_find_()->set_string(span, key, value);
}

static inline void btrace_set_int(btrace_span span, const char *key, int64_t value)
{
	if (span)
		btrace_find_()->set_int(span, key, value);
}

static inline void btrace_set_double(btrace_span span, const char *key, double value)
{
	if (span)
		btrace_find_()->set_double(span, key, value);
}

static inline void btrace_set_bool(btrace_span span, const char *key, int value)
{
	if (span)
		btrace_find_()->set_bool(span, key, value);
}

static inline btrace_span btrace_event(btrace_span span, const char *name)
{
	return span ? btrace_find_()->event(span, name) : 0;
}

static inline void btrace_status(btrace_span span, int status, const char *message)
{
	if (span)
		btrace_find_()->status(span, status, message);
}

static inline int btrace_current(struct btrace_context *context)
{
	const struct btrace_table *t = btrace_find_();

	__builtin_memset(context, 0, sizeof(*context));
	return t ? t->current(context) : 0;
}

static inline int btrace_context_of(btrace_span span, struct btrace_context *context)
{
	__builtin_memset(context, 0, sizeof(*context));
	return span ? btrace_find_()->context_of(span, context) : 0;
}

static inline int btrace_to_traceparent(const struct btrace_context *context,
					char text[BTRACE_TRACEPARENT_BYTES])
{
	const struct btrace_table *t = btrace_find_();

	*text = 0;
	return t ? t->to_traceparent(context, text) : 0;
}

static inline int btrace_from_traceparent(const char *text, struct btrace_context *context)
{
	const struct btrace_table *t = btrace_find_();

	__builtin_memset(context, 0, sizeof(*context));
	return t ? t->from_traceparent(text, context) : 0;
}

#endif /* BTRACE_LIBRARY */

#ifdef __cplusplus
}
#endif

#endif
